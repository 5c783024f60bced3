"""Tables of sums, shown at every interval and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skep.authoring.outputs import Table
from skep.fields import Member
from skep.output.aggregates import Table as TableSink
from skep.output.record_types import RecordType
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.key_values import named_layout
from skep.toolkit.snapshot import Rows, Snapshot, Sums

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class TableReport(IntervalReport):
    """Writes a tool's table.

    With the tool's option `top`, if it declares it, only so many rows of a ranked one.
    """

    def __init__(self, run: Source, name: str, table: Table) -> None:
        options = run.options
        super().__init__(run, options.format)
        self._name = name
        self._table = table
        self._keys = len(run.binding.visible(table.key))
        self._sums = Sums(self._keys)
        self.members: list[Member] = [
            *run.binding.visible(table.key),
            *run.binding.visible(table.value),
        ]
        columns = options.columns.split(",") if options.columns else None
        has_stacks = any(member.field.is_stack for member in self.members)
        kind = "stacks" if has_stacks else "table"
        layout, schema = named_layout(self.members), f"{run.tool.name}.{kind}/1"
        record = RecordType(layout, self.members, schema, kind, columns)
        self._put: Callable[[Rows], None]
        if run.writer.merges:
            self._put = self._part_of(record)
        else:
            sink = TableSink(
                record,
                options.format,
                run.context,
                run.writer,
                options.sort,
                options.limit,
                table.title,
            )
            self._put = lambda rows: sink.write(self._chosen(rows))

    def _part_of(self, record: RecordType) -> Callable[[Rows], None]:
        """What sends rows to be merged with others, and ranked then."""
        from skep.output.merged_tables import TableMaker

        options, run = self.run.options, self.run
        maker = TableMaker(
            record,
            self.members[self._keys :],
            options.format,
            run.context,
            options.sort,
            options.limit,
            self._table.title,
            self._table.ranked,
            getattr(options, "top", None),
        )
        return lambda rows: run.writer.part(maker.part(rows))

    def write(self, snapshot: Snapshot) -> None:
        """Write the rows of the interval, or of all so far."""
        self.show(self.rows(snapshot))

    def rows(self, snapshot: Snapshot) -> Rows:
        """The rows of the interval or of all so far, as raw values of `members`."""
        rows = snapshot.rows[self._name]
        return self._sums.added(rows) if self.is_cumulative else rows

    def show(self, rows: Rows) -> None:
        """Write rows as a table."""
        self._put(rows)

    def _chosen(self, rows: Rows) -> Rows:
        """The rows of a ranked table by their first sum, ascending; of equal ones by
        their key."""
        if not self._table.ranked:
            return rows
        keys = self._keys
        ordered = sorted(rows, key=lambda row: (row[keys], row[:keys]))
        top = getattr(self.run.options, "top", None)
        return ordered[-top:] if top else ordered
