"""Several tables and histograms, one after the other at every interval."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from skep.toolkit.histogram_report import HistogramReport
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.table_report import TableReport

if TYPE_CHECKING:
    from skep.toolkit.run import Run


class SeveralReports(IntervalReport):
    """Writes all outputs of a tool, tables first, under the time of day."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, run.options.format)
        tables = [TableReport(run, each) for each in run.tool.tables.values()]
        others = [HistogramReport(run, each) for each in run.tool.histograms.values()]
        self._parts: list[IntervalReport] = [*tables, *others]

    def write(self) -> None:
        """Write what each of them counted."""
        for part in self._parts:
            part.write()

    def finish(self) -> None:
        """Show the last, unfinished interval, and free what reading needs."""
        super().finish()
        for part in self._parts:
            part.close()

    def _show(self) -> None:
        if self.form == "table":
            self.run.writer.text(f"[{time.strftime('%H:%M:%S')}]\n")
        self.write()
