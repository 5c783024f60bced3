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
from skep.fields.stacks import symbol_text
from skep.fields.text import Text, decoded

_Show = Callable[[int, Any], Any]
"""From the process and a raw value to what Python's `%` takes."""


class _Number(Field):
    """A value for a message: without a column of its own."""

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """None: the message shows it."""
        return ()


class _Characters(Text):
    """Text for a message, in the fixed part of the record.

    Its type has two bytes more than the `size` that is shown: for the NUL, and to tell
    longer text.
    """

    size = 0
    json = STRING

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """None: the message shows it."""
        return ()

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The text as a str; JSON adds NAME_truncated where it was longer."""
        size, truncated = cls.size, {f"{member.name}_truncated": True}
        return Value(
            member.name,
            member.raw,
            convert=lambda raw: decoded(raw[:size]),
            symbols=lambda raw: truncated if len(raw) > size else {},
            remember=False,
        )


def argument(name: str, conversion: Conversion, text_size: int) -> Member:
    """The member for a value that a conversion shows; `text_size` in bytes."""
    if conversion.ctype == "string":
        ctype = f"char[{text_size + 2}]"
        names: dict[str, Any] = {"ctype": ctype, "size": text_size}
        return Member(name, type("Characters", (_Characters,), names))
    return Member(name, type("Number", (_Number,), {"ctype": conversion.ctype}))


class Message(Field):
    """Which probe it was, and the message that is made of the values behind it.

    Subclasses are made by `message`.  Its record has a member `pid` besides.
    """

    ctype = "u32"
    function = ""
    format: Format | None = None
    arguments: Sequence[Member] = ()
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


def message(
    function: str, format: Format | None, arguments: Sequence[Member], heading: str
) -> type[Message]:
    """The type of a member that shows a probe's name and its message.

    `heading` is the title of the column with the messages.
    """
    conversions = format.conversions if format else ()
    names = {
        "function": function,
        "format": format,
        "arguments": arguments,
        "heading": heading,
        "names_programs": any(each.kind == "U" for each in conversions),
    }
    return type("Message", (Message,), names)


def _shower(conversion: Conversion, member: Member, context: Context) -> _Show:
    """What makes a raw value fit for its conversion."""
    kind = conversion.kind
    if issubclass(member.field, _Characters):
        size = member.field.size
        return lambda pid, raw: decoded(raw[:size])
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
