"""Text from the traced system, which may be any bytes."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import Any

from skep.fields.base import (
    MAYBE_STRING,
    STRINGS,
    Cell,
    Context,
    Field,
    Key,
    Member,
    Value,
    truncated_key,
)


class Unreadable(bytes):
    """The raw value of text whose memory could not be read: no bytes at all."""


class Cut(bytes):
    """The raw value of text of which only the beginning was copied."""


def decoded(raw: bytes) -> str:
    """The text; bytes that are not UTF-8 become lone surrogates (PEP 383).

    `skep.output` replaces this function by the same code in line.
    """
    return raw.decode("utf-8", "surrogateescape")


def text_or_none(raw: bytes) -> str | None:
    """`decoded`, and None for text that could not be read."""
    return None if type(raw) is Unreadable else decoded(raw)


def c_string(raw: bytes) -> bytes:
    """The bytes before the first NUL, or all of them if there is none."""
    return raw.split(b"\0", 1)[0]


def cut(raw: bytes, limit: int) -> Cut:
    """The first `limit` bytes, less a UTF-8 sequence that the limit splits."""
    head = raw[:limit]
    # Not final: a sequence that could go on is left over instead of an error.
    _, whole = codecs.utf_8_decode(head, "surrogateescape", False)
    return Cut(head[:whole])


class Text(Field):
    """A C string of up to `column(size=...)` bytes, such as a path.

    A string that could not be read is shown as nothing and is None to programs.  JSON
    adds NAME_truncated where the string was longer than `size`.
    """

    ctype = "string"
    spec = ""
    meaning = "text"
    json = MAYBE_STRING

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """Whether it was cut."""
        return (truncated_key(member.name),)

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The text itself; a format such as ".14" cuts it."""
        cell = cls.cell(member, context)._replace(remember=False)
        return (cell if cell.spec else cell._replace(text=decoded),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The decoded text."""
        return format(decoded(raw), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The text as a str, or None if it could not be read."""
        truncated = {f"{member.name}_truncated": True}
        return Value(
            member.name,
            member.raw,
            convert=text_or_none,
            symbols=lambda raw: truncated if type(raw) is Cut else {},
            remember=False,
        )


class Args(Field):
    """A list of strings, such as the arguments of a program.

    The record carries them one after the other, each with its NUL.  A list that does
    not end in a NUL was cut: the rest of its last string is shown as far as it goes and
    `...` follows; JSON says NAME_truncated.

    The column format "quoted" wraps each string in double quotes with `\\"` inside.
    """

    ctype = "strings"
    title = "ARGS"
    spec = ""
    meaning = "arguments"
    json: Mapping[str, Any] = STRINGS

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """Whether it was cut."""
        return (truncated_key(member.name),)

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """All strings in one column, with spaces between."""
        return (cls.cell(member, context)._replace(remember=False),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The strings joined by spaces; spec is "" or "quoted"."""
        strings = split_strings(raw)
        if spec == "quoted":
            strings = ['"' + string.replace('"', '\\"') + '"' for string in strings]
        if is_cut(raw):
            strings.append("...")
        return " ".join(strings)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The strings as a list of str."""
        truncated = {f"{member.name}_truncated": True}
        return Value(
            member.name,
            member.raw,
            convert=split_strings,
            symbols=lambda raw: truncated if is_cut(raw) else {},
            remember=False,
        )


def split_strings(raw: bytes) -> list[str]:
    """The strings of an `Args` tail; an unfinished last one is included."""
    strings = decoded(raw).split("\0")
    return strings if strings[-1] else strings[:-1]


def is_cut(raw: bytes) -> bool:
    """True if an `Args` tail is not the whole list."""
    return raw[-1:] not in (b"", b"\0")


class Bytes(Field):
    """Raw bytes, shown in hexadecimal; JSON has them as base64 (NAME_base64)."""

    ctype: str = "u8[16]"
    spec = ""
    varied: bool = False
    fill: str | None = None
    meaning = "raw bytes"
    json: Mapping[str, Any] = {"type": "string", "contentEncoding": "base64"}

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Two hexadecimal digits for each byte."""
        return (cls.cell(member, context)._replace(remember=False),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """Hexadecimal digits in lower case."""
        return format(bytes(raw).hex(), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The bytes themselves."""
        return Value(member.name, member.raw, convert=bytes, remember=False)
