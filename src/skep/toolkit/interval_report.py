"""Reports that come at every interval and at the end: histograms and tables."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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
        self.is_cumulative = bool(getattr(run.options, "cumulative", False))

    def write(self, snapshot: Snapshot) -> None:
        """Write what was counted."""
        raise NotImplementedError

    def heading(self, time_of_day: str) -> str:
        """What comes before a report in the form "table"."""
        is_timed = getattr(self.run.options, "timestamp", False)
        return f"\n{time_of_day:<8s}\n" if is_timed else "\n"

    def start(self) -> None:
        """Show the tool's banner."""
        if self.form == "table":
            self.run.show_banner()

    def records(self) -> None:
        """There are no records."""

    def interval(self) -> bool:
        """Show what was counted in the interval; False after the last report."""
        self._show()
        if self._left is not None:
            self._left -= 1
        return not self.is_done

    def finish(self) -> None:
        """Show what was counted in the last, unfinished interval, and the tool's
        FAREWELL."""
        if not self.is_done:
            self._show()
        farewell = getattr(self.run.tool.module, "FAREWELL", "")
        if farewell and self.form == "table":
            self.run.writer.text(f"{farewell}\n")

    @property
    def is_done(self) -> bool:
        """Whether all reports that were asked for have been shown."""
        return self._left is not None and self._left <= 0

    def _show(self) -> None:
        snapshot = self.run.snapshot()
        self.run.context.read_ns = snapshot.time_ns
        if self.form == "table":
            then = time.localtime(snapshot.time_ns // 1_000_000_000)
            self.run.writer.text(self.heading(time.strftime("%H:%M:%S", then)))
        self.write(snapshot)
