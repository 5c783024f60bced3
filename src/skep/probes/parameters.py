"""Parameters in C spelling, and the ones that a handler names but a probe lacks."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.errors import CompileError, UsageError, did_you_mean
from skep.named_tuple import NamedTuple

_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


class Declared(NamedTuple):
    """A parameter of a C prototype.

    `type` is without __user, which `user` stands for.  `registers` is 1, or 2 for a
    64-bit value in a 32-bit ABI.  A name "_" is a register that goes unused.
    """

    name: str
    type: str
    user: bool = False
    registers: int = 1


class Prototype(NamedTuple):
    """The parameters of a function and the type that it returns ("void" for none)."""

    parameters: tuple[Declared, ...]
    returns: str


class NoSuchParameter(CompileError):
    """A handler names a parameter, `name`, that the probe does not have."""

    def __init__(
        self, name: str, probe: str, known: Sequence[str], hint: str = ""
    ) -> None:
        super().__init__(
            f"{probe} has no parameter {name!r}",
            notes=[f"its parameters are {', '.join(known)}"] if known else (),
            hint=hint or did_you_mean(name, known),
        )
        self.name = name


def parse_prototype(text: str) -> tuple[Declared, ...]:
    """The parameters in "struct request *rq, int error"; none in "".

    Raises `UsageError` for text that is no list of types with names.
    """
    return tuple(_parse(part.strip()) for part in text.split(",")) if text else ()


def parse_function(text: str) -> Prototype:
    """The function in "int (struct inode *inode, struct file *file)".

    Without parentheses the text has parameters only, and the function returns a long.
    Raises `UsageError` for text that is no prototype.
    """
    returns, parenthesis, rest = text.partition("(")
    if not parenthesis:
        return Prototype(parse_prototype(text), "long")
    inner = rest.strip()
    if not returns.strip() or not inner.endswith(")"):
        raise UsageError(
            f'"{text}" is no prototype',
            hint='prototypes look like "int (struct inode *inode, struct file *file)"',
        )
    listed = inner[:-1].strip()
    parameters = () if listed == "void" else parse_prototype(listed)
    return Prototype(parameters, " ".join(returns.split()))


def _parse(text: str) -> Declared:
    if text == "_":
        return Declared("_", "")
    # A type, a name, and in skep's own tables the number of registers.
    declaration, _, registers = text.partition(":")
    plain, user = split_user(declaration.rstrip(_WORD))
    name = declaration[len(declaration.rstrip(_WORD)) :]
    if not plain or not name.isidentifier():
        raise UsageError(
            f'"{text}" is not a parameter',
            hint='prototypes look like "struct request *rq, int error"',
        )
    return Declared(name, plain, user, int(registers or 1))


def split_user(text: str) -> tuple[str, bool]:
    """A C type without __user, and whether it had one.

    Pointers to functions, which a program has no use for, become pointers to void.
    """
    if "(" in text:
        return "void *", False
    words = text.split()
    return " ".join(word for word in words if word != "__user"), "__user" in words


def require(
    needs: AbstractSet[str], known: Sequence[str], probe: str, hint: str = ""
) -> None:
    """Raise `NoSuchParameter` unless a probe knows all names."""
    for name in sorted(needs):
        if name not in known:
            raise NoSuchParameter(name, probe, known, hint)
