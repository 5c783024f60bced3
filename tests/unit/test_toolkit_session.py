"""A tool's probes as groups, ladders and programs, on a saved kernel."""

from __future__ import annotations

from typing import Any

import pytest

from skep.errors import (
    AttachError,
    CompileError,
    NotLoaded,
    NotPermitted,
    NotSupported,
    ProbeNotFound,
    SkepError,
)
from skep.output.receipts import Receipt
from skep.runtime.collection import Collection
from skep.spec import CollectionSpec
from skep.toolkit.binding import Binding
from skep.toolkit.session import (
    Session,
    attach_group,
    attach_plan,
    collection_of,
    compile_programs,
    groups_of,
    ladder_of,
    schemes_of,
)
from skep.toolkit.tool import Tool
from tests.fixtures import saved_target
from tests.unit.tool_source import Make, bound, make_tool

__all__ = ["make_tool"]

TARGET = saved_target("6.12")

CALLS = """
    class Seen(Record):
        pid: Pid
        ret: Ret

    seen = Stream(Seen)


    @on.syscall_exit("openat", when=Options.selected)
    def opened(ret):
        seen.emit(ret=ret)


    @on.tracepoint("sched:sched_switch", when=Options.verbose)
    def switched(prev_pid):
        seen.emit(ret=prev_pid)


    @on.syscall_exit("openat2", "execve")
    def others(filename, ret):
        if filename is not None:
            seen.emit(ret=ret)


    @on.raw_tracepoint("sched_process_exec", when=lambda options: not options.verbose)
    def executed(p):
        seen.emit(ret=p.pid)
"""


def binding_of(tool: Tool, **values: Any) -> Binding:
    return Binding(tool, bound(tool, **values))


def handlers(binding: Binding, **settings: bool) -> list[list[str]]:
    groups = groups_of(binding, **settings)
    return [[name for name, _ in group.probes] for group in groups]


def test_handlers_of_calls_are_one_group(make_tool: Make) -> None:
    tool = make_tool(CALLS)
    assert handlers(binding_of(tool)) == [["opened", "others"], ["executed"]]
    assert handlers(binding_of(tool, verbose=True)) == [
        ["opened", "others"],
        ["switched"],
    ]


def test_probes_that_are_switched_off(make_tool: Make) -> None:
    tool = make_tool(CALLS)
    assert handlers(binding_of(tool), switched_on=False) == [["switched"]]


def test_a_ladder_has_all_handlers_on_every_rung(make_tool: Make) -> None:
    binding = binding_of(make_tool(CALLS))
    calls, execs = groups_of(binding)
    ladder = list(ladder_of(calls, binding, TARGET))
    kinds = [rung.choices[0][2].sites[0].attach.kind for rung in ladder]
    assert kinds == ["tp_btf", "raw_tracepoint", "tracepoint"]
    assert all(
        [name for name, _, _ in rung.choices] == ["opened", "others"] for rung in ladder
    )
    assert ladder[0].attach == "tp_btf:sys_exit, tp_btf:sys_enter"
    assert ladder[2].attach.startswith("tracepoint:syscalls:sys_exit_openat, ")
    notes = ladder[2].note.split("; ")
    assert notes[0] == "32-bit tasks are not seen"
    assert len(set(notes)) == len(notes)
    assert len(list(ladder_of(execs, binding, TARGET))) == 2


def test_handlers_of_one_place_share_a_program(make_tool: Make) -> None:
    binding = binding_of(make_tool(CALLS))
    raw, _, classic = ladder_of(groups_of(binding)[0], binding, TARGET)
    programs = compile_programs(raw, binding, TARGET)
    assert [name for name, _ in programs] == ["others_entry", "opened"]
    names = [name for name, _ in compile_programs(classic, binding, TARGET)]
    assert names == 2 * ["others_entry"] + ["opened"] + 2 * ["others"]


