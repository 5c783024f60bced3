"""Histograms, shown at every interval and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.authoring.outputs import Histogram
from skep.compiler.environment import HistogramObject
from skep.output.histograms import Histograms
from skep.output.record_types import RecordType
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.key_values import named_layout
from skep.toolkit.snapshot import Snapshot, Sums

if TYPE_CHECKING:
    from skep.toolkit.reports import Source


class HistogramReport(IntervalReport):
    """Writes a tool's histogram.

    With the tool's option `bcc_json`, if it declares it, as Python dicts (bcc's -j).
    """

    def __init__(self, run: Source, name: str, histogram: Histogram) -> None:
        is_bcc = getattr(run.options, "bcc_json", False)
        super().__init__(run, "dict" if is_bcc else run.options.format)
        bound = run.binding.bind(histogram)
        assert isinstance(bound, HistogramObject)
        self._name = name
        self._has_total = bound.total
        members = run.binding.visible(histogram.key) if histogram.key else []
        self._keys = len(members)
        self._slots = slice(self._keys, self._keys + bound.slots)
        self._sums = Sums(self._keys)
        schema = f"{run.tool.name}.histogram/1"
        key = RecordType(named_layout(members), members, schema, kind="histogram")
        self._sink = Histograms(
            key,
            str(run.binding.value_of(histogram.unit)),
            self.form,
            run.context,
            run.writer,
            title=histogram.title,
        )

    def write(self, snapshot: Snapshot) -> None:
        """Write the histograms, and the average if the tool keeps sums."""
        rows = snapshot.rows[self._name]
        if self.is_cumulative:
            rows = self._sums.added(rows)
        counts = {row[: self._keys]: row[self._slots] for row in rows}
        total = sum(row[-1] for row in rows) if self._has_total else None
        self._sink.write(counts, total)
