"""Where functions of user programs and libraries are, and what is not covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from skep.errors import NotSupported, ProbeNotFound, did_you_mean
from skep.named_tuple import NamedTuple
from skep.probes.intention import Uprobe, Uretprobe
from skep.spec import UserPlace
from skep.symbols import returns
from skep.symbols.functions import Function
from skep.target import Target
from skep.target.user import UserFile

_MOST_NAMED = 3
"""Functions that a note names; of more it says how many."""

_STALE = "libraries that are first mapped later are not seen, nor static programs"


class Found(NamedTuple):
    """Where the functions are, by name, and what the receipt has to say about that."""

    by_function: Mapping[str, tuple[UserPlace, ...]]
    note: str

    @property
    def places(self) -> tuple[UserPlace, ...]:
        """All places."""
        return tuple(place for places in self.by_function.values() for place in places)

    @property
    def names(self) -> tuple[str, ...]:
        """The function of each place."""
        return tuple(name for name, each in self.by_function.items() for _ in each)


def find_places(intention: Uprobe | Uretprobe, target: Target) -> Found:
    """The places of the functions.  Raises `ProbeNotFound` if there are none."""
    patterns = intention.functions
    pid, copies = intention.pid or 0, intention.copies
    files = target.user_functions(intention.library, patterns, pid, copies)
    if not intention.optional:
        _refuse_missing(intention, files, target)
    at_return = isinstance(intention, Uretprobe)
    if at_return:
        _refuse_go(files)
    shift = intention.offset if isinstance(intention, Uprobe) else 0
    if shift:
        _refuse_behind_the_end(files, shift)
    # A place has one function, whichever of the names of it comes first.
    names: dict[UserPlace, str] = {}
    for file, each in _functions(files):
        # What is said of the first instruction does not hold for others.
        if _why_not(each, at_return) is None or (shift and not each.indirect):
            names.setdefault(UserPlace(file.path, each.offset + shift), each.name)
    if not names:
        raise _none_left(files, at_return)
    grouped: dict[str, list[UserPlace]] = {}
    for place, name in names.items():
        grouped.setdefault(name, []).append(place)
    by_function = {name: tuple(places) for name, places in grouped.items()}
    return Found(by_function, _note(files, copies and not pid, at_return))


def _refuse_behind_the_end(files: Sequence[UserFile], shift: int) -> None:
    """Each place must be in its function, as far as the file tells its size."""
    for file, each in _functions(files):
        if 0 < each.size <= shift:
            raise ProbeNotFound(
                f"{each.name} of {file.shown} ends before +{shift}: it has {each.size}"
                " bytes"
            )


def _refuse_go(files: Sequence[UserFile]) -> None:
    """Refuse what would kill the program.

    Its functions have a package before a dot in their names; those in C, which run on
    stacks that stay where they are, mostly have no dot.
    """
    for file, each in _functions(files):
        if file.is_go and "." in each.name:
            raise NotSupported(
                f"{each.name} of {file.shown} is a function in Go, whose return cannot"
                " be traced",
                notes=[
                    "the kernel would put an address of its own on the stack, and when"
                    " Go finds it there, as it moves the stack, it ends the program"
                ],
                hint="its entry can be traced, and places in it: FUNCTION+OFFSET",
            )


def _functions(files: Sequence[UserFile]) -> Iterator[tuple[UserFile, Function]]:
    for file in files:
        for matching in file.functions.values():
            for each in matching:
                yield file, each


def _why_not(function: Function, at_return: bool) -> str | None:
    """Why a function cannot be probed; None if it can."""
    if function.indirect:
        return "chosen at run time from several functions (IFUNC)"
    if function.refused:
        return "no probe can be on the first instruction"
    return returns.why_not(function.name) if at_return else None


def _left_out(files: Sequence[UserFile], at_return: bool) -> list[str]:
    """Functions that cannot be probed, with the reason: by name, or how many."""
    names: dict[str, dict[str, None]] = {}
    for _, each in _functions(files):
        reason = _why_not(each, at_return)
        if reason is not None:
            names.setdefault(reason, {})[each.name] = None
    notes = []
    for reason, group in names.items():
        few = len(group) <= _MOST_NAMED
        who = ", ".join(group) if few else f"{len(group)} functions"
        notes.append(f"{who} cannot be probed: {reason}")
    return notes


def _none_left(files: Sequence[UserFile], at_return: bool) -> ProbeNotFound:
    known = _left_out(files, at_return)
    message = known[0] if len(known) == 1 else "none of the functions is there"
    where = " and ".join(file.shown for file in files)
    return ProbeNotFound(f"{where}: {message}", notes=known[1:])


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


def _note(files: Sequence[UserFile], copies: bool, at_return: bool) -> str:
    """What is covered besides, and what is not."""
    notes = [f"not {file.shown}: {file.problem}" for file in files if file.problem]
    for file in files:
        missing = [name for name, found in file.functions.items() if not found]
        notes += [f"{file.shown} has no {name}" for name in missing]
    notes += _left_out(files, at_return)
    if copies:
        others = [file.shown for file in files[1:] if not file.problem]
        notes += [f"also {shown}" for shown in others]
        notes.append(_STALE)
    return "; ".join(notes)