def test_a_collection_has_each_map_once_and_no_idle_program(make_tool: Make) -> None:
    tool = make_tool("""
        counts = Map("u64", "u64")


        @on.tracepoint("sched:sched_switch")
        def one(prev_pid):
            counts.update(1, prev_pid)


        @on.tracepoint("sched:sched_wakeup")
        def two(pid):
            counts.update(2, pid)


        @on.raw_tracepoint("sched_process_exec")
        def idle(p):
            if Options.verbose:
                counts.update(3, 3)
    """)
    binding = binding_of(tool)
    compiled = [
        program
        for group in groups_of(binding)
        for program in compile_programs(
            next(ladder_of(group, binding, TARGET)), binding, TARGET
        )
    ]
    spec = collection_of(compiled)
    assert [program.name for program in spec.programs] == ["one", "two"]
    assert sorted(each.name for each in spec.maps) == ["counts", "ledger"]


def test_a_missing_probe_is_reported_at_the_handler(make_tool: Make) -> None:
    tool = make_tool("""
        @on.raw_tracepoint("sched_process_exit")
        def left(nothing):
            pass


        @on.raw_tracepoint("no_such_tracepoint")
        def absent(nothing):
            pass
    """)
    binding = binding_of(tool)
    left, absent = groups_of(binding)
    for group, kind in ((left, SkepError), (absent, ProbeNotFound)):
        with pytest.raises(kind) as caught:
            ladder_of(group, binding, TARGET)
        span = caught.value.diagnostic.span
        assert span is not None
        assert span.text == f"def {group.name}(nothing):"


class Picky(Collection):
    """Stands for a kernel that refuses some kinds of attachment."""

    def __init__(self, refused: dict[str, SkepError]) -> None:
        super().__init__()
        self.refused = refused
        self.added: list[CollectionSpec] = []

    def add(
        self, spec: CollectionSpec, verbose: bool = False, attached: bool = True
    ) -> None:
        for program in spec.programs:
            if program.attach.kind in self.refused:
                raise self.refused[program.attach.kind]
        self.added.append(spec)


def test_the_receipt_tells_what_was_tried(make_tool: Make) -> None:
    binding = binding_of(make_tool(CALLS))
    kernel = Picky({"tp_btf": NotPermitted("lockdown")})
    receipt = attach_group(kernel, groups_of(binding)[1], binding, TARGET)
    assert receipt == Receipt(
        "executed",
        "raw_tracepoint:sched_process_exec",
        "slower: helper calls read what the arguments point to",
        [("tp_btf:sched_process_exec", "lockdown")],
    )
    [spec] = kernel.added
    assert [program.name for program in spec.programs] == ["executed"]


def test_both_halves_of_a_pair_fall_back_together(make_tool: Make) -> None:
    binding = binding_of(make_tool(CALLS))
    kernel = Picky(
        {"tp_btf": AttachError("no"), "raw_tracepoint": AttachError("neither")}
    )
    receipt = attach_group(kernel, groups_of(binding)[0], binding, TARGET)
    assert [reason for _, reason in receipt.refused] == ["no", "neither"]
    [spec] = kernel.added
    assert {program.attach.kind for program in spec.programs} == {"tracepoint"}


def test_when_all_fail_the_first_reason_leads(make_tool: Make) -> None:
    binding = binding_of(make_tool(CALLS))
    kernel = Picky({"tp_btf": AttachError("no"), "raw_tracepoint": AttachError("nor")})
    with pytest.raises(AttachError, match="no") as caught:
        attach_group(kernel, groups_of(binding)[1], binding, TARGET)
    assert any("nor" in note for note in caught.value.diagnostic.notes)


def test_mistakes_in_the_code_do_not_fall_back(make_tool: Make) -> None:
    tool = make_tool("""
        counts = Map("u64", "u64")


        @on.raw_tracepoint("sched_process_exec")
        def executed(p):
            counts.update(p.pid, p.no_such_member)
    """)
    binding = binding_of(tool)
    kernel = Picky({})
    with pytest.raises(CompileError, match="no_such_member"):
        attach_group(kernel, groups_of(binding)[0], binding, TARGET)
    assert kernel.added == []


class Resources(Picky):
    """Also notes what is closed; the ring buffer is one of its own."""

    def __init__(self, refused: dict[str, SkepError]) -> None:
        super().__init__(refused)
        self.log: list[str] = []
        self.maps: Any = {"events": self}

    def ring(self, events: object) -> Resources:
        assert events is self
        ring = Resources({})
        ring.log = self.log
        ring.close = lambda: self.log.append("ring")
        return ring

    def close(self) -> None:
        self.log.append("collection")


