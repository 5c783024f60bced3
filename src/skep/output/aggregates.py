"""Tables of aggregates: rows read from maps, written as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from skep.escape import escape
from skep.fields.base import Context
from skep.output.decode import format_function
from skep.output.events import header_line
from skep.output.ranking import Ranking
from skep.output.record_types import RecordType
from skep.output.writer import Writer


class Table:
    """Writes all rows of a table, with its header, each time it is asked to.

    The record type's `kind` should be "table"; rows are tuples of raw values in the
    order of its members.  `sort` and `limit` as for `Ranking`; without `sort` rows keep
    their order.  In the form "table" a `title` stands above each report, which is then
    indented.
    """

    def __init__(
        self,
        record: RecordType,
        form: str,
        context: Context,
        writer: Writer,
        sort: str | None = None,
        limit: int | None = None,
        title: str = "",
    ) -> None:
        self._writer = writer
        is_titled = bool(title) and form == "table"
        self._indent = "\t" if is_titled else ""
        self._title = f"{escape(title)}\n" if is_titled else ""
        self._header = header_line(record, form, context)
        self._format = format_function(record, form, context)
        self._limit = limit
        self._ranking = Ranking(record, context, sort, limit) if sort else None

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write one report.  Raises OutputClosed."""
        report = list(rows)
        if self._ranking:
            self._ranking.add(report)
            report = list(self._ranking.take())
        lines = self._format(report[: self._limit])
        if self._title:
            lines = [self._indent + line for line in [self._header, *lines]]
            self._writer.lines([self._title, *lines])
        else:
            self._writer.lines([self._header, *lines])
