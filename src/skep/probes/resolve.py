"""From an intention to its candidates, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Callable

from skep.probes.candidate import Candidate
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    Intention,
    Interval,
    PerfEvent,
    RawTracepoint,
    SyscallEnter,
    SyscallExit,
    TestRun,
    Tracepoint,
    Uprobe,
    Uretprobe,
    Usdt,
)
from skep.target import Target

_Resolver = Callable[[Any, AbstractSet[str], Target], Iterable[Candidate]]


def resolve(
    intention: Intention, needs: AbstractSet[str], target: Target
) -> Iterable[Candidate]:
    """The ways to run a handler where the intention says, best first, at least one.

    What is costly to find out for the later ones is found out when they are asked for.

    `needs` are the parameters that the handler uses, `ret` and `elapsed_ns` included;
    the candidates provide just those.

    Raises `ProbeNotFound` if the kernel has no such probe, `NoSuchParameter` if the
    probe has no such parameter, and what the target raises for lack of facts.
    """
    return _resolver(intention)(intention, needs, target)


def _resolver(intention: Intention) -> _Resolver:
    """What resolves a kind of intention, imported only if it occurs in the tool."""
    if isinstance(intention, (SyscallEnter, SyscallExit)):
        from skep.probes import syscall

        return syscall.resolve
    if isinstance(intention, Tracepoint):
        from skep.probes import tracepoint

        return tracepoint.resolve
    if isinstance(intention, RawTracepoint):
        from skep.probes import raw_tracepoint

        return raw_tracepoint.resolve
    if isinstance(intention, (FunctionEntry, FunctionExit)):
        from skep.probes import function

        return function.resolve
    if isinstance(intention, Interval):
        from skep.probes import interval

        return interval.resolve
    if isinstance(intention, PerfEvent):
        from skep.probes import perf_event

        return perf_event.resolve
    if isinstance(intention, (Uprobe, Uretprobe)):
        from skep.probes import uprobe

        return uprobe.resolve
    if isinstance(intention, Usdt):
        from skep.probes import usdt

        return usdt.resolve
    assert isinstance(intention, TestRun)
    from skep.probes import test_run

    return test_run.resolve
