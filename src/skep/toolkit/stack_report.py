"""Counted stacks of a table, shown at every interval and at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Table
from skep.output.folded import folded_line
from skep.output.stacks import FlameGraphFile, StackReader, block, merged
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
            lines = [
                folded_line(stack, count, self._is_delimited)
                for stack, count in self._last(self._folded(rows))
            ]
            self.run.writer.lines(lines)
        elif self.form == "table":
            self.run.writer.text("".join(self._blocks(rows)))
        elif self.form != "graph":
            self.show(rows)

    def _folded(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, int]]:
        return merged((self._stacks.folded(row), row[self._number]) for row in rows)

    def _blocks(self, rows: Sequence[Sequence[Any]]) -> list[str]:
        stacks = self._stacks
        keys = (
            ((stacks.task(row), stacks.frames(row, self._spec)), row[self._number])
            for row in rows
        )
        return [
            block(task, found, number, self._is_delimited)
            for (task, found), number in self._last(merged(keys))
        ]

    def _last(self, ranked: list[tuple[Any, int]]) -> list[tuple[Any, int]]:
        """As many of the largest as are to be shown."""
        limit = self.run.options.limit
        return ranked[-limit:] if limit else ranked