def session_with(kernel: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skep.toolkit.session.Collection", lambda: kernel)
    monkeypatch.setattr("skep.toolkit.session.RingBuffer", kernel.ring)


def test_a_session_has_a_receipt_for_each_group(
    make_tool: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Resources({"tp_btf": AttachError("no")})
    session_with(kernel, monkeypatch)
    with Session(binding_of(make_tool(CALLS)), TARGET) as session:
        assert [each.program for each in session.receipts] == [
            "opened, others",
            "executed",
        ]
        assert [spec.name for spec in kernel.added[0].maps] == ["events"]
        assert kernel.log == []
    assert kernel.log == ["ring", "collection"]


def test_a_session_that_fails_leaves_nothing(
    make_tool: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Resources({"tp_btf": AttachError("a"), "raw_tracepoint": AttachError("b")})
    session_with(kernel, monkeypatch)
    with pytest.raises(AttachError):
        Session(binding_of(make_tool(CALLS)), TARGET)
    assert kernel.log == ["ring", "collection"]


PLANS = """
    class Seen(Record):
        ret: Ret


    seen = Stream(Seen)

    functions, calls = on.Plan("functions"), on.Plan("calls", note="not all")


    @on.raw_tracepoint("sched_process_exec")
    def executed(p):
        seen.emit(ret=p.pid)


    @functions
    @on.exit("generic_file_open")
    def opened(ret):
        seen.emit(ret=ret)


    @functions
    @on.exit("generic_file_read_iter")
    def read(ret):
        seen.emit(ret=ret)


    @calls
    @on.syscall_exit("openat")
    def opened_call(ret):
        seen.emit(ret=ret)
"""


def test_probes_are_sorted_by_plan(make_tool: Make) -> None:
    always, functions, calls = schemes_of(binding_of(make_tool(PLANS)))
    assert always.plan is None
    names = [[g.name for g in s.groups] for s in (always, functions, calls)]
    assert names == [["executed"], ["opened", "read"], ["opened_call"]]


def test_the_first_plan_that_works_is_taken_as_a_whole(make_tool: Make) -> None:
    binding = binding_of(make_tool(PLANS))
    _, *plans = schemes_of(binding)
    kernel = Picky({})
    receipts = attach_plan(kernel, plans, binding, TARGET)
    assert [each.program for each in receipts] == ["opened", "read"]
    assert [each.refused for each in receipts] == [[], []]


def test_another_plan_says_why_and_what_it_misses(make_tool: Make) -> None:
    binding = binding_of(make_tool(PLANS))
    _, *plans = schemes_of(binding)
    refused = {"fexit": NotPermitted("locked"), "kretprobe": NotSupported("none")}
    receipts = attach_plan(Picky(refused), plans, binding, TARGET)
    assert [each.program for each in receipts] == ["opened_call"]
    assert receipts[0].note == "not all"
    assert receipts[0].refused == [("functions", "locked")]


def test_a_missing_module_is_no_reason_for_another_plan(make_tool: Make) -> None:
    """Even if the plan's other programs are refused before its turn."""
    source = PLANS.replace('("generic_file_read_iter")', '("zpl_open", module="zfs")')
    binding = binding_of(make_tool(source))
    _, *plans = schemes_of(binding)
    refused: dict[str, SkepError] = {"fexit": NotPermitted("locked")}
    kernel = Picky({**refused, "kretprobe": NotSupported("none")})
    with pytest.raises(NotLoaded, match="the kernel module zfs is not loaded"):
        attach_plan(kernel, plans, binding, TARGET)


def test_no_plan_works(make_tool: Make) -> None:
    binding = binding_of(make_tool(PLANS))
    _, *plans = schemes_of(binding)
    kinds = ("fexit", "kretprobe", "tp_btf", "raw_tracepoint", "tracepoint")
    refused: dict[str, SkepError] = {kind: NotPermitted(f"no {kind}") for kind in kinds}
    with pytest.raises(NotPermitted) as caught:
        attach_plan(Picky(refused), plans, binding, TARGET)
    assert str(caught.value).startswith("no fexit\n")
    assert "also tried: no tp_btf" in str(caught.value)
