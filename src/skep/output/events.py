"""A stream of records as output: header, rows as they come, or sorted at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skep.errors import UsageError
from skep.fields.base import Context
from skep.output.counters import Counters
from skep.output.decode import format_function
from skep.output.decoder import Decoder, Ring
from skep.output.filters import Filter
from skep.output.ranking import Ranking
from skep.output.record_types import RecordType
from skep.output.text_rows import CSV, TABLE, header
from skep.output.writer import Writer


def header_line(record: RecordType, form: str, context: Context) -> str:
    """What comes before the first row in this form; JSON has nothing there."""
    if form == "json":
        return ""
    return header(record.cells(context), CSV if form == "csv" else TABLE)


class Events:
    """Writes the records of a ring in the form "table", "csv" or "json".

    Record classes of one ring have the same columns; the header is that of the first.
    With `limit` that many rows are written and no more.  With `sort` (see `Ranking`)
    nothing is written before `finish`; without a limit, all rows are kept until then.
    With `aggregate` each distinct row is written at the end, once, with how often it
    came behind it.
    """

    def __init__(
        self,
        records: Sequence[RecordType],
        form: str,
        context: Context,
        writer: Writer,
        filters: Sequence[Filter] = (),
        sort: str | None = None,
        limit: int | None = None,
        aggregate: bool = False,
    ) -> None:
        self._writer = writer
        record = records[0]
        if sort and len(records) > 1:
            raise UsageError("--sort needs records of one kind, from one probe")
        self._header = header_line(record, form, context)
        self._left = limit
        self._often: dict[str, int] | None = {} if aggregate else None
        self._ranking = Ranking(record, context, sort, limit) if sort else None
        self._format = format_function(record, form, context)
        row_form = "raw" if sort else form
        self._decoder = Decoder(records, row_form, context, filters)

    @property
    def counters(self) -> Counters:
        """What was cut, unreadable or filtered so far."""
        return self._decoder.counters

    @property
    def is_full(self) -> bool:
        """True once `limit` rows have been written."""
        return self._left is not None and self._left <= 0

    def header(self) -> None:
        """Write the header, once everything is attached.  Raises OutputClosed."""
        self._writer.header(self._header)

    def drain(self, ring: Ring) -> None:
        """Write what waits in the ring.  Raises OutputClosed."""
        self._decoder.drain(ring, self._ranking.add if self._ranking else self._write)

    def finish(self) -> None:
        """Write what was kept for the end."""
        if self._ranking:
            rows = self._ranking.take()
            self._writer.ranked(self._format(rows), map(self._ranking.key, rows))
        if self._often:
            self._writer.counted(self._often)

    def _write(self, rows: list[Any]) -> None:
        if self._left is not None:
            rows = rows[: max(self._left, 0)]
            self._left -= len(rows)
        if self._often is None:
            self._writer.lines(rows)
            return
        for row in rows:
            self._often[row] = self._often.get(row, 0) + 1
