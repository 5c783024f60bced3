"""System calls by their own tracepoints, syscalls:sys_enter_NAME and sys_exit_NAME.

The record of an entry has a number and six arguments at most, that of an exit only the
result: what a handler wants to know of the arguments is saved at the entry.

32-bit tasks are not seen: ARCH_TRACE_IGNORE_COMPAT_SYSCALLS, kernel/trace/
trace_syscalls.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.probes.candidate import (
    Candidate,
    Clock,
    CtxField,
    Elapsed,
    Number,
    Param,
    Saved,
    Site,
)
from skep.probes.syscall_table import SystemCall
from skep.spec import AttachSpec
from skep.target import Target

_NOTE = "32-bit tasks are not seen"
_EXEC_NOTE = f"{_NOTE}, nor that a task executes a 32-bit program"
# See syscall_raw: the kernel says that it was execve.
_EXECVEAT_NOTE = f"{_NOTE}, nor execveat that succeeds"

# struct syscall_trace_enter and syscall_trace_exit, kernel/trace/trace.h.
_FIRST = 16
_SIZE = 8


def at_enter(
    calls: Sequence[SystemCall], needs: AbstractSet[str], target: Target
) -> Candidate | None:
    """The candidate for the start of calls, a program each; None without tracefs."""
    sites = []
    for call in calls:
        if not call.compat:
            attach = _attach("enter", call, target)
            if attach is None:
                return None
            sites.append(Site(attach, (*_arguments(call, needs), *call.absent)))
    return Candidate(tuple(sites), _NOTE) if sites else None


def at_exit(
    calls: Sequence[SystemCall], needs: AbstractSet[str], target: Target
) -> Candidate | None:
    """The candidate for the return of calls, a program or two each."""
    sites = []
    for call in calls:
        if not call.compat:
            site = _exit_site(call, needs, target)
            if site is None:
                return None
            sites.append(site)
    return Candidate(tuple(sites), _exit_note(calls)) if sites else None


def _exit_note(calls: Sequence[SystemCall]) -> str:
    names = {call.name for call in calls}
    if "execve" in names:
        return _EXEC_NOTE
    return _EXECVEAT_NOTE if "execveat" in names else _NOTE


def _exit_site(
    call: SystemCall, needs: AbstractSet[str], target: Target
) -> Site | None:
    attach = _attach("exit", call, target)
    if attach is None:
        return None
    saved = _arguments(call, needs)
    if saved or "elapsed_ns" in needs:
        # All calls share a map, whose records are alike.
        saved += call.absent
    params = [each._replace(fetch=Saved(each.name)) for each in saved] or [*call.absent]
    if "ret" in needs:
        params.append(Param("ret", "long", CtxField(_FIRST, _SIZE, True)))
    if "elapsed_ns" in needs:
        saved.append(Param("elapsed_ns", "u64", Clock()))
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    if "number" in needs:
        params.append(Param("number", "u32", Number(call.number)))
    if not saved:
        return Site(attach, tuple(params))
    before = _attach("enter", call, target)
    entry = Site(before, tuple(saved)) if before else None
    return Site(attach, tuple(params), entry=entry) if entry else None


def _attach(side: str, call: SystemCall, target: Target) -> AttachSpec | None:
    event = f"sys_{side}_{call.event}"
    record = target.tracepoint("syscalls", event)
    return AttachSpec("tracepoint", f"syscalls:{event}", record.id) if record else None


def _arguments(call: SystemCall, needs: AbstractSet[str]) -> list[Param]:
    """The needed arguments; they lie in the record in the order of the registers."""
    return [
        Param(
            declared.name,
            declared.type,
            CtxField(_FIRST + _SIZE * index, _SIZE, False),
            declared.user,
        )
        for index, declared in enumerate(call.parameters)
        if declared.name in needs
    ]
