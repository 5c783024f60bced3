"""Functions of user programs and libraries: at their entry and at their return."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from skep.errors import ProbeNotFound, UsageError, did_you_mean
from skep.probes.candidate import Candidate, Clock, Elapsed, Param, Saved, Site
from skep.probes.intention import Uprobe, Uretprobe
from skep.probes.parameters import Declared, parse_prototype, require
from skep.probes.user import Registers, candidates
from skep.spec import AttachSpec, UserPlace
from skep.target import Target
from skep.target.user import UserFile

_UNNAMED = 12
"""Arguments that a handler may call arg1 and so on without a prototype."""

_STALE = "libraries that are first mapped later are not seen, nor static programs"


def resolve(
    intention: Uprobe | Uretprobe, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at functions of a library, best first."""
    found = _find(intention, target)
    name = f"{intention.library}:{','.join(intention.functions)}"
    attach = AttachSpec("uprobe", name, places=found.places, pid=intention.pid or 0)
    registers = Registers(target)
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
    shift = intention.offset if isinstance(intention, Uprobe) else 0
    places: dict[UserPlace, None] = {}
    for file in files:
        for matching in file.functions.values():
            for each in matching:
                if not each.indirect:
                    places[UserPlace(file.path, each.offset + shift)] = None
    _refuse_missing(intention, files, target)
    if not places:
        raise ProbeNotFound(f"no function of {intention.library} can be probed")
    return _Found(tuple(places), _note(files, copies and not pid))


def _refuse_missing(
    intention: Uprobe | Uretprobe, files: Sequence[UserFile], target: Target
) -> None:
    """Each function must be in one of the files at least."""
    for pattern in intention.functions:
        matching = [each for file in files for each in file.functions.get(pattern, ())]
        where = " and ".join(file.shown for file in files if not file.problem)
        if not matching:
            raise ProbeNotFound(
                f"there is no function {pattern} in {where}",
                notes=[file.problem for file in files if file.problem],
                hint=_near(pattern, intention, target),
            )
        if "*" not in pattern and all(each.indirect for each in matching):
            raise ProbeNotFound(
                f"{pattern} in {where} is chosen at run time from several functions"
                " (IFUNC)",
                hint=f"probe those, if they are known: {_variants(pattern)}",
            )


def _variants(name: str) -> str:
    return f"'__{name}_*', '{name}_*'"


def _near(pattern: str, intention: Uprobe | Uretprobe, target: Target) -> str:
    """Functions of the library with a similar name."""
    files = target.user_functions(intention.library, ["*"], intention.pid or 0)
    every = [each.name for file in files for each in file.functions["*"]]
    return did_you_mean(pattern, every)


def _note(files: Sequence[UserFile], copies: bool) -> str:
    """What is not covered."""
    notes = []
    for file in files:
        if file.problem:
            notes.append(f"not {file.shown}: {file.problem}")
        for pattern, matching in file.functions.items():
            if not matching:
                notes.append(f"{file.shown} has no {pattern}")
            for each in matching:
                if each.indirect:
                    notes.append(f"{each.name} in {file.shown} is an IFUNC: left out")
    if copies:
        others = [file.shown for file in files[1:] if not file.problem]
        notes += [f"also {shown}" for shown in others]
        notes.append(_STALE)
    return "; ".join(notes)
