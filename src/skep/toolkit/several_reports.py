"""Several tables and histograms, one after the other at every interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.output.writer import BRACKETED
from skep.toolkit.histogram_report import HistogramReport
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.snapshot import Snapshot
from skep.toolkit.table_report import TableReport

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class SeveralReports(IntervalReport):
    """Writes all outputs of a tool, tables first, under the time of day."""

    def __init__(self, run: Source) -> None:
        super().__init__(run, run.options.format)
        tool = run.tool
        tables = [TableReport(run, *named) for named in tool.tables.items()]
        others = [HistogramReport(run, *named) for named in tool.histograms.items()]
        self._parts: list[IntervalReport] = [*tables, *others]

    def write(self, snapshot: Snapshot) -> None:
        """Write what each of them counted."""
        for part in self._parts:
            part.write(snapshot)

    def heading(self) -> str:
        """The time of day, always."""
        return BRACKETED
