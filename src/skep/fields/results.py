"""What calls return: results, errors, descriptors."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence

from skep.fields.base import STRING, Cell, Context, Field, Key, Member, Value

RESTARTS = {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    515: "ENOIOCTLCMD",
    516: "ERESTART_RESTARTBLOCK",
}
"""Results that probes see and programs never do (include/linux/errno.h)."""


def errno_name(number: int) -> str | None:
    """The name of a positive error number ("ENOENT"), or None."""
    return errno.errorcode.get(number) or RESTARTS.get(number)


def error_key(member: Member) -> str:
    """What JSON calls the name of the error that a result stands for."""
    return "error" if member.name == "ret" else f"{member.name}_error"


def error_symbols(key: str, sign: int) -> Callable[[int], Mapping[str, str]]:
    """A function from error numbers of this sign to their names, under `key`."""

    def symbols(raw: int) -> Mapping[str, str]:
        name = errno_name(sign * raw)
        return {key: name} if name else {}

    return symbols


class Ret(Field):
    """The result of a call: negative error number on failure.

    JSON adds the name of the error: `error` for a member called ret, else NAME_error.
    """

    ctype = "s64"
    title = "RET"
    width = 3
    align = ">"
    meaning = "result, or negative error number"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The name of the error."""
        return (Key(error_key(member), STRING, "name of the error", True),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The result as returned."""
        symbols = error_symbols(error_key(member), -1)
        return Value(member.name, member.raw, symbols=symbols)


class Errno(Field):
    """A positive error number, 0 for success, shown as a number.

    JSON adds NAME_name.
    """

    ctype = "s32"
    title = "ERR"
    width = 3
    align = ">"
    meaning = "error number, or 0"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The name of the error."""
        return (Key(f"{member.name}_name", STRING, "name of the error", True),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The error number."""
        symbols = error_symbols(f"{member.name}_name", 1)
        return Value(member.name, member.raw, symbols=symbols)


class FdOrErrno(Ret):
    """The result of a call that opens something, shown as two columns, FD and ERR.

    On failure FD is -1 and ERR the error number; else ERR is 0.
    """

    meaning = "file descriptor, or negative error number"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """FD (4 wide) and ERR (3 wide)."""
        return (
            Cell("FD", 4, ">", member.raw, lambda ret: str(max(ret, -1))),
            Cell("ERR", 3, ">", member.raw, lambda ret: str(max(-ret, 0))),
        )
