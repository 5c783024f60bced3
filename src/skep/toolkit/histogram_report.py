"""Histograms, shown at every interval and at the end.

The counters in the kernel only ever grow; what a report shows is the difference to the
one before, so no count is lost between reading and clearing.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Histogram
from skep.compiler.environment import HistogramObject
from skep.output.histograms import Histograms
from skep.output.record_types import RecordType
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import key_format, named_layout
from skep.toolkit.session import Session

if TYPE_CHECKING:
    from skep.toolkit.run import Run

Counts = dict[Sequence[Any], Sequence[int]]


class HistogramReader:
    """Reads a histogram's counters as differences to the last time."""

    def __init__(
        self, session: Session, binding: Binding, histogram: Histogram
    ) -> None:
        bound = binding.bind(histogram)
        assert isinstance(bound, HistogramObject)
        self.bound = bound
        self._session = session
        self._codes = key_format(bound.key)
        self._before: dict[bytes, Sequence[int]] = {}

    def read(self) -> tuple[Counts, int]:
        """Counts by key since the last call, keys without any left out; and the sum of
        the values, if the histogram keeps it."""
        counts: Counts = {}
        total = 0
        slots = self.bound.slots
        for key, counters in self._session.histogram(self.bound).items():
            before = self._before.get(key, (0,) * len(counters))
            new = [now - then for now, then in zip(counters, before)]
            self._before[key] = counters
            if any(new[:slots]):
                counts[struct.unpack_from(self._codes, key)] = new[:slots]
                total += sum(new[slots:])
        return counts, total


class HistogramReport:
    """Writes a tool's histogram.

    Options of the tool that have a meaning here, if it declares them: `interval` and
    `count` (how often), `timestamp` (time of day before each report), `bcc_json`
    (Python dicts, as bcc's -j).
    """

    def __init__(self, run: Run, histogram: Histogram) -> None:
        options = run.options
        self.run = run
        self.reader = HistogramReader(run.session, run.binding, histogram)
        self.unit = str(run.binding.value_of(histogram.unit))
        members = run.binding.visible(histogram.key) if histogram.key else []
        self.form = "dict" if getattr(options, "bcc_json", False) else options.format
        schema = f"{run.tool.name}.histogram/1"
        key = RecordType(named_layout(members), members, schema, kind="histogram")
        self.sink = Histograms(key, self.unit, self.form, run.context, run.writer)
        self.left = getattr(options, "count", None)

    def start(self) -> None:
        """Show the tool's banner."""
        banner = getattr(self.run.tool.module, "BANNER", "")
        if banner and self.form == "table":
            self.run.writer.text(f"{banner}\n")

    def records(self) -> None:
        """Histograms have no records."""

    def interval(self) -> bool:
        """Show what was counted in the interval."""
        self._show()
        if self.left is not None:
            self.left -= 1
        return not self.is_done

    def finish(self) -> None:
        """Show what was counted since the last report."""
        if not self.is_done:
            self._show()

    @property
    def is_done(self) -> bool:
        """Whether all reports are shown."""
        return self.left is not None and self.left <= 0

    def _show(self) -> None:
        counts, total = self.reader.read()
        writer = self.run.writer
        if self.form == "table":
            writer.text("\n")
            if getattr(self.run.options, "timestamp", False):
                writer.text(f"{time.strftime('%H:%M:%S'):<8s}\n")
        self.sink.write(counts)
        if self.reader.bound.total and self.form == "table":
            number = sum(map(sum, counts.values()))
            if number:
                writer.text(
                    f"\navg = {total // number} {self.unit}, "
                    f"total: {total} {self.unit}, count: {number}\n\n"
                )
