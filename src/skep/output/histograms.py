"""Histograms of a run as output: one, or one for each value of a key record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from skep.escape import escape
from skep.fields.base import Context
from skep.named_tuple import NamedTuple
from skep.output.decode import format_function
from skep.output.histogram_text import (
    Bucket,
    bcc_dict,
    linear_buckets,
    linear_text,
    log2_buckets,
    log2_text,
)
from skep.output.json_lines import pairs
from skep.output.record_types import RecordType
from skep.output.writer import Writer

Counts = Mapping[Sequence[Any], Sequence[int]]
"""Counters by key: tuples of raw values in the order of the key record's members."""


class Section(NamedTuple):
    """A histogram with its key as text, and the line that the key makes by itself."""

    title: str
    line: str
    counts: Sequence[int]


class HistogramPart(NamedTuple):
    """The histograms of a report: nothing but texts and numbers.

    `form` is "table", "csv", "json" or "dict" (bcc's -j); `name` is what the titles of
    sections are about, "" if there is but one without a title, and `columns` are the
    titles of the key.  `probe` is for JSON, `when` for dicts: local time as
    YYYY-mm-dd HH:MM:SS.  `total` is the sum of all values, None if it is not kept.
    """

    form: str
    name: str
    columns: Sequence[str]
    unit: str
    is_linear: bool
    probe: str
    when: str
    sections: Sequence[Section]
    total: int | None

    def lines(self) -> list[str]:
        """What is written of it."""
        forms: Mapping[str, Callable[[], Iterable[str]]] = {
            "table": self._table,
            "csv": self._csv,
            "json": self._json,
            "dict": self._dict,
        }
        return list(forms[self.form]())

    def _buckets(self, counts: Sequence[int]) -> list[Bucket]:
        return linear_buckets(counts) if self.is_linear else log2_buckets(counts)

    def _table(self) -> Iterable[str]:
        show = linear_text if self.is_linear else log2_text
        unit = escape(self.unit)
        for section in self.sections:
            if self.name:
                yield f"\n{self.name} = {section.title}\n"
            yield show(section.counts, unit)
        number = sum(sum(section.counts) for section in self.sections)
        if self.total is not None and number:
            yield (
                f"\navg = {self.total // number} {unit}, "
                f"total: {self.total} {unit}, count: {number}\n\n"
            )

    def _csv(self) -> Iterable[str]:
        yield ",".join([*self.columns, "LOW", "HIGH", "COUNT"]) + "\n"
        for section in self.sections:
            key = [section.line] if self.name else []
            for bucket in self._buckets(section.counts):
                yield ",".join([*key, *map(str, bucket)]) + "\n"

    def _json(self) -> Iterable[str]:
        probe = {"probe": self.probe} if self.probe else {}
        for section in self.sections:
            buckets = [
                {"low": low, "high": high, "count": samples}
                for low, high, samples in self._buckets(section.counts)
            ]
            items = pairs({**probe, "unit": self.unit, "buckets": buckets})
            # The key's own line is a whole object; the histogram goes into it.
            yield f"{section.line[:-1]},{items}}}\n"

    def _dict(self) -> Iterable[str]:
        for section in self.sections:
            key = (self.name, section.title) if self.name else None
            yield bcc_dict(section.counts, self.unit, self.when, key)


class Histograms:
    """Writes histograms in the form "table", "csv", "json" or "dict" (bcc's -j).

    `key` describes the key record; without members there is one histogram, whose key
    is (), and no titles.  `unit` labels the values ("usecs").  `is_linear` histograms
    have a counter for each value, others one for each power of two.  `title` is the
    `probe` in JSON.
    """

    def __init__(
        self,
        key: RecordType,
        unit: str,
        form: str,
        context: Context,
        writer: Writer,
        is_linear: bool = False,
        title: str = "",
    ) -> None:
        name = ", ".join(m.column.title or m.name for m in key.members)
        columns = [cell.title for cell in key.cells(context)]
        self._empty = HistogramPart(
            form, name, columns, unit, is_linear, title, "", (), None
        )
        self._context = context
        self._writer = writer
        self._titles = format_function(key, "list", context)
        line_form = form if form in ("csv", "json") else "list"
        self._lines = format_function(key, line_form, context)

    def write(self, counts: Counts, total: int | None = None) -> None:
        """Write one report, sorted by title, and the average if there is a total.

        Raises OutputClosed.
        """
        keys = list(counts)
        titles, lines = self._titles(keys), self._lines(keys)
        sections = sorted(
            Section(title.rstrip("\n"), line.rstrip("\n"), counts[key])
            for title, line, key in zip(titles, lines, keys)
        )
        then = time.localtime(self._context.now_ns() // 1_000_000_000)
        when = time.strftime("%Y-%m-%d %H:%M:%S", then)
        self._writer.part(
            self._empty._replace(when=when, sections=sections, total=total)
        )
