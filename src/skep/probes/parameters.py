"""Parameters in C spelling, and the ones that a handler names but a probe lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from skep.errors import CompileError, UsageError, near_matches

# A type, a name, and in skep's own tables the number of registers.
_PARAMETER = re.compile(r"(.*[\s*])(\w+)(?::(\d))?")


class Declared(NamedTuple):
    """A parameter of a C prototype.

    `type` is without __user, which `user` stands for.  `registers` is 1, or 2 for a
    64-bit value in a 32-bit ABI.  A name "_" is a register that goes unused.
    """

    name: str
    type: str
    user: bool = False
    registers: int = 1


class NoSuchParameter(CompileError):
    """A handler names a parameter, `name`, that the probe does not have."""

    def __init__(
        self, name: str, probe: str, known: Sequence[str], hint: str = ""
    ) -> None:
        near = near_matches(name, known, limit=1)
        super().__init__(
            f"{probe} has no parameter {name!r}",
            notes=[f"its parameters are {', '.join(known)}"] if known else (),
            hint=hint or (f"did you mean {near[0]!r}?" if near else ""),
        )
        self.name = name


def parse_prototype(text: str) -> tuple[Declared, ...]:
    """The parameters in "struct request *rq, int error"; none in "".

    Raises `UsageError` for text that is no list of types with names.
    """
    return tuple(_parse(part.strip()) for part in text.split(",")) if text else ()


def _parse(text: str) -> Declared:
    if text == "_":
        return Declared("_", "")
    match = _PARAMETER.fullmatch(text)
    if not match:
        raise UsageError(
            f'"{text}" is not a parameter',
            hint='prototypes look like "struct request *rq, int error"',
        )
    plain, user = split_user(match[1])
    return Declared(match[2], plain, user, int(match[3] or 1))


def split_user(text: str) -> tuple[str, bool]:
    """A C type without __user, and whether it had one."""
    words = text.split()
    return " ".join(word for word in words if word != "__user"), "__user" in words


def require(
    needs: AbstractSet[str], known: Sequence[str], probe: str, hint: str = ""
) -> None:
    """Raise `NoSuchParameter` unless a probe knows all names."""
    for name in sorted(needs):
        if name not in known:
            raise NoSuchParameter(name, probe, known, hint)
