"""The stacks of a stream's records, each in one line or all in a flame graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Stream
from skep.errors import UsageError
from skep.output.decoder import Decoder
from skep.output.folded import folded_line
from skep.output.stacks import FlameGraphFile, StackReader, merged

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class FoldedReport:
    """Writes the stacks of records, with the options `folded` and `flamegraph` (a file)
    of the tool.

    No banner and no header: the output is for other programs.
    """

    def __init__(self, run: Source, streams: Sequence[Stream]) -> None:
        if len(streams) > 1:
            raise UsageError("the stacks of one probe can be shown so, not of several")
        record = run.record_type(streams[0])
        self._run = run
        self._ring = run.ring
        self._left = run.options.limit or run.options.count
        self._stacks = StackReader(record.members, run.context)
        path = getattr(run.options, "flamegraph", None)
        self._graph = FlameGraphFile(path, run.tool.name, "events") if path else None
        self._is_folded = getattr(run.options, "folded", False)
        filters = run.tool.hook("filters")
        chosen = filters(run.options) if filters else ()
        self._decoder = Decoder([record], "raw", run.context, chosen)
        run.ledger.follow(self._decoder.counters)

    def start(self) -> None:
        """Nothing comes before the first line."""

    def records(self) -> None:
        """Show the records that have come."""
        self._decoder.drain(self._ring, self._write)

    def _write(self, rows: list[Sequence[Any]]) -> None:
        if self._left is not None:
            rows = rows[: max(self._left, 0)]
            self._left -= len(rows)
        stacks = [self._stacks.folded(row) for row in rows]
        if self._is_folded:
            lines = [folded_line(stack, 1, delimited=True) for stack in stacks]
            self._run.writer.bare(lines)
        if self._graph is not None:
            self._graph.add(dict(merged((stack, 1) for stack in stacks)))

    def interval(self) -> bool:
        """Records have no intervals."""
        return True

    def finish(self) -> None:
        """Show the last records."""
        self.records()
        if self._graph is not None:
            self._graph.write()

    @property
    def is_done(self) -> bool:
        """Whether the limit of lines is reached."""
        return self._left is not None and self._left <= 0
