"""Fields of what tools list without tracing anything: their raw values are Python's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.fields.base import STRING, Cell, Context, Field, Member, Value
from skep.named_tuple import NamedTuple


class Word(Field):
    """Text that the tool itself has found; raw values are str."""

    spec = ""
    meaning = "text"
    json = STRING

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """One column; every row has another text."""
        return (cls.cell(member, context)._replace(remember=False),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The text."""
        return Value(member.name, member.raw, str, remember=False)


class Semaphore(Field):
    """Where the counter of those who trace a USDT probe is in its file, or 0."""

    meaning = "offset in the file of the counter of those who trace the probe"

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """As bcc's tool has it."""
        return f"[sema 0x{raw:x}]"


class Detail(NamedTuple):
    """`lines` for people, and the same for programs: `items` is what JSON can have."""

    lines: Sequence[str]
    items: Any


class Details(Field):
    """More about a row: lines below it; raw values are `Detail`."""

    spec = ""
    has_order = False
    meaning = "lists and objects in JSON, lines below the row in text"
    json: Mapping[str, Any] = {"type": ["array", "object", "null"]}

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Lines below the row."""
        return (cls.cell(member, context)._replace(below=True, remember=False),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The lines."""
        return "\n".join(raw.lines)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """What programs get."""
        return Value(member.name, member.raw, lambda raw: raw.items, remember=False)
