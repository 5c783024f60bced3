"""How often values came: the number, with what the values are."""

from __future__ import annotations

from collections.abc import Sequence
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


class Number(Field):
    """How often the values of the key came, and in words what they are.

    Subclasses are made by `number_of`.
    """

    ctype = "u64"
    probe = ""
    titles: Sequence[str] = ()
    counted: Sequence[Member] = ()

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The values in words, and where they were counted."""
        return (
            Key("event", STRING, "the values in words"),
            Key("probe", STRING, "label or text of the specifier"),
        )

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The columns COUNT and EVENT."""
        number = Cell("COUNT", 10, "<", member.raw)
        source = cls._source(member)
        return number, Cell("EVENT", 0, "<", source, cls.event, remember=False)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The number; JSON adds `event`, and `probe`, its label or specifier."""
        source = cls._source(member)

        def names(raws: Any) -> dict[str, str]:
            return {"event": cls.event(raws), "probe": cls.probe}

        return Value(member.name, source, lambda raws: raws[-1], names, remember=False)

    @classmethod
    def _source(cls, member: Member) -> str:
        """The expression of the raw values, the number last."""
        raws = [each.raw for each in cls.counted]
        return f"({''.join(f'{raw}, ' for raw in (*raws, member.raw))})"

    @classmethod
    def event(cls, raws: Any) -> str:
        """`fd = 3, count = 512`, or for no values `total calls`."""
        if not cls.titles:
            return "total calls"
        fields: list[Any] = [member.field for member in cls.counted]
        triples = zip(cls.titles, fields, raws)
        return ", ".join(f"{title} = {each.show(raw)}" for title, each, raw in triples)


def number_of(
    probe: str, titles: Sequence[str], counted: Sequence[Member]
) -> type[Number]:
    """The type of the member with the number.

    `titles` are what the user calls the `counted` members; none if only calls are
    counted, under a key that does not change.
    """
    names = {"probe": probe, "titles": titles, "counted": counted}
    return type("Number", (Number,), names)
