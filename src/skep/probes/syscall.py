"""System calls: which are meant, and the ladder of ways to trace them.

The first choice sees every call and compares numbers: it knows all about 32-bit tasks,
need not save arguments at the start of a call, and does without tracefs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from skep.errors import ProbeNotFound, did_you_mean
from skep.probes import syscall_classic, syscall_raw, syscall_table
from skep.probes.candidate import Candidate, Number, Param
from skep.probes.intention import SyscallEnter, SyscallExit
from skep.probes.parameters import require
from skep.probes.syscall_table import NUMBERED, SystemCall
from skep.target import Target

EXIT_NAMES = frozenset(("ret", "elapsed_ns", "number"))
"""What a handler may name at the return of a call, besides the call's parameters.

`number` is that of the call in the native ABI, also for 32-bit tasks.
"""

# They do not return, or return into the code that a signal interrupted: the kernel then
# forgets the number (orig_ax or syscallno becomes -1).
_NO_RETURN = ("exit", "exit_group", "rt_sigreturn", "sigreturn")

# The newest number of 5.10, process_madvise.
_LAST_EVERYWHERE = 440


def resolve(
    intention: SyscallEnter | SyscallExit, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at the start or the return of calls, best first."""
    if isinstance(intention, SyscallEnter):
        return _resolve_enter(intention, needs, target)
    return _resolve_exit(intention, needs, target)


def _resolve_enter(
    intention: SyscallEnter, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    hint = ""
    if not needs.isdisjoint(EXIT_NAMES):
        hint = "elapsed_ns, number and ret are for on.syscall_exit"
    calls, note = _find(intention.names, needs, target, hint)
    raw = syscall_raw.at_enter(calls, needs, target)
    return _ladder(raw, note, syscall_classic.at_enter(calls, needs, target), target)


def _resolve_exit(
    intention: SyscallExit, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    for name in intention.names:
        if name in _NO_RETURN:
            raise ProbeNotFound(
                f"{name} does not return to its caller", hint="use on.syscall_enter"
            )
    absent = {
        name: number for name, number in intention.absent.items() if name in needs
    }
    found = needs - EXIT_NAMES - absent.keys()
    calls, note = _find(intention.names, found, target)
    calls = _with_absent(calls, absent)
    if intention.failed:
        calls = [call._replace(replaces_registers=False) for call in calls]
    raw = syscall_raw.at_exit(calls, needs, target)
    return _ladder(raw, note, syscall_classic.at_exit(calls, needs, target), target)


def _ladder(
    raw: Sequence[Candidate], note: str, classic: Candidate | None, target: Target
) -> list[Candidate]:
    """All candidates; raises if there are none.  `note` concerns the raw ones."""
    ladder = [each._replace(note=_join(note, each.note)) for each in raw]
    if classic:
        ladder.append(classic)
    if not ladder:
        raise target.tracefs_problem or ProbeNotFound(
            "this kernel has no tracepoints for system calls",
            hint="skep needs a kernel built with CONFIG_FTRACE_SYSCALLS=y",
        )
    return ladder


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _find(
    names: Sequence[str], needs: AbstractSet[str], target: Target, hint: str = ""
) -> tuple[list[SystemCall], str]:
    """The calls of both ABIs that have what the handler needs, and who is left out."""
    arch = target.arch.name
    calls, left_out = [], []
    for name in names:
        native = syscall_table.lookup(arch, name)
        compat = syscall_table.lookup(syscall_table.COMPAT_ABIS[arch], name)
        model = native or compat
        if not model:
            raise _unknown(name, arch)
        # Some calls have a parameter of such a name.
        if not (needs - set(model.parameter_names)).isdisjoint(NUMBERED):
            model = model.numbered()
            native, compat = native and native.numbered(), compat and compat.numbered()
        if native and not _is_present(native, target):
            left_out.append(f"this kernel has no {name}")
            continue
        require(needs, model.parameter_names, name, hint)
        if native:
            calls.append(native)
        if compat and needs <= set(compat.parameter_names):
            calls.append(compat)
        elif compat:
            left_out.append(f"{name} of 32-bit tasks has other parameters: not seen")
    if not calls:
        raise ProbeNotFound(_join(*left_out))
    return calls, _join(*left_out)


def _with_absent(
    calls: Sequence[SystemCall], absent: Mapping[str, int]
) -> list[SystemCall]:
    """The calls, each with what stands for the parameters that only others have."""
    declared = [each for call in calls for each in call.parameters]
    types = {each.name: each.type for each in reversed(declared)}
    names = dict.fromkeys(call.name for call in calls)
    require(absent.keys(), sorted(types), " or ".join(names))
    params = [Param(n, types[n], Number(value)) for n, value in absent.items()]
    return [
        call._replace(
            absent=call.absent
            + tuple(p for p in params if p.name not in call.parameter_names)
        )
        for call in calls
    ]


def _is_present(call: SystemCall, target: Target) -> bool:
    """Whether the kernel has a call, as far as its BTF knows such functions at all."""
    if call.number <= _LAST_EVERYWHERE:
        return True
    known = target.btf.find("func", f"{target.arch.syscall_prefix}openat")
    symbol = target.arch.syscall_prefix + call.event
    return known is None or target.btf.find("func", symbol) is not None


def _unknown(name: str, arch: str) -> ProbeNotFound:
    meant = syscall_table.name_of_event(arch, name)
    if meant:
        hint = f"{name} is the kernel's own name of {meant}"
    else:
        known = syscall_table.names(arch, syscall_table.COMPAT_ABIS[arch])
        hint = did_you_mean(name, known)
    return ProbeNotFound(f"{arch} has no system call {name!r}", hint=hint)
