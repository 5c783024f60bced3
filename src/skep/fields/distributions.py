"""How often values came: the values of a key, and the number with what they are."""

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
    truncated_key,
)
from skep.fields.text import c_string, decoded

_Show = Callable[[Any], str]


class _Counted(Field):
    """A value of a key, shown beside the number and not in a column of its own.

    Text has two bytes more than the `size` that is shown: for the NUL, and to tell that
    it was longer.  `form` is "d", "x" (addresses) or "s" (text).
    """

    size = 0
    form = "d"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """None: `Number` shows it."""
        return ()

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """Whether text was cut."""
        return (truncated_key(member.name),) if cls.form == "s" else ()

    @classmethod
    def show(cls, raw: Any) -> str:
        """The text of a raw value."""
        if cls.form == "s":
            return decoded(c_string(raw)[: cls.size])
        return f"{raw:#x}" if cls.form == "x" else str(raw)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """A number or a str; JSON adds NAME_truncated where text was longer."""
        if cls.form != "s":
            return Value(member.name, member.raw)
        size, truncated = cls.size, {f"{member.name}_truncated": True}
        return Value(
            member.name,
            member.raw,
            convert=lambda raw: decoded(c_string(raw)[:size]),
            symbols=lambda raw: truncated if len(c_string(raw)) > size else {},
            remember=False,
        )


def counted_number(name: str, ctype: str, is_address: bool) -> Member:
    """A member of a key that is a number of a C type that needs no BTF."""
    names = {"ctype": ctype, "form": "x" if is_address else "d"}
    return Member(name, type("Counted", (_Counted,), names))


def counted_text(name: str, size: int) -> Member:
    """A member of a key that is text of at most `size` bytes."""
    names = {"ctype": f"char[{size + 2}]", "form": "s", "size": size}
    return Member(name, type("Counted", (_Counted,), {**names, "json": STRING}))


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
        shows: list[_Show] = [getattr(each.field, "show", str) for each in cls.counted]
        triples = zip(cls.titles, shows, raws)
        return ", ".join(f"{title} = {show(raw)}" for title, show, raw in triples)


def number_of(
    probe: str, titles: Sequence[str], counted: Sequence[Member]
) -> type[Number]:
    """The type of the member with the number.

    `titles` are what the user calls the `counted` members; none if only calls are
    counted, under a key that does not change.
    """
    names = {"probe": probe, "titles": titles, "counted": counted}
    return type("Number", (Number,), names)
