"""The stacks of a stream's records, each in one line for programs that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Stream
from skep.output.decoder import Decoder
from skep.output.folded import fold, folded_line
from skep.output.stack_rows import StackRows
from skep.toolkit.run import record_type

if TYPE_CHECKING:
    from skep.toolkit.run import Run


class FoldedReport:
    """Writes the stacks of records, with the option `folded` of the tool.

    No banner and no header: the output is for other programs.
    """

    def __init__(self, run: Run, stream: Stream) -> None:
        assert run.session.ring is not None
        record = record_type(run.binding, stream)
        self._run = run
        self._ring = run.session.ring
        self._left = run.options.limit or run.options.count
        self._rows = StackRows(record.members, "", run.context)
        self._decoder = Decoder([record], "raw", run.context)

    def start(self) -> None:
        """Nothing comes before the first line."""

    def records(self) -> None:
        """Show the records that have come."""
        self._decoder.drain(self._ring, self._write)

    def _write(self, rows: list[Sequence[Any]]) -> None:
        if self._left is not None:
            rows = rows[: max(self._left, 0)]
            self._left -= len(rows)
        self._run.writer.lines([self._line(row) for row in rows])

    def _line(self, row: Sequence[Any]) -> str:
        (found,) = self._rows.merged([(*row, 1)])
        stack = fold(found.comm or "", found.user or (), found.kernel or ())
        return folded_line(stack, 1, delimited=True)

    def interval(self) -> bool:
        """Records have no intervals."""
        return True

    def finish(self) -> None:
        """Show the last records."""
        self.records()

    @property
    def is_done(self) -> bool:
        """Whether the limit of lines is reached."""
        return self._left is not None and self._left <= 0
