"""Records, probes, and the surface that tools import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

import skep
from skep import Record, bpf, column, on
from skep.authoring.annotations import own_annotations
from skep.compiler.environment import INLINE_MARK
from skep.errors import InternalError
from skep.fields import Column, Comm, Pid, Text
from skep.probes import intention as probes
from skep.probes.intention import (
    Interval,
    PerfEvent,
    RawTracepoint,
    SyscallEnter,
    SyscallExit,
    Tracepoint,
)

SOURCE = Path(skep.__file__).parents[1]


class Seen(Record):
    pid: Pid
    comm: Comm = column(width=20)
    kinds: ClassVar[int] = 3


class Opened(Seen):
    path: Text = column(size=64)


def test_members_come_from_annotations_those_of_the_base_first() -> None:
    assert [m.name for m in Opened.members] == ["pid", "comm", "path"]
    assert [m.field for m in Opened.members] == [Pid, Comm, Text]
    assert [m.name for m in Seen.members] == ["pid", "comm"]
    assert Opened.members[0].column == Column()
    assert Opened.members[2].column.size == 64


def test_a_member_needs_a_field_type() -> None:
    with pytest.raises(InternalError, match=r"Wrong\.pid has no field type"):

        class Wrong(Record):
            pid: int


def test_instances_hold_values() -> None:
    one = Opened(pid=1, path="/a")
    assert (one.pid, one.path) == (1, "/a")
    assert one == Opened(pid=1, path="/a")
    assert one != Opened(pid=2, path="/a")
    assert one != Seen(pid=1, path="/a")
    assert repr(one) == "Opened(pid=1, path='/a')"


def test_annotations_of_a_base_are_not_those_of_a_class() -> None:
    class Without(Seen):
        pass

    assert dict(own_annotations(Without)) == {}
    assert list(own_annotations(Opened)) == ["path"]


def handler(pid: int) -> None:
    """Never compiled here."""


@pytest.mark.parametrize(
    ("decorate", "intention"),
    [
        (on.syscall_enter("open", "openat"), SyscallEnter(("open", "openat"))),
        (on.syscall_exit("open"), SyscallExit(("open",))),
        (on.syscall_failure("execve"), SyscallExit(("execve",), failed=True)),
        (on.tracepoint("sched:sched_switch"), Tracepoint("sched:sched_switch")),
        (on.raw_tracepoint("sys_enter"), RawTracepoint("sys_enter", "")),
        (on.raw_tracepoint("a", "int b"), RawTracepoint("a", "int b")),
        (on.interval(0.5), Interval(500_000_000)),
        (on.perf_event("cpu-clock", frequency=49), PerfEvent("cpu-clock", 0, 49)),
        (on.perf_event("cycles", 1000), PerfEvent("cycles", 1000, 0)),
        (on.test_run("int a"), probes.TestRun("int a")),
    ],
)
def test_decorators_make_probes(decorate: on.Decorator, intention: object) -> None:
    probe = decorate(handler)
    assert type(probe.intention) is type(intention)
    assert (probe.handler, probe.intention, probe.when) == (handler, intention, None)


def test_inline_functions_stay_functions() -> None:
    def double(n: int) -> int:
        return 2 * n

    marked = bpf.inline(double)
    assert marked is double
    assert marked(4) == 8
    assert hasattr(marked, INLINE_MARK)
    assert {"inline", "ktime_ns", "pid"} <= set(dir(bpf))


def test_all_names_of_the_surface_are_there() -> None:
    for name in skep.__all__:
        assert getattr(skep, name) is not None
    with pytest.raises(AttributeError, match="'skep' has no attribute 'nothing'"):
        skep.nothing  # noqa: B018


def test_a_low_layer_comes_without_the_compiler() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); import skep.btf;"
        "print(sorted(m for m in sys.modules if m.startswith('skep.')))"
    )
    command = [sys.executable, "-IS", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "skep.btf" in done.stdout
    assert "skep.compiler" not in done.stdout
    assert "skep.authoring" not in done.stdout
