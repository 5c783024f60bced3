"""Rows for programs: tuples of values, and JSON lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Callable

from skep.fields.base import Context, Member, Value
from skep.fields.text import text_or_none
from skep.fields.times import Time
from skep.output.code import Code, literal
from skep.output.json_lines import head, pairs, quoter
from skep.output.memo import Memo
from skep.output.record_types import RecordType


def raw_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a tuple of all raw values, to be sorted and shown later."""
    return _tuple(member.raw for member in record.members)


def value_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of all values: a tuple, or what the factory makes of it."""
    values = _tuple(value_of(code, member, context) for member in record.members)
    if record.factory is None:
        return values
    return f"{code.bind('factory', record.factory)}({values})"


def value_of(code: Code, member: Member, context: Context) -> str:
    """The expression of a member's value."""
    value = member.field.value(member, context)
    if value.convert is None:
        return value.source
    if value.remember:
        return f"{code.bind('value', Memo(value.convert))}[{value.source}]"
    return f"{code.bind('convert', value.convert)}({value.source})"


def json_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a JSON line (see `skep.output.json_lines`).

    `time_ns` is the record's first `Time`, else the time at which it was read.
    """
    code.names["quote"] = quoter()
    time, others = _split_time(record.shown_members(context))
    if time is None:
        time, _ = _split_time(record.members)
    time_ns = time.field.value(time, context).source if time else "now_ns()"
    fields = [literal("{" + head(record.kind, record.schema)), f"{{{time_ns}}}"]
    for member in others:
        fields += [",", _item(code, member.field.value(member, context))]
    return f"f'{''.join(fields)}{literal('}')}\\n'"


def _tuple(expressions: Iterable[str]) -> str:
    return f"({''.join(f'{expression}, ' for expression in expressions)})"


def _split_time(
    members: Sequence[Member],
) -> tuple[Member | None, Sequence[Member]]:
    """The member that says when the record happened, and the others."""
    for index, member in enumerate(members):
        if issubclass(member.field, Time):
            return member, [*members[:index], *members[index + 1 :]]
    return None, members


def _item(code: Code, value: Value) -> str:
    """The part of an f-string that has the keys and values of one member."""
    if value.convert is None and value.symbols is None:
        return literal(f'"{value.key}":') + f"{{{value.source}}}"
    if value.remember:
        return f"{{{code.bind('item', Memo(_item_text(value)))}[{value.source}]}}"
    item = code.variable("item")
    general = f"{item} = {code.bind('make', _item_text(value))}({value.source})"
    if value.convert is text_or_none:
        _add_text_item(code, item, value, general)
    else:
        code.add(general)
    return f"{{{item}}}"


def _add_text_item(code: Code, item: str, value: Value, general: str) -> None:
    """Statements for text: in line where it is whole and in UTF-8, as nearly always."""
    code.add(
        f"if type({value.source}) is bytes:",
        "    try:",
        f"        {item} = f'\"{value.key}\":{{quote({value.source}.decode())}}'",
        "    except UnicodeDecodeError:",
        f"        {general}",
        "else:",
        f"    {general}",
    )


def _item_text(value: Value) -> Callable[[Any], str]:
    """A function that makes a member's keys and values."""

    def text(source: Any) -> str:
        plain = value.convert(source) if value.convert else source
        symbols = value.symbols(source) if value.symbols else {}
        return pairs({value.key: plain, **symbols})

    return text
