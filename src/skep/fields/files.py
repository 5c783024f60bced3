"""Arguments of open(2): flags and modes."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from skep.errors import UsageError, did_you_mean
from skep.fields.base import (
    MAYBE_STRING,
    STRINGS,
    Cell,
    Context,
    Field,
    Key,
    Member,
    Value,
)

ALIASES = ("O_ACCMODE", "O_FSYNC", "O_NDELAY", "O_RSYNC")
"""Not flags of their own: a mask, and older names of O_SYNC and O_NONBLOCK."""


READ_ONLY = 1 << 31
"""What `OpenFlags.parse` makes of O_RDONLY; no flag has this bit.

In flags it has none of its own: it is the absence of O_WRONLY and O_RDWR.
"""


@functools.cache
def open_flags() -> Mapping[str, int]:
    """The flags of open(2) on this architecture by name, combined ones first.

    Python's `os` has them from the C library's headers, O_LARGEFILE as 0 on 64-bit
    machines, where programs need not give it; the value is that of the kernel's
    asm/fcntl.h.
    """
    names = (name for name in dir(os) if name.startswith("O_"))
    flags = {name: int(getattr(os, name)) for name in names if name not in ALIASES}
    is_arm = os.uname().machine == "aarch64"
    flags["O_LARGEFILE"] = 0o400000 if is_arm else 0o100000
    by_bits = sorted(flags.items(), key=lambda flag: (-_bits(flag[1]), flag[1]))
    return dict(by_bits)


def _bits(number: int) -> int:
    return bin(number).count("1")


class OpenFlags(Field):
    """Flags of open(2), shown in octal; JSON adds NAME_names, a list."""

    ctype = "u32"
    title = "FLAGS"
    width = 8
    spec = "08o"
    meaning = "flags of open(2)"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The names of the flags."""
        return (Key(f"{member.name}_names", STRINGS, "the flags by name"),)

    @classmethod
    def choices(cls) -> Sequence[str]:
        """The names of all flags."""
        return sorted(open_flags())

    @classmethod
    def names(cls, flags: int) -> list[str]:
        """The names of the flags, the access mode first, unknown bits last in hex."""
        access = ("O_RDONLY", "O_WRONLY", "O_RDWR")
        mode = flags & os.O_ACCMODE
        names = [access[mode]] if mode < len(access) else [hex(mode)]
        rest = flags & ~os.O_ACCMODE
        for name, bits in open_flags().items():
            if name not in access and rest & bits == bits:
                names.append(name)
                rest &= ~bits
        return [*names, hex(rest)] if rest else names

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The flags as a number."""
        key = f"{member.name}_names"
        return Value(
            member.name,
            member.raw,
            symbols=lambda raw: {key: cls.names(raw)},
        )

    @classmethod
    def parse(cls, text: str) -> int:
        """The bits of one flag given by name ("O_WRONLY"); `READ_ONLY` for O_RDONLY."""
        flags = open_flags()
        if text == "O_RDONLY":
            return READ_ONLY
        if text in ALIASES and hasattr(os, text):
            return int(getattr(os, text))
        if text not in flags:
            hint = did_you_mean(text.upper(), sorted(flags))
            raise UsageError(f"Bad flag: {text}", hint=hint)
        return flags[text]

    @classmethod
    def typed(cls, raw: int) -> Sequence[str]:
        """Each flag by name."""
        flags = open_flags()
        read = ["O_RDONLY"] if raw & READ_ONLY else []
        write = [name for name in ("O_WRONLY", "O_RDWR") if raw & flags[name]]
        return read + write + cls.names(raw & ~(READ_ONLY | os.O_ACCMODE))[1:]


class FileMode(Field):
    """Permissions given to open(2), in octal; "n/a" where the call creates nothing.

    Whether it does shows in the record's `OpenFlags`; without such a member a mode of 0
    counts as none.
    """

    ctype = "u32"
    title = "MODE"
    width = 4
    spec = "04o"
    meaning = "mode of the created file"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The mode, from its own value and the flags."""
        cell = cls.cell(member, context)
        flags = [other.raw for other in members if issubclass(other.field, OpenFlags)]
        source = f"({member.raw}, {flags[0] if flags else 0})"
        return (cell._replace(source=source),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The text of a pair (mode, flags)."""
        mode, flags = raw
        return format(mode, spec) if mode or creates(flags) else "n/a"


def creates(flags: int) -> bool:
    """True if open(2) with these flags may create a file and so has a mode.

    O_TMPFILE contains O_DIRECTORY, so all of its bits must be set.
    """
    return bool(flags & os.O_CREAT) or flags & os.O_TMPFILE == os.O_TMPFILE


COMMITTED, GETATTR, OPENED, READ, SYNCED, WRITTEN = b"CGORSW"
"""Values of a `FileOperation`."""


class FileOperation(Field):
    """What is done with a file, shown as a letter; JSON has it in words."""

    ctype = "u8"
    title = "T"
    width = 1
    spec = ""
    meaning = "kind of operation"
    json = MAYBE_STRING

    WORDS: ClassVar[Mapping[str, str]] = {
        "C": "commit",
        "G": "getattr",
        "O": "open",
        "R": "read",
        "S": "sync",
        "W": "write",
    }

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The letter."""
        return chr(raw)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The word."""
        return Value(
            member.name, member.raw, convert=lambda raw: cls.WORDS.get(chr(raw))
        )
