"""Parts of reports that come over the connection: checked, made safe, and merged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, TypeVar, Union

from skep.escape import escape
from skep.output.folded import FoldedStack
from skep.output.histograms import HistogramPart, Section
from skep.output.merged_tables import Column, Order, Row, TablePart, merged_rows
from skep.output.stacks import Frames, StacksPart, Task, merged
from skep.remote.wire import NotWire, json_object, number_of, text_of

Part = Union[HistogramPart, TablePart, StacksPart]

_MOST_COUNTERS = 4096
_MOST_WIDTH = 4096
_SPEC = re.compile(r"(\d{0,2}[doxX])?")

Read = Callable[[Any], Any]
_T = TypeVar("_T")


def part_of(content: Any, form: str) -> Part:
    """The part that is meant, in this form of output or one for programs.

    Raises NotWire.
    """
    name, fields = _fields(content, 2)
    read = _PARTS.get(text_of(name))
    if read is None:
        raise NotWire
    part = read(fields)
    if part.form not in (form, _FOR_PROGRAMS.get(name)):
        raise NotWire
    return part


_FOR_PROGRAMS = {HistogramPart.__name__: "dict", StacksPart.__name__: "folded"}
"""What options of some tools make of a table."""


def _histograms(content: Any) -> HistogramPart:
    form, name, columns, unit, linear, probe, when, *rest = _fields(content, 9)
    sections, total = rest
    return HistogramPart(
        text_of(form),
        _safe(name),
        _several(_safe)(columns),
        _safe(unit),
        _flag(linear),
        _safe(probe),
        _safe(when),
        [_section(each, form) for each in _list(sections)],
        _maybe(number_of)(total),
    )


def _section(content: Any, form: str) -> Section:
    title, line, counts = _fields(content, 3)
    if len(_list(counts)) > _MOST_COUNTERS:
        raise NotWire
    if form == "json":
        shown = json.dumps(json_object(line), separators=(",", ":"))
    else:
        shown = _safe(line)
    return Section(_safe(title), shown, _several(number_of)(counts))


def _table(content: Any) -> TablePart:
    form, title, columns, sums, order, rows = _fields(content, 6)
    table = TablePart(
        text_of(form),
        text_of(title),
        [_column(each) for each in _list(columns)],
        _several(text_of)(sums),
        _order(order),
        [_row(each) for each in _list(rows)],
    )
    number = len(table.sums)
    places = [*(column.sum for column in table.columns), table.order.sort or 0]
    if not number or not all(-1 <= place < number for place in places):
        raise NotWire
    texts = 1 if form == "json" else len(table.columns)
    if not all(len(r.texts) == texts and len(r.sums) == number for r in table.rows):
        raise NotWire
    if form == "json":
        for row in table.rows:
            json_object(row.texts[0])
    return table


def _column(content: Any) -> Column:
    title, width, align, spec, place = _fields(content, 5)
    is_one = _SPEC.fullmatch(text_of(spec)) and align in ("<", ">")
    if not is_one or number_of(width) > _MOST_WIDTH or type(place) is not int:
        raise NotWire
    return Column(text_of(title), width, align, spec, place)


def _order(content: Any) -> Order:
    is_ranked, top, sort, is_descending, limit = _fields(content, 5)
    if sort is not None and type(sort) is not int:
        raise NotWire
    number = _maybe(number_of)
    return Order(
        _flag(is_ranked), number(top), sort, _flag(is_descending), number(limit)
    )


def _row(content: Any) -> Row:
    values, texts, sums, by = _fields(content, 4)
    if by is not None and type(by) not in (int, str):
        raise NotWire
    return Row(_list(values), _several(text_of)(texts), _several(number_of)(sums), by)


def _stacks(content: Any) -> StacksPart:
    form, is_delimited, limit, stacks = _fields(content, 4)
    read = _folded if form == "folded" else _frames
    found = [_fields(each, 2) for each in _list(stacks)]
    return StacksPart(
        text_of(form),
        _flag(is_delimited),
        _maybe(number_of)(limit),
        [(read(stack), number_of(number)) for stack, number in found],
    )


def _folded(content: Any) -> FoldedStack:
    comm, user, kernel = _fields(content, 3)
    texts = _several(text_of)
    return FoldedStack(text_of(comm), tuple(texts(user)), tuple(texts(kernel)))


def _frames(content: Any) -> tuple[Task, Frames]:
    task, frames = _fields(content, 2)
    comm, pid = _fields(task, 2)
    texts = [_maybe(_several(text_of))(each) for each in _fields(frames, 2)]
    kernel, user = (None if each is None else tuple(each) for each in texts)
    return Task(_maybe(text_of)(comm), _maybe(number_of)(pid)), Frames(kernel, user)


_PARTS: Mapping[str, Callable[[Any], Part]] = {
    HistogramPart.__name__: _histograms,
    TablePart.__name__: _table,
    StacksPart.__name__: _stacks,
}


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise NotWire
    return content


def _fields(content: Any, number: int) -> list[Any]:
    if len(_list(content)) != number:
        raise NotWire
    return _list(content)


def _several(read: Callable[[Any], _T]) -> Callable[[Any], list[_T]]:
    return lambda content: [read(each) for each in _list(content)]


def _maybe(read: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    return lambda content: None if content is None else read(content)


def _flag(content: Any) -> bool:
    if not isinstance(content, bool):
        raise NotWire
    return content


def _safe(content: Any) -> str:
    return escape(text_of(content))


def merged_parts(parts: Iterable[Part]) -> list[Part]:
    """One part for all that differ in their numbers only, in the order in which they
    came first."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        # What remains without numbers: hosts of other kinds may have other columns.
        groups.setdefault(repr(_emptied(part)), []).append(part)
    return [_merge(group) for group in groups.values()]


def _emptied(part: Part) -> Part:
    if isinstance(part, HistogramPart):
        return part._replace(when="", sections=(), total=None)
    if isinstance(part, TablePart):
        return part._replace(rows=())
    return part._replace(stacks=())


def _merge(parts: Sequence[Part]) -> Part:
    first = parts[0]
    if isinstance(first, HistogramPart):
        found = [part for part in parts if isinstance(part, HistogramPart)]
        totals = [part.total for part in found if part.total is not None]
        sections = [section for part in found for section in part.sections]
        return first._replace(
            sections=_merged_sections(sections, first.form == "json"),
            total=sum(totals) if totals else None,
        )
    if isinstance(first, TablePart):
        rows = [row for p in parts if isinstance(p, TablePart) for row in p.rows]
        return first._replace(rows=merged_rows(rows))
    stacks = [each for p in parts if isinstance(p, StacksPart) for each in p.stacks]
    return first._replace(stacks=merged(stacks))


def _merged_sections(sections: Iterable[Section], is_json: bool) -> list[Section]:
    found: dict[tuple[str, str], Section] = {}
    for section in sections:
        key = section.title, _timeless(section.line) if is_json else section.line
        known = found.get(key)
        if known is not None:
            section = section._replace(counts=_sums(known.counts, section.counts))
        found[key] = section
    return sorted(found.values(), key=lambda section: (section.title, section.line))


def _timeless(line: str) -> str:
    """A line of JSON without the time at which it was made."""
    return json.dumps({**json.loads(line), "time_ns": 0}, sort_keys=True)


def _sums(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The sums of counters, of which one may have fewer."""
    length = max(len(one), len(other))
    return [
        sum(pair)
        for pair in zip(
            *([*each, *[0] * (length - len(each))] for each in (one, other))
        )
    ]
