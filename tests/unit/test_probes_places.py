"""One program at many places: candidates, numbers, and what older kernels get."""

from __future__ import annotations

import pytest

from skep.asm import encode
from skep.errors import ProbeNotFound
from skep.probes import (
    Candidate,
    Cookie,
    FunctionEntry,
    FunctionExit,
    NoSuchParameter,
    PlaceNumber,
    Saved,
    Tracepoint,
    Uprobe,
    Uretprobe,
    Usdt,
    resolve,
)
from skep.probes.intention import Intention
from skep.runtime.programs import Copies
from skep.runtime.syscall import bpf
from skep.spec import PLACE
from skep.symbols.name_pattern import Matching, is_pattern, matcher
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, groups_of, ladder_of
from tests.fixtures import saved_target
from tests.unit.tool_source import Make, bound, make_tool

__all__ = ["make_tool"]

FUNCTIONS = ("ext4_file_*",)


def ladder(intention: Intention, needs: set[str], kernel: str) -> list[Candidate]:
    return list(resolve(intention, needs, saved_target(kernel)))


def kinds(candidates: list[Candidate]) -> list[str]:
    return [each.sites[0].attach.kind for each in candidates]


def test_patterns() -> None:
    assert matcher("vfs_*").fullmatch("vfs_read")
    assert not matcher("vfs_.*").fullmatch("vfs_read")
    assert matcher(Matching("vfs_(read|write)")).fullmatch("vfs_write")
    assert not matcher(Matching("vfs_r|vfs_w")).fullmatch("vfs_write")
    assert is_pattern("*") and is_pattern(Matching("a")) and not is_pattern("a.b")


def test_functions_of_the_kernel() -> None:
    new = ladder(FunctionEntry(FUNCTIONS), {"place"}, "6.12")
    assert kinds(new) == ["kprobe_multi", "kprobes"]
    (site,) = new[0].sites
    assert site.attach.names == site.attach.symbols
    assert [param.fetch for param in site.params] == [Cookie()]
    old = ladder(FunctionEntry(FUNCTIONS), {"place"}, "5.10")
    assert kinds(old) == ["kprobes"]
    fetch = old[0].sites[0].params[0].fetch
    assert type(fetch) is PlaceNumber


def test_calls_in_pairs() -> None:
    needs = {"elapsed_ns", "arg2"}
    for kernel, kind in (("6.1", "kretprobe_multi"), ("5.10", "kretprobes")):
        (site,) = ladder(FunctionExit(FUNCTIONS), needs, kernel)[0].sites
        assert site.attach.kind == kind
        assert site.entry is not None and site.entry.frame and site.frame
        assert site.entry.attach.kind == kind.replace("ret", "")
        assert site.entry.frame.place == site.frame.place
        assert {type(p.fetch) for p in site.params if p.name == "arg2"} == {Saved}


def test_names_that_nothing_has() -> None:
    with pytest.raises(ProbeNotFound, match="no function that can be traced matches"):
        ladder(FunctionEntry(("no_such_*",)), {"place"}, "6.12")
    with pytest.raises(ProbeNotFound, match="no tracepoint matches 'sched:no_\\*'"):
        ladder(Tracepoint("sched:no_*"), {"place"}, "6.12")
    with pytest.raises(ProbeNotFound, match="did you mean sched:sched_process_exec"):
        ladder(Tracepoint("sched:sched_process_exek"), {"place"}, "6.12")


def test_tracepoints() -> None:
    (candidate,) = ladder(Tracepoint("sched:sched_process_*"), {"place"}, "6.12")
    (site,) = candidate.sites
    assert site.attach.kind == "tracepoints"
    assert len(site.attach.ids) == len(site.attach.names) > 0
    assert all(name.startswith("sched:sched_process_") for name in site.attach.names)
    with pytest.raises(NoSuchParameter, match="its parameters are place"):
        ladder(Tracepoint("sched:sched_process_*"), {"pid"}, "6.12")


def test_functions_of_programs() -> None:
    intentions: list[Intention] = [Uprobe("c", ("getaddr*",))]
    for intention in (*intentions, Uretprobe("c", ("getaddr*",))):
        for candidate in ladder(intention, {"place"}, "6.12"):
            (site,) = candidate.sites
            assert site.attach.names == ("getaddrinfo",)
    (site,) = ladder(Uretprobe("c", ("get*",)), {"place", "elapsed_ns"}, "5.10")[
        0
    ].sites
    assert site.frame is not None and type(site.frame.place) is PlaceNumber


def test_usdt() -> None:
    (site,) = ladder(Usdt("c", "memory_*"), {"place"}, "6.12")[0].sites
    assert site.attach.names == ("memory_sbrk_more", "memory_heap_new")
    one = ladder(Usdt("c", Matching("setjmp|longjmp")), {"place", "arg1"}, "6.12")
    assert [site.attach.names for site in one[0].sites] == [("setjmp",)]


TOOL = """
from skep import Table
from skep.fields import U64
from skep.fields.places import PlaceName


class Place(Record):
    func: PlaceName


class Calls(Record):
    count: U64


calls = Table(Place, Calls)


@on.entry("ext4_file_*")
def entered(place):
    calls.add(func=place, count=1)
"""


@pytest.mark.parametrize("kernel", ["5.10", "6.12"])
def test_the_number_comes_by_cookie_or_at_load(make_tool: Make, kernel: str) -> None:
    tool, target = make_tool(TOOL), saved_target(kernel)
    binding = Binding(tool, bound(tool))
    (group,) = groups_of(binding)
    rung = next(ladder_of(group, binding, target))
    ((_, compiled),) = compile_programs(rung, binding, target)
    program = compiled.program
    assert program is not None
    names, numbers = program.attach.names, program.attach.numbers
    assert list(numbers) == list(range(len(names)))
    assert binding.places == list(names)
    code = encode(program.instructions, lambda name: 0x1234 if name == PLACE else 7)
    copies = Copies.of(program, bpf.ProgLoad(2, code))
    if kernel == "5.10":
        assert copies is not None
        assert code.count(b"\x34\x12\0\0") == 1
    else:
        assert copies is None
        assert PLACE not in {each.ref for each in program.instructions}
