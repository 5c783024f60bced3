"""Where it happened: which of the places that a program runs at."""

from __future__ import annotations

from typing import Any

from skep.fields.base import Context, Field, Member, Value


class PlaceName(Field):
    """One of many places that a program is attached to, shown by name: a function, a
    tracepoint or a USDT probe.  Its value is the parameter `place`."""

    ctype = "u32"
    title = "FUNC"
    width = 36
    spec = ""
    meaning = "function, tracepoint or USDT probe"

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The name."""
        return format(context.places[raw], spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The name as a str."""
        return Value(member.name, member.raw, lambda raw: context.places[raw])
