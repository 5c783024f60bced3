"""Histograms of a run as output: one, or one for each value of a key record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from skep.fields.base import Context
from skep.named_tuple import NamedTuple
from skep.output.decode import format_function
from skep.output.escape import escape
from skep.output.histogram_text import (
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


class _Section(NamedTuple):
    """A histogram with its key as text, and the line that the key makes by itself."""

    title: str
    line: str
    counts: Sequence[int]


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
        self._title = {"probe": title} if title else {}
        self._unit = unit
        self._name = ", ".join(m.column.title or m.name for m in key.members)
        self._columns = [cell.title for cell in key.cells(context)]
        self._context = context
        self._writer = writer
        self._titles = format_function(key, "list", context)
        line_form = form if form in ("csv", "json") else "list"
        self._lines = format_function(key, line_form, context)
        self._report: Callable[[Sequence[_Section]], Iterable[str]] = {
            "table": self._table,
            "csv": self._csv,
            "json": self._json,
            "dict": self._dict,
        }[form]
        self._buckets = linear_buckets if is_linear else log2_buckets
        self._text = linear_text if is_linear else log2_text

    def write(self, counts: Counts) -> None:
        """Write one report, sorted by title.  Raises OutputClosed."""
        keys = list(counts)
        titles, lines = self._titles(keys), self._lines(keys)
        sections = sorted(
            _Section(title.rstrip("\n"), line.rstrip("\n"), counts[key])
            for title, line, key in zip(titles, lines, keys)
        )
        self._writer.lines(list(self._report(sections)))

    def _table(self, sections: Sequence[_Section]) -> Iterable[str]:
        for section in sections:
            if self._name:
                yield f"\n{self._name} = {section.title}\n"
            yield self._text(section.counts, escape(self._unit))

    def _csv(self, sections: Sequence[_Section]) -> Iterable[str]:
        yield ",".join([*self._columns, "LOW", "HIGH", "COUNT"]) + "\n"
        for section in sections:
            key = [section.line] if self._name else []
            for bucket in self._buckets(section.counts):
                yield ",".join([*key, *map(str, bucket)]) + "\n"

    def _json(self, sections: Sequence[_Section]) -> Iterable[str]:
        for section in sections:
            buckets = [
                {"low": low, "high": high, "count": samples}
                for low, high, samples in self._buckets(section.counts)
            ]
            items = pairs({**self._title, "unit": self._unit, "buckets": buckets})
            # The key's own line is a whole object; the histogram goes into it.
            yield f"{section.line[:-1]},{items}}}\n"

    def _dict(self, sections: Sequence[_Section]) -> Iterable[str]:
        then = time.localtime(self._context.now_ns() // 1_000_000_000)
        now = time.strftime("%Y-%m-%d %H:%M:%S", then)
        for section in sections:
            key = (self._name, section.title) if self._name else None
            yield bcc_dict(section.counts, self._unit, now, key)
