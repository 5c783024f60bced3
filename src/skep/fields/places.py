"""Where it happened: which of the places that a program runs at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skep.fields.base import STRING, Context, Field, Key, Member, Value


class PlaceName(Field):
    """One of many places that a program is attached to, shown by name: a function, a
    tracepoint or a USDT probe.  Its value is the parameter `place`."""

    ctype = "u32"
    title = "FUNC"
    width = 36
    spec = ""
    meaning = "function, tracepoint or USDT probe"
    json = STRING

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The name."""
        return format(context.places[raw], spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The name as a str."""
        return Value(member.name, member.raw, lambda raw: context.places[raw])


class PlaceInProcess(Field):
    """A place in a process: the process id above 32 bits of the place's number.

    Shown as "NAME [PID]"; JSON has the pid by itself."""

    ctype = "u64"
    title = "FUNC"
    spec = ""
    meaning = "function, and the process that called it"
    json = STRING

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The process."""
        return (Key("pid", Field.json, "process id"),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The name and the process id."""
        return format(f"{context.places[raw & _PLACE]} [{raw >> 32}]", spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The name as a str; JSON adds the process id."""
        return Value(
            member.name,
            member.raw,
            lambda raw: context.places[raw & _PLACE],
            lambda raw: {"pid": raw >> 32},
        )


_PLACE = (1 << 32) - 1
