"""Reports of several hosts: merged, they are what one host would have shown."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from skep.fields import U64, Column, Comm, Context, Member
from skep.output.aggregates import Table
from skep.output.histograms import Histograms
from skep.output.merged_tables import TableMaker
from skep.output.record_types import RecordType
from skep.output.stacks import Frames, StacksPart, Task
from skep.output.writer import PLAIN, Part, Writer
from skep.remote.hosts import Host
from skep.remote.merging import Merged
from skep.remote.parts import merged_parts, part_of
from skep.remote.reports import Report, Reports
from skep.remote.wire import NotWire
from skep.toolkit.key_values import named_layout

KEY = [Member("comm", Comm), Member("cpu", U64, Column(width=4, align=">"))]
SUMS = [Member("count", U64, Column(width=8)), Member("bytes", U64)]
ROWS = [
    (b"cat\0", 1, 10, 100),
    (b"a,b\0", 0, 3, 7),
    (b"\x1b[2J\xff\0", 0, 5, 1 << 63),
    (b"cat\0", 10, 3, 9),
    (b"cat\0", 9, 3, 8),
]
A, B, C = Host("a", "a"), Host("b", "b"), Host("c", "c")


class Kept(Writer):
    """Keeps what is written, and parts of reports as they go over the connection."""

    __slots__ = ("parts", "written")

    def __init__(self, merges: bool = False) -> None:
        super().__init__(-1)
        self.written: list[str] = []
        self.parts: list[Any] | None = [] if merges else None

    def text(self, text: str) -> None:
        self.written += text.splitlines(keepends=True)

    def part(self, part: Part) -> None:
        if self.parts is None:
            super().part(part)
        else:
            self.parts.append(sent(part))


def sent(part: Any) -> Any:
    """A part as it comes out of the connection."""
    return json.loads(json.dumps([type(part).__name__, part]))


def timeless(lines: list[str]) -> list[Any]:
    """Lines, those of JSON as objects without their times."""
    lines = "".join(lines).splitlines()
    objects = [json.loads(each) if each.startswith("{") else each for each in lines]
    for each in objects:
        if isinstance(each, dict):
            del each["time_ns"]
    return objects


def shares(rows: list[Any]) -> tuple[list[Any], list[Any]]:
    """Rows whose sums are those of two hosts together; one row only one of them has."""
    ours = [(*row[:2], row[2] // 3, row[3] // 2) for row in rows[1:]]
    theirs = [
        (*row[:2], *(all_ - part for all_, part in zip(row[2:], part[2:])))
        for row, part in zip(rows[1:], ours)
    ]
    return ours, [*theirs[::-1], rows[0]]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize(
    ("columns", "sort", "limit"),
    [
        (None, "count", None),
        (None, "-bytes", 3),
        (["bytes", "CPU"], "-count", None),
        (["count"], "bytes", 2),
        (["comm", "count"], "-cpu", 4),
    ],
)
def test_tables(
    form: str, columns: list[str] | None, sort: str | None, limit: int | None
) -> None:
    members = [*KEY, *SUMS]
    record = RecordType(named_layout(members), members, "t.table/1", "table", columns)
    writer = Kept()
    Table(record, form, Context(), writer, sort, limit, "p:f()").write(ROWS)
    maker = TableMaker(record, SUMS, form, Context(), sort, limit, "p:f()")
    parts = [part_of(sent(maker.part(rows)), form) for rows in shares(ROWS)]
    (one,) = merged_parts(parts)
    shown, expected = timeless(one.lines()), timeless(writer.written)
    if sort in ("count", "-count"):  # rows that are equal have no order of their own
        assert sorted(map(str, shown)) == sorted(map(str, expected))
    else:
        assert shown == expected


def test_ranked_tables_show_the_top_of_all() -> None:
    members = [*KEY, *SUMS]
    record = RecordType(named_layout(members), members, "t.table/1", "table", ["cpu"])
    maker = TableMaker(record, SUMS, "csv", Context(), is_ranked=True, top=3)
    parts = [part_of(sent(maker.part(rows)), "csv") for rows in shares(ROWS)]
    assert merged_parts(parts)[0].lines() == ["CPU\n", "10\n", "0\n", "1\n"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_histograms(form: str) -> None:
    member = Member("comm", Comm)
    key = RecordType(named_layout([member]), [member], "t.histogram/1", "histogram")
    parts, writer = [], Kept()
    Histograms(key, "usecs", form, Context(), writer).write(
        {(b"a,b\0",): [1, 2, 3], (b"\x1b\0",): [0, 7]}, 4321
    )
    for counts, total in (
        ({(b"a,b\0",): [1, 0, 3, 0]}, 1000),
        ({(b"\x1b\0",): [0, 7], (b"a,b\0",): [0, 2]}, 3321),
    ):
        remote = Kept(merges=True)
        Histograms(key, "usecs", form, Context(), remote).write(counts, total)
        parts += [part_of(each, form) for each in remote.parts or ()]
    (one,) = merged_parts(parts)
    assert timeless(one.lines()) == timeless(writer.written)


def test_stacks() -> None:
    lazy = Task("cat", 1), Frames(("read", "ksys_read"), ())
    busy = Task("\x1b", 2), Frames(("write",), ("main",))
    parts = [
        part_of(sent(StacksPart("table", False, 1, stacks)), "table")
        for stacks in ([(lazy, 5), (busy, 1)], [(busy, 6), (lazy, 1)])
    ]
    assert merged_parts(parts)[0].lines() == [
        "  write\n  main\n    \\x1b [2]\n    7\n\n"
    ]


def test_parts_that_differ_stay_apart() -> None:
    ours = StacksPart("table", False, None, [])
    parts = [part_of(sent(each), "table") for each in (ours, ours._replace(limit=1))]
    assert len(merged_parts(parts)) == 2


def table() -> Any:
    members = [*KEY, *SUMS]
    record = RecordType(named_layout(members), members, "t.table/1", "table")
    return sent(TableMaker(record, SUMS, "table", Context(), "count").part(ROWS[:1]))


def histogram() -> Any:
    remote = Kept(merges=True)
    key = RecordType(named_layout([]), [], "t.histogram/1", "histogram")
    Histograms(key, "usecs", "table", Context(), remote).write({(): [1, 2]}, 3)
    assert remote.parts
    return remote.parts[0]


def stacks() -> Any:
    stack = Task("cat", 1), Frames(("read",), ())
    return sent(StacksPart("table", False, 1, [(stack, 5)]))


NONSENSE = (None, -1, 1 << 90, True, 1.5, [], {}, "x\x1b", [None])


@pytest.mark.parametrize("good", [table(), histogram(), stacks()])
def test_nonsense_anywhere_is_refused_or_safe(good: Any) -> None:
    """Whatever stands in any place: no error but that one, and nothing unprintable."""
    part_of(good, "table")
    places = list(_places(good, ()))
    assert len(places) > 10
    for place in places:
        for bad in NONSENSE:
            part = copy.deepcopy(good)
            _put(part, place, bad)
            try:
                lines = merged_parts([part_of(part, "table")])[0].lines()
            except NotWire:
                continue
            assert re.sub(r"(?m)^\t|\n", "", "".join(lines)).isprintable()


def _places(found: Any, path: tuple[int, ...]) -> Any:
    if isinstance(found, list):
        for index, each in enumerate(found):
            yield (*path, index)
            yield from _places(each, (*path, index))


def _put(found: Any, place: tuple[int, ...], value: Any) -> None:
    for index in place[:-1]:
        found = found[index]
    found[place[-1]] = value


@pytest.mark.parametrize(
    "content",
    [None, [], ["x", False, False, []], ["\n", False, False, [["Nothing", []]]]],
)
def test_reports_that_are_none(content: Any) -> None:
    output = Merged((A, B), "table", Kept(), lambda host, line: None)
    with pytest.raises(NotWire):
        output.show(A, ("report", content))


class Intervals:
    """Reports of hosts a, b and c, of which each counts something of its own."""

    def __init__(self) -> None:
        self.writer = Kept()
        self.said: list[str] = []
        self.reports = Reports(self.writer, lambda host, line: self.said.append(line))
        self.running = {A, B, C}

    def add(self, host: Host, number: int, is_last: bool = False, **more: Any) -> None:
        task = Task(None, None), Frames((), ())
        parts = [StacksPart("table", False, None, [(task, number)])]
        cumulative = more.get("is_cumulative", False)
        self.reports.add(host, Report(PLAIN, is_last, cumulative, parts))
        self.reports.settle(self.running)

    def shown(self) -> list[int]:
        """The numbers of the reports so far."""
        lines = "".join(self.writer.written).split()
        return list(map(int, lines))


def test_a_report_waits_for_all() -> None:
    intervals = Intervals()
    intervals.add(A, 1)
    intervals.add(B, 10)
    assert intervals.shown() == []
    intervals.add(C, 100)
    assert intervals.shown() == [111]
    assert intervals.said == []


def test_a_late_one_is_in_the_next() -> None:
    intervals = Intervals()
    for number in (1, 2):
        intervals.add(A, number)
        intervals.add(B, number * 10)
    assert intervals.shown() == [1, 10]
    assert len(intervals.said) == 1
    intervals.add(C, 100)
    intervals.add(A, 3)
    assert intervals.shown() == [1, 10, 122]
    intervals.reports.finish()
    assert intervals.shown() == [1, 10, 122, 3]


def test_who_has_ended_is_not_waited_for() -> None:
    intervals = Intervals()
    intervals.add(A, 1)
    intervals.running = {A, B}
    intervals.add(B, 10)
    assert intervals.shown() == [11]


def test_the_last_ones_are_one() -> None:
    intervals = Intervals()
    for host, number in ((A, 1), (B, 10), (C, 100)):
        intervals.add(host, number, is_last=True)
    assert intervals.shown() == []
    intervals.reports.finish()
    assert intervals.shown() == [111]


def test_cumulative_reports_go_on() -> None:
    intervals = Intervals()
    for number in (1, 2):
        for host in (A, B, C):
            intervals.add(host, number, is_cumulative=True)
    assert intervals.shown() == [3, 9]
