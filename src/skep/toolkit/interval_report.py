"""Reports that come at every interval and at the end: histograms and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.output.writer import NONE, PLAIN, TIMED
from skep.toolkit.snapshot import Snapshot

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class IntervalReport:
    """What histograms and tables have in common; subclasses write the report itself.

    Options of the tool that have a meaning here, if it declares them: `interval` and
    `count` (how often), `timestamp` (the time of day before each report), `cumulative`
    (what was counted since the start, not since the last report).  A tool's
    `BANNER` is shown at the start.  `form` is the form of the output; only "table" has
    banners and times.
    """

    def __init__(self, run: Source, form: str) -> None:
        self.run = run
        self.form = form
        self._left: int | None = getattr(run.options, "count", None)
        self._adds_up = bool(getattr(run.options, "cumulative", False))
        self.is_cumulative = self._adds_up and not run.writer.merges

    def write(self, snapshot: Snapshot) -> None:
        """Write what was counted."""
        raise NotImplementedError

    def heading(self) -> str:
        """What comes before a report in the form "table" (see `Writer.report`)."""
        return TIMED if getattr(self.run.options, "timestamp", False) else PLAIN

    def start(self) -> None:
        """Show the tool's banner."""
        if self.form == "table":
            self.run.show_banner()

    def records(self) -> None:
        """There are no records."""

    def interval(self) -> bool:
        """Show what was counted in the interval; False after the last report."""
        self._show(is_last=False)
        if self._left is not None:
            self._left -= 1
        return not self.is_done

    def finish(self) -> None:
        """Show what was counted in the last, unfinished interval, and the tool's
        FAREWELL."""
        if not self.is_done:
            self._show(is_last=True)
        farewell = getattr(self.run.tool.module, "FAREWELL", "")
        if farewell and self.form == "table":
            self.run.writer.farewell(f"{farewell}\n")

    @property
    def is_done(self) -> bool:
        """Whether all reports that were asked for have been shown."""
        return self._left is not None and self._left <= 0

    def _show(self, is_last: bool) -> None:
        snapshot, writer = self.run.snapshot(), self.run.writer
        self.run.context.read_ns = snapshot.time_ns
        heading = self.heading() if self.form == "table" else NONE
        writer.report(heading, snapshot.time_ns)
        self.write(snapshot)
        writer.end_report(is_last, self._adds_up)
