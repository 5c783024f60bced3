"""Counted stacks of a table, shown at every interval and at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Table
from skep.output.stacks import FlameGraphFile, StackReader, StacksPart, merged
from skep.toolkit.snapshot import Snapshot
from skep.toolkit.table_report import TableReport

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class StackReport(TableReport):
    """Writes a tool's table whose key has stacks.

    Options of the tool that have a meaning here, if it declares them: `folded`,
    `flamegraph` (a file) and `delimited`.  The first column of the table's value is
    what is counted.
    """

    def __init__(self, run: Source, name: str, table: Table) -> None:
        super().__init__(run, name, table)
        options = run.options
        self._stacks = StackReader(self.members, run.context)
        formats = [m.column.format for m in self.members if m.field.is_stack]
        self._spec = formats[0] or ""
        self._number = len(run.binding.visible(table.key))
        self._is_delimited = getattr(options, "delimited", False)
        path = getattr(options, "flamegraph", None)
        unit = self.members[self._number].name
        self._graph = FlameGraphFile(path, run.tool.name, unit) if path else None
        if getattr(options, "folded", False):
            self.form = "folded"
        elif path:
            self.form = "graph"

    def write(self, snapshot: Snapshot) -> None:
        """Write the stacks of the interval."""
        rows = self.rows(snapshot)
        if self._graph is not None:
            self._graph.add(dict(self._folded(rows)))
            self._graph.write()
        if self.form == "folded":
            self._write_stacks(self._folded(rows))
        elif self.form == "table":
            stacks = self._stacks
            self._write_stacks(
                ((stacks.task(row), stacks.frames(row, self._spec)), row[self._number])
                for row in rows
            )
        elif self.form != "graph":
            self.show(rows)

    def _write_stacks(self, stacks: Iterable[tuple[Any, int]]) -> None:
        limit = self.run.options.limit
        self.run.writer.part(
            StacksPart(self.form, self._is_delimited, limit, list(stacks))
        )

    def _folded(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, int]]:
        return merged((self._stacks.folded(row), row[self._number]) for row in rows)
