"""Functions of user programs and libraries: at their entry and at their return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from skep.errors import ProbeNotFound, UsageError, did_you_mean
from skep.probes.candidate import Candidate, Clock, Elapsed, Param, Saved, Site
from skep.probes.intention import Uprobe, Uretprobe
from skep.probes.parameters import Declared, parse_prototype, require
from skep.probes.user import Registers, candidates
from skep.spec import AttachSpec, UserPlace
from skep.symbols.functions import Function
from skep.target import Target
from skep.target.user import UserFile

_UNNAMED = 12
"""Arguments that a handler may call arg1 and so on without a prototype."""

_STALE = "libraries that are first mapped later are not seen, nor static programs"


def resolve(
    intention: Uprobe | Uretprobe, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at functions of a library, best first."""
    registers = Registers(target)
    found = _find(intention, target)
    name = f"{intention.library}:{','.join(intention.functions)}"
    attach = AttachSpec("uprobe", name, places=found.places, pid=intention.pid or 0)
    arguments = _arguments(intention.prototype, registers)
    if isinstance(intention, Uprobe):
        require(needs, [each.name for each in arguments], name)
        site = Site(attach, tuple(each for each in arguments if each.name in needs))
    else:
        known = [each.name for each in arguments]
        require(needs, [*known, "ret", "elapsed_ns"], name)
        wanted = [each for each in arguments if each.name in needs]
        site = _return_site(intention, attach, wanted, needs, registers)
    return candidates([site], found.places, found.note, target)


def _arguments(prototype: str, registers: Registers) -> list[Param]:
    """The parameters of functions by what a prototype says, or by number."""
    declared: Sequence[Declared] = parse_prototype(prototype)
    if not declared:
        numbers = range(1, _UNNAMED + 1)
        declared = [Declared(f"arg{number}", "unsigned long") for number in numbers]
    params = []
    for index, each in enumerate(declared):
        if each.type in ("float", "double", "long double"):
            raise UsageError(
                f"{each.name} is a {each.type}, which BPF programs cannot use",
                hint="floating-point arguments are passed in registers of their own:"
                " leave them out of the prototype",
            )
        params.append(Param(each.name, each.type, registers.argument(index), True))
    return params


def _return_site(
    intention: Uretprobe,
    attach: AttachSpec,
    wanted: Sequence[Param],
    needs: AbstractSet[str],
    registers: Registers,
) -> Site:
    """The site at the return, with the one at the entry that saves what it needs."""
    saved = list(wanted)
    params = [each._replace(fetch=Saved(each.name)) for each in wanted]
    if "ret" in needs:
        params.append(Param("ret", intention.returns, registers.returned, True))
    if "elapsed_ns" in needs:
        saved.append(Param("elapsed_ns", "u64", Clock()))
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    entry = Site(attach, tuple(saved), frame=registers.frame(at_return=False))
    return Site(
        attach._replace(kind="uretprobe"),
        tuple(params),
        entry=entry if saved else None,
        frame=registers.frame(at_return=True),
    )


class _Found(NamedTuple):
    """Where the functions are, and what the receipt has to say about that."""

    places: tuple[UserPlace, ...]
    note: str


def _find(intention: Uprobe | Uretprobe, target: Target) -> _Found:
    patterns = intention.functions
    pid, copies = intention.pid or 0, intention.copies
    files = target.user_functions(intention.library, patterns, pid, copies)
    _refuse_missing(intention, files, target)
    shift = intention.offset if isinstance(intention, Uprobe) else 0
    places: dict[UserPlace, None] = {}
    for file, each in _functions(files):
        # What is said of the first instruction does not hold for others.
        if _why_not(each) is None or (shift and not each.indirect):
            places[UserPlace(file.path, each.offset + shift)] = None
    if not places:
        raise _none_left(files)
    return _Found(tuple(places), _note(files, copies and not pid))


def _functions(files: Sequence[UserFile]) -> Iterator[tuple[UserFile, Function]]:
    for file in files:
        for matching in file.functions.values():
            for each in matching:
                yield file, each


def _why_not(function: Function) -> str | None:
    """Why a function cannot be probed; None if it can."""
    if function.indirect:
        return f"{function.name} is chosen at run time from several functions (IFUNC)"
    if function.refused:
        return f"the kernel takes no probe at the first instruction of {function.name}"
    return None


def _none_left(files: Sequence[UserFile]) -> ProbeNotFound:
    reasons = (_why_not(each) for _, each in _functions(files))
    known = list(dict.fromkeys(reason for reason in reasons if reason))
    message = known[0] if len(known) == 1 else "no function can be probed"
    where = " and ".join(file.shown for file in files)
    return ProbeNotFound(f"{where}: {message}", notes=known[1:4])


def _refuse_missing(
    intention: Uprobe | Uretprobe, files: Sequence[UserFile], target: Target
) -> None:
    """Each function must be in one of the files at least."""
    for pattern in intention.functions:
        if not any(file.functions.get(pattern) for file in files):
            where = " and ".join(file.shown for file in files if not file.problem)
            raise ProbeNotFound(
                f"there is no function {pattern} in {where}",
                notes=[file.problem for file in files if file.problem],
                hint=_near(pattern, intention, target),
            )


def _near(pattern: str, intention: Uprobe | Uretprobe, target: Target) -> str:
    """Functions of the library with a similar name."""
    files = target.user_functions(intention.library, ["*"], intention.pid or 0)
    every = {each.name for _, each in _functions(files)}
    return did_you_mean(pattern, sorted(every))


def _note(files: Sequence[UserFile], copies: bool) -> str:
    """What is covered besides, and what is not."""
    notes = [f"not {file.shown}: {file.problem}" for file in files if file.problem]
    for file in files:
        missing = [name for name, found in file.functions.items() if not found]
        notes += [f"{file.shown} has no {name}" for name in missing]
    reasons = (_why_not(each) for _, each in _functions(files))
    notes += dict.fromkeys(reason for reason in reasons if reason)
    if copies:
        others = [file.shown for file in files[1:] if not file.problem]
        notes += [f"also {shown}" for shown in others]
        notes.append(_STALE)
    return "; ".join(notes)
