"""Messages: values of a record in one column, by a format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skep.fields.base import (
    STRING,
    Cell,
    Context,
    Field,
    Key,
    Member,
    Value,
)
from skep.fields.formats import Conversion, Format
from skep.fields.parts import TextPart, number_part, text_part
from skep.fields.stacks import symbol_text
from skep.fields.text import decoded

_Show = Callable[[int, Any], Any]
"""From the process and a raw value to what Python's `%` takes."""


def argument(name: str, conversion: Conversion, text_size: int) -> Member:
    """The member for a value that a conversion shows; `text_size` in bytes."""
    if conversion.ctype == "string":
        return text_part(name, text_size)
    return number_part(name, conversion.ctype)


class Message(Field):
    """Which probe it was, and the message that is made of the values behind it.

    Subclasses are made by `message_members`.  `text_size` is that of `argument`.  Its
    record has a member `pid` besides.
    """

    ctype = "u32"
    function = ""
    format: Format | None = None
    arguments: Sequence[Member] = ()
    text_size = 0
    heading = ""
    meaning = "message of the probe"
    json = STRING

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The function."""
        return (Key("function", STRING, "the function or event"),)

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The columns FUNC and, without a title of its own, the message."""
        function = cls.function
        name = Cell("FUNC", 16, "<", member.raw, lambda raw: function)
        source, text = cls._message(context)
        return (name, Cell(cls.heading, 0, "<", source, text, remember=False))

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The message; JSON adds the function's name."""
        names = {"function": cls.function}
        source, text = cls._message(context)
        return Value("message", source, text, lambda raws: names, remember=False)

    @classmethod
    def _message(cls, context: Context) -> tuple[str, Callable[[Any], str]]:
        """The expression of all raw values, and what makes the text of them."""
        source = f"(raw_pid, {''.join(f'{each.raw}, ' for each in cls.arguments)})"
        if cls.format is None:
            return source, lambda raws: ""
        template = cls.format.template
        pairs = zip(cls.format.conversions, cls.arguments)
        shows = [_shower(conversion, each, context) for conversion, each in pairs]

        def text(raws: Any) -> str:
            pid = raws[0]
            return template % tuple(
                show(pid, raw) for show, raw in zip(shows, raws[1:])
            )

        return source, text


def message_members(
    function: str, format: Format | None, text_size: int, heading: str
) -> list[Member]:
    """The member `probe` that shows a probe's name and its message, and those behind it
    that have the values.

    `heading` is the title of the column with the messages.
    """
    conversions = format.conversions if format else ()
    arguments = [
        argument(f"arg{index}", each, text_size)
        for index, each in enumerate(conversions, 1)
    ]
    names = {
        "function": function,
        "format": format,
        "arguments": arguments,
        "text_size": text_size,
        "heading": heading,
        "names_programs": any(each.kind == "U" for each in conversions),
        "looks_up": any(each.kind in ("K", "U") for each in conversions),
    }
    return [Member("probe", type("Message", (Message,), names)), *arguments]


def _shower(conversion: Conversion, member: Member, context: Context) -> _Show:
    """What makes a raw value fit for its conversion."""
    kind = conversion.kind
    if issubclass(member.field, TextPart):
        show = member.field.show
        return lambda pid, raw: show(raw)
    if kind == "c":
        return lambda pid, raw: decoded(bytes((raw,))) if raw else ""
    if kind == "o" and conversion.python.endswith("s"):
        return lambda pid, raw: f"0{raw:o}"
    if kind == "p":
        return lambda pid, raw: f"0x{raw:x}"
    if kind == "K":
        return lambda pid, raw: symbol_text(raw, 0, context)
    if kind == "U":
        return lambda pid, raw: symbol_text(raw, pid, context)
    return lambda pid, raw: raw
