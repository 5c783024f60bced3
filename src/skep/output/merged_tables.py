"""Tables whose rows are put together here from those of several hosts.

A host sends texts for its keys, and its sums as numbers.  Rows whose keys have the same
values are one, whatever numbers stood for them there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from skep.escape import escape
from skep.fields.base import Cell, Context, Member
from skep.named_tuple import NamedTuple
from skep.output.decode import format_function
from skep.output.ranking import plain_key
from skep.output.record_types import RecordType
from skep.output.text_rows import CSV, TABLE, header, text_row


class Order(NamedTuple):
    """Which rows are shown, and in which order.

    Ranked rows are in the order of their first sum, and the last `top` of them are
    taken.  `sort` is the number of the sum that they are then sorted by, NO_SUM for the
    value that a row has for that, None for no sorting; and the first `limit` are shown.
    """

    is_ranked: bool = False
    top: int | None = None
    sort: int | None = None
    is_descending: bool = False
    limit: int | None = None

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """The rows to be shown."""
        found = list(rows)
        if self.is_ranked:
            found.sort(key=lambda row: (row.sums[0], *map(_ordered, row.values)))
            found = found[-self.top :] if self.top else found
        place = self.sort
        if place is not None:
            found.sort(
                key=lambda row: _ordered(row.by if place < 0 else row.sums[place]),
                reverse=self.is_descending,
            )
        return found[: self.limit]


NO_SUM = -1
"""In place of the number of a sum."""


def _ordered(value: Any) -> tuple[str, Any]:
    """Something to sort values of several types by."""
    is_one = isinstance(value, (int, str))
    return type(value).__name__, value if is_one else json.dumps(value)


class Column(NamedTuple):
    """A column, and the number of the sum that it shows, or NO_SUM.

    `spec` is how a sum is formatted.
    """

    title: str
    width: int
    align: str
    spec: str
    sum: int


def _column(cell: Cell, raws: Sequence[str]) -> Column:
    """A column, which is that of a sum if its value is one of these."""
    is_sum = cell.source in raws
    place = raws.index(cell.source) if is_sum else NO_SUM
    spec = cell.spec if is_sum else ""
    return Column(escape(cell.title), cell.width, cell.align, spec, place)


class Row(NamedTuple):
    """A row: `values` are those of its key, as JSON has them; `texts` has a text for
    each column, or a line of JSON alone; `by` is what it may be sorted by."""

    values: Sequence[Any]
    texts: Sequence[str]
    sums: Sequence[int]
    by: Any


class TablePart(NamedTuple):
    """A table of a report: nothing but texts and numbers.

    `sums` are the keys of the sums in JSON.
    """

    form: str
    title: str
    columns: Sequence[Column]
    sums: Sequence[str]
    order: Order
    rows: Sequence[Row]

    def lines(self) -> list[str]:
        """What is written of it."""
        rows = self.order.of(self.rows)
        if self.form == "json":
            return [self._json(row) for row in rows]
        style = CSV if self.form == "csv" else TABLE
        cells = [Cell(c.title, c.width, c.align, "") for c in self.columns]
        lines = [header(cells, style)]
        lines += [text_row(cells, self._texts(row), style) for row in rows]
        if self.title and self.form == "table":
            return [f"{escape(self.title)}\n", *(f"\t{line}" for line in lines)]
        return lines

    def _texts(self, row: Row) -> list[str]:
        return [
            text if column.sum < 0 else format(row.sums[column.sum], column.spec)
            for column, text in zip(self.columns, row.texts)
        ]

    def _json(self, row: Row) -> str:
        found = json.loads(row.texts[0])
        sums = zip(self.sums, row.sums)
        found.update({key: value for key, value in sums if key in found})
        return json.dumps(found, separators=(",", ":")) + "\n"


class TableMaker:
    """Makes parts of raw rows: tuples of the values of `record`'s members, of which the
    last ones, `values`, are sums."""

    def __init__(
        self,
        record: RecordType,
        values: Sequence[Member],
        form: str,
        context: Context,
        sort: str | None = None,
        limit: int | None = None,
        title: str = "",
        is_ranked: bool = False,
        top: int | None = None,
    ) -> None:
        self._number = len(record.members) - len(values)
        keys = record._replace(members=record.members[: self._number], columns=None)
        self._keys = format_function(keys, "values", context)
        text_form = "json" if form == "json" else "texts"
        self._texts = format_function(record, text_form, context)
        columns = [
            _column(cell, [member.raw for member in values])
            for cell in record.cells(context)
        ]
        self._sort: int | None = None
        place = None
        if sort:
            name = record.member(sort.lstrip("-"), context).name
            self._sort = [member.name for member in record.members].index(name)
            place = max(self._sort - self._number, NO_SUM)
        is_descending = (sort or "").startswith("-")
        order = Order(is_ranked, top, place, is_descending, limit)
        sums = [member.field.key(member) for member in values]
        self._empty = TablePart(form, title, columns, sums, order, ())

    def part(self, rows: Sequence[Sequence[Any]]) -> TablePart:
        """The part with these rows."""
        keys = self._keys([row[: self._number] for row in rows])
        made = [
            Row(
                list(key),
                [texts] if isinstance(texts, str) else [t[:-1] for t in texts],
                [int(value) for value in row[self._number :]],
                None if self._sort is None else plain_key(row[self._sort]),
            )
            for key, texts, row in zip(keys, self._texts(rows), rows)
        ]
        return self._empty._replace(rows=made)


def merged_rows(rows: Iterable[Row]) -> list[Row]:
    """One row for each key, with the sums of all."""
    found: dict[str, Row] = {}
    for row in rows:
        key = json.dumps(row.values)
        known = found.get(key)
        if known is not None:
            row = known._replace(sums=[a + b for a, b in zip(known.sums, row.sums)])
        found[key] = row
    return list(found.values())
