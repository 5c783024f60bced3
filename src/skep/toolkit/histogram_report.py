"""Histograms, shown at every interval and at the end.

The counters in the kernel only ever grow; what a report shows is the difference to the
one before, so no count is lost between reading and clearing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Histogram
from skep.compiler.environment import HistogramObject
from skep.output.histograms import Histograms
from skep.output.record_types import RecordType
from skep.toolkit.binding import Binding
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.key_values import key_format, named_layout
from skep.toolkit.session import Session

if TYPE_CHECKING:
    from skep.toolkit.run import Run

Counts = dict[Sequence[Any], Sequence[int]]


class HistogramReader:
    """Reads a histogram's counters as differences to the last time, or as they are if
    it `is_cumulative`."""

    def __init__(
        self,
        session: Session,
        binding: Binding,
        histogram: Histogram,
        is_cumulative: bool = False,
    ) -> None:
        bound = binding.bind(histogram)
        assert isinstance(bound, HistogramObject)
        self.bound = bound
        self._session = session
        self._codes = key_format(bound.key)
        self._before: dict[bytes, Sequence[int]] = {}
        self._is_cumulative = is_cumulative

    def read(self) -> tuple[Counts, int]:
        """Counts by key since the last call, keys without any left out; and the sum of
        the values, if the histogram keeps it."""
        counts: Counts = {}
        total = 0
        slots = self.bound.slots
        for key, counters in self._session.histogram(self.bound).items():
            before = self._before.get(key, (0,) * len(counters))
            new = [now - then for now, then in zip(counters, before)]
            if not self._is_cumulative:
                self._before[key] = counters
            if any(new[:slots]):
                counts[struct.unpack_from(self._codes, key)] = new[:slots]
                total += sum(new[slots:])
        return counts, total


class HistogramReport(IntervalReport):
    """Writes a tool's histogram.

    With the tool's option `bcc_json`, if it declares it, as Python dicts (bcc's -j).
    """

    def __init__(self, run: Run, histogram: Histogram) -> None:
        is_bcc = getattr(run.options, "bcc_json", False)
        super().__init__(run, "dict" if is_bcc else run.options.format)
        self._reader = HistogramReader(
            run.session, run.binding, histogram, self.is_cumulative
        )
        self._unit = str(run.binding.value_of(histogram.unit))
        members = run.binding.visible(histogram.key) if histogram.key else []
        schema = f"{run.tool.name}.histogram/1"
        key = RecordType(named_layout(members), members, schema, kind="histogram")
        self._sink = Histograms(
            key,
            self._unit,
            self.form,
            run.context,
            run.writer,
            title=histogram.title,
        )

    def write(self) -> None:
        """Write the histograms, and the average if the tool keeps sums."""
        counts, total = self._reader.read()
        self._sink.write(counts)
        number = sum(map(sum, counts.values()))
        if self._reader.bound.total and number and self.form == "table":
            self.run.writer.text(
                f"\navg = {total // number} {self._unit}, "
                f"total: {total} {self._unit}, count: {number}\n\n"
            )
