"""From an intention to its candidates, whatever its kind."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Callable

from skep.probes import perf_event, raw_tracepoint, syscall, test_run, tracepoint
from skep.probes.candidate import Candidate
from skep.probes.intention import (
    Intention,
    Interval,
    PerfEvent,
    RawTracepoint,
    SyscallEnter,
    SyscallExit,
    TestRun,
    Tracepoint,
)
from skep.target import Target

_Resolver = Callable[[Any, AbstractSet[str], Target], list[Candidate]]

_RESOLVERS: dict[type, _Resolver] = {
    SyscallEnter: syscall.resolve_enter,
    SyscallExit: syscall.resolve_exit,
    Tracepoint: tracepoint.resolve,
    RawTracepoint: raw_tracepoint.resolve,
    Interval: perf_event.resolve_interval,
    PerfEvent: perf_event.resolve_event,
    TestRun: test_run.resolve,
}


def resolve(
    intention: Intention, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a handler where the intention says, best first, at least one.

    `needs` are the parameters that the handler uses, `ret` and `elapsed_ns` included;
    the candidates provide just those.

    Raises `ProbeNotFound` if the kernel has no such probe, `NoSuchParameter` if the
    probe has no such parameter, and what the target raises for lack of facts.
    """
    return _RESOLVERS[type(intention)](intention, needs, target)
