"""Histograms read as differences, by key."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from skep.toolkit.binding import HISTOGRAM_SLOTS, Binding
from skep.toolkit.map_readers import HistogramReader
from tests.unit.tool_source import Make, bound, make_tool

__all__ = ["make_tool"]

SOURCE = """
    class Where(Record):
        small: U8
        disk: U32
        name: Comm = column(when=Options.verbose)
        change: S64

    plain = Histogram()
    keyed = Histogram(Where, total=True)
"""


class Counters:
    """Stands for a session whose maps have these counters."""

    def __init__(self) -> None:
        self.now: dict[bytes, Sequence[int]] = {}

    def histogram(self, bound: object) -> Mapping[bytes, Sequence[int]]:
        return self.now


def slots(total: int | None = None, **counts: int) -> list[int]:
    """Counters with these values, `s3=5` for five in slot 3."""
    values = [0] * HISTOGRAM_SLOTS
    for name, count in counts.items():
        values[int(name[1:])] = count
    return values if total is None else [*values, total]


def reader_of(
    make_tool: Make, name: str, **options: Any
) -> tuple[HistogramReader, Counters]:
    tool = make_tool(SOURCE)
    counters: Any = Counters()
    binding = Binding(tool, bound(tool, **options))
    return HistogramReader(counters, binding, tool.histograms[name]), counters


def read(reader: HistogramReader) -> tuple[dict[Any, Any], int]:
    """Counters by key, and the sum of all values."""
    counts, total = {}, 0
    for row in reader.read():
        keys = len(row) - HISTOGRAM_SLOTS - reader.bound.total
        counts[tuple(row[:keys])] = list(row[keys:][:HISTOGRAM_SLOTS])
        total += sum(row[keys + HISTOGRAM_SLOTS :])
    return counts, total


def test_counts_are_those_since_the_last_time(make_tool: Make) -> None:
    reader, counters = reader_of(make_tool, "plain")
    assert read(reader) == ({}, 0)
    counters.now = {b"": slots(s0=2, s5=1)}
    assert read(reader) == ({(): slots(s0=2, s5=1)}, 0)
    assert read(reader) == ({}, 0)
    counters.now = {b"": slots(s0=2, s5=4, s63=1)}
    assert read(reader) == ({(): slots(s5=3, s63=1)}, 0)


def key(small: int, disk: int, change: int) -> bytes:
    return struct.pack("<B3xIq", small, disk, change)


def test_keys_become_tuples_without_padding(make_tool: Make) -> None:
    reader, counters = reader_of(make_tool, "keyed")
    one, two = key(1, 8 << 20, -3), key(255, 0xFFFFFFFF, 1 << 40)
    counters.now = {one: slots(30, s4=2), two: slots(5, s2=1)}
    assert read(reader) == (
        {(1, 8 << 20, -3): slots(s4=2), (255, 0xFFFFFFFF, 1 << 40): slots(s2=1)},
        35,
    )
    counters.now = {one: slots(30, s4=2), two: slots(12, s2=2)}
    assert read(reader) == ({(255, 0xFFFFFFFF, 1 << 40): slots(s2=1)}, 7)


def test_a_key_that_comes_later_counts_from_zero(make_tool: Make) -> None:
    reader, counters = reader_of(make_tool, "keyed")
    counters.now = {key(1, 2, 3): slots(8, s3=1)}
    read(reader)
    counters.now = {**counters.now, key(2, 2, 3): slots(9, s3=1)}
    assert read(reader) == ({(2, 2, 3): slots(s3=1)}, 9)


def test_text_in_keys(make_tool: Make) -> None:
    reader, counters = reader_of(make_tool, "keyed", verbose=True)
    comm = b"sh".ljust(16, b"\0")
    layout = reader.bound.key
    assert layout is not None
    raw = bytearray(layout.size)
    for name, value in (("small", b"\7"), ("name", comm)):
        start = layout.members[name].bit_offset // 8
        raw[start : start + len(value)] = value
    counters.now = {bytes(raw): slots(1, s0=1)}
    assert read(reader) == ({(7, 0, comm, 0): slots(s0=1)}, 1)
