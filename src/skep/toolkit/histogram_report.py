"""Histograms, shown at every interval and at the end.

The counters in the kernel only ever grow; what a report shows is the difference to the
one before, so no count is lost between reading and clearing.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from skep.authoring.outputs import Histogram
from skep.compiler.environment import HistogramObject
from skep.compiler.types import Layout
from skep.fields import Member
from skep.output.histograms import Histograms
from skep.output.record_types import RecordType
from skep.spec import FieldLayout, RecordLayout

if TYPE_CHECKING:
    from skep.toolkit.run import Run

Counters = Mapping[bytes, Sequence[int]]


class HistogramReport:
    """Writes a tool's histogram.

    Options of the tool that have a meaning here, if it declares them: `interval` and
    `count` (how often), `timestamp` (time of day before each report), `bcc_json`
    (Python dicts, as bcc's -j).
    """

    def __init__(self, run: Run, histogram: Histogram) -> None:
        options = run.options
        self.run = run
        bound = run.binding.bind(histogram)
        assert isinstance(bound, HistogramObject)
        self.bound = bound
        self.unit = str(run.binding.value_of(histogram.unit))
        members = run.binding.visible(histogram.key) if histogram.key else []
        self.codes = _codes(bound.key)
        self.form = "dict" if getattr(options, "bcc_json", False) else options.format
        schema = f"{run.tool.name}.histogram/1"
        key = RecordType(_key_layout(members), members, schema, kind="histogram")
        self.sink = Histograms(key, self.unit, self.form, run.context, run.writer)
        self.before: dict[bytes, Sequence[int]] = {}
        self.left = getattr(options, "count", None)

    def start(self) -> None:
        banner = getattr(self.run.tool.module, "BANNER", "")
        if banner and self.form == "table":
            self.run.writer.text(f"{banner}\n")

    def records(self) -> None:
        """Histograms have no records."""

    def interval(self) -> bool:
        self._show()
        if self.left is not None:
            self.left -= 1
        return not self.is_done

    def finish(self) -> None:
        if not self.is_done:
            self._show()

    @property
    def is_done(self) -> bool:
        return self.left is not None and self.left <= 0

    def _show(self) -> None:
        counts, totals = self._difference(self.run.session.histogram(self.bound))
        writer = self.run.writer
        if self.form == "table":
            writer.text("\n")
            if getattr(self.run.options, "timestamp", False):
                writer.text(f"{time.strftime('%H:%M:%S'):<8s}\n")
        self.sink.write(counts)
        if self.bound.total and self.form == "table":
            number, total = sum(map(sum, counts.values())), sum(totals)
            if number:
                writer.text(
                    f"\navg = {total // number} {self.unit}, "
                    f"total: {total} {self.unit}, count: {number}\n\n"
                )

    def _difference(
        self, now: Counters
    ) -> tuple[dict[Sequence[Any], Sequence[int]], list[int]]:
        """Counts by key since the last report, those without any left out; and sums."""
        counts: dict[Sequence[Any], Sequence[int]] = {}
        totals = []
        for key, counters in now.items():
            before = self.before.get(key, (0,) * len(counters))
            new = [a - b for a, b in zip(counters, before)]
            self.before[key] = counters
            if any(new[: self.bound.slots]):
                counts[self._values(key)] = new[: self.bound.slots]
                totals += new[self.bound.slots :]
        return counts, totals

    def _values(self, key: bytes) -> tuple[Any, ...]:
        return struct.unpack_from(self.codes, key)


_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES.update({(size, True): code.lower() for (size, _), code in list(_CODES.items())})


def _codes(key: Layout | None) -> str:
    """The struct format of a key, padding included."""
    codes, position = "<", 0
    for member in key.members.values() if key else ():
        offset, size = member.bit_offset // 8, member.type.size
        codes += f"{offset - position}x"
        signed = getattr(member.type, "signed", None)
        codes += f"{size}s" if signed is None else _CODES[size, signed]
        position = offset + size
    return codes


def _key_layout(members: Sequence[Member]) -> RecordLayout:
    """A layout that only names the key's members: keys are unpacked here."""
    fields = [FieldLayout(member.name, "Q", 0, 8) for member in members]
    return RecordLayout("Key", 0, fields, 0)
