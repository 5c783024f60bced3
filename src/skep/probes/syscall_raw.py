"""System calls by the tracepoints that see every one: sys_enter and sys_exit.

Their context is struct pt_regs, which lasts until the task is back in user space: the
arguments can still be read when the call returns, and nothing needs to be saved at its
start.  Two exceptions: a handler that wants the time in between, and execve, which
replaces the registers when it succeeds (and whose pointers then lead nowhere: a
handler that wants the strings must read them at the start).

x32 calls (x86_64, number + 2**30) match nothing.  A new process returns from the call
that made it (fork, clone), with 0, as its parent does.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.arch import Arch
from skep.probes.candidate import (
    Candidate,
    Clock,
    CtxWord,
    Elapsed,
    Fetch,
    Number,
    Param,
    RegsMember,
    RegsPair,
    Saved,
    Site,
    SyscallCase,
    SyscallMatch,
)
from skep.probes.syscall_table import (
    COMPAT_ABIS,
    SystemCall,
    lookup,
    native_number,
)
from skep.spec import AttachSpec
from skep.target import Target

# The result of a 32-bit call as sys_exit has it: arm64 did not extend its sign before
# 5.14.  x86_64 always did; there, high addresses of mmap stay positive.
_COMPAT_RESULT = {"x86_64": "long", "arm64": "int"}


def at_enter(
    calls: Sequence[SystemCall], needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """Candidates for the start of the calls, all of them in one program."""
    cases = [
        _case(call, [*_arguments(call, needs, target.arch), *call.absent])
        for call in calls
    ]
    return [Candidate((site,), note) for site, note in _enter_sites(cases, target)]


def at_exit(
    calls: Sequence[SystemCall], needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """Candidates for the return of the calls, all of them in one program."""
    number = RegsMember(target.arch.syscall_number, 4)
    match = SyscallMatch(number, tuple(_exit_cases(calls, needs, target.arch)))
    candidates = [
        Candidate((Site(attach, match=match),), note)
        for attach, note in _attachments("sys_exit", target)
    ]
    saved = [
        _case(call, _saved(call, needs, target.arch))
        for call in calls
        if _is_paired(call, needs)
    ]
    if not saved:
        return candidates
    entries = [site for site, _ in _enter_sites(saved, target)]
    return [
        each._replace(sites=(each.sites[0]._replace(entry=entry),))
        for each, entry in zip(candidates, entries)
    ]


def _attachments(event: str, target: Target) -> list[tuple[AttachSpec, str]]:
    """How to attach to a tracepoint of all calls, with the price."""
    trace_id = target.btf_trace_id(event)
    if trace_id is None:
        return []
    return [
        (AttachSpec("tp_btf", event, trace_id), ""),
        (AttachSpec("raw_tracepoint", event), "slower: helper calls read registers"),
    ]


def _enter_sites(
    cases: Sequence[SyscallCase], target: Target
) -> list[tuple[Site, str]]:
    match = SyscallMatch(CtxWord(1), tuple(cases))
    return [
        (Site(attach, match=match), note)
        for attach, note in _attachments("sys_enter", target)
    ]


def _case(call: SystemCall, params: Sequence[Param]) -> SyscallCase:
    return SyscallCase(call.number, call.compat, call.name, tuple(params))


def _exit_cases(
    calls: Sequence[SystemCall], needs: AbstractSet[str], arch: Arch
) -> list[SyscallCase]:
    """The cases of all calls, each number once."""
    cases = [
        _case(call, _results(call, needs, arch))._replace(
            paired=_is_paired(call, needs)
        )
        for call in calls
    ]
    known = {(case.number, case.compat) for case in cases}
    for call, case in zip(calls, list(cases)):
        for number, compat in _success_numbers(call, arch):
            if (number, compat) not in known:
                known.add((number, compat))
                cases.append(case._replace(number=number, compat=compat))
    return cases


def _is_paired(call: SystemCall, needs: AbstractSet[str]) -> bool:
    """Whether what happens at the start must be known at the return."""
    return call.replaces_registers or "elapsed_ns" in needs


def _success_numbers(call: SystemCall, arch: Arch) -> list[tuple[int, bool]]:
    """Numbers and ABIs with which a call returns that executed another program.

    The ABI is that of the new program.  x86_64 pretends that the call was execve in
    that ABI (set_personality_64bit, __set_personality_ia32); arm64 keeps the number
    (start_thread_common), whatever it means in the other ABI.
    """
    if not call.replaces_registers:
        return []
    if arch.name == "arm64":
        return [(call.number, False), (call.number, True)]
    native = lookup(arch.name, "execve")
    compat = lookup(COMPAT_ABIS[arch.name], "execve")
    return [(each.number, each.compat) for each in (native, compat) if each]


def _results(call: SystemCall, needs: AbstractSet[str], arch: Arch) -> list[Param]:
    """What a handler can name at the return of a call."""
    params = _arguments(call, needs, arch)
    if call.replaces_registers:
        params = [each._replace(fetch=Saved(each.name)) for each in params]
    params += call.absent
    if "ret" in needs:
        type_ = _COMPAT_RESULT[arch.name] if call.compat else "long"
        params.append(Param("ret", type_, CtxWord(1)))
    if "elapsed_ns" in needs:
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    if "number" in needs:
        params.append(Param("number", "u32", Number(native_number(call, arch.name))))
    return params


def _saved(call: SystemCall, needs: AbstractSet[str], arch: Arch) -> list[Param]:
    """What must be saved at the start of a call for its return."""
    params = _arguments(call, needs, arch) if call.replaces_registers else []
    if "elapsed_ns" in needs:
        params.append(Param("elapsed_ns", "u64", Clock()))
    return params


def _arguments(call: SystemCall, needs: AbstractSet[str], arch: Arch) -> list[Param]:
    """The needed arguments of a call, from the registers of its ABI."""
    paths = list(arch.compat.syscall_args if call.compat else arch.syscall_args)
    params = []
    for declared in call.parameters:
        path = paths.pop(0)
        fetch: Fetch = RegsMember(path, 4 if call.compat else 8)
        if declared.registers == 2:
            fetch = RegsPair(path, paths.pop(0))
        if declared.name in needs:
            type_ = _compat_type(declared.type) if call.compat else declared.type
            params.append(Param(declared.name, type_, fetch, declared.user))
    return params


def _compat_type(text: str) -> str:
    """The type behind a 32-bit task's pointer.

    Most of those that differ have a compat_sys_ function, which says so; for struct
    iovec there is none since 5.10, the kernel looks at the task instead.
    """
    return text.replace("struct iovec ", "struct compat_iovec ")
