from __future__ import annotations

import json
import os
import select
import threading
from collections.abc import Iterator

import pytest

from skep.errors import SkepError, UsageError
from skep.fields import U64, Column, Comm, Context, Member
from skep.output.aggregates import Table
from skep.output.events import Events
from skep.output.record_types import RecordType
from skep.output.writer import OutputClosed, Writer
from skep.spec import RecordLayout
from tests.unit.records import OPEN, FakeRing, framed, payload


class Pipe:
    """A pipe whose writing end is a `Writer`."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.writer = Writer(writer)

    def text(self) -> str:
        """All that was written; the writer is closed."""
        os.close(self.writer.fd)
        with open(self.reader, encoding="utf-8") as lines:
            return lines.read()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    yield Pipe()


def ring(*pids: int) -> FakeRing:
    records = [framed(payload(pid, b"x", 0, b"/%d\0" % pid)) for pid in pids]
    return FakeRing(b"".join(records))


def test_header_and_rows(pipe: Pipe) -> None:
    events = Events([OPEN._replace(columns=["PID"])], "table", Context(), pipe.writer)
    events.header()
    events.drain(ring(5, 6))
    events.drain(ring(7))
    events.finish()
    assert pipe.text() == "PID\n5\n6\n7\n"


def test_json_has_no_header(pipe: Pipe) -> None:
    events = Events([OPEN], "json", Context(), pipe.writer)
    events.header()
    events.drain(ring(5))
    assert json.loads(pipe.text())["pid"] == 5


def test_a_limit(pipe: Pipe) -> None:
    record = OPEN._replace(columns=["PID"])
    events = Events([record], "csv", Context(), pipe.writer, limit=3)
    events.drain(ring(1, 2))
    assert not events.is_full
    events.drain(ring(3, 4, 5))
    assert events.is_full
    events.drain(ring(6))
    assert pipe.text() == "1\n2\n3\n"


@pytest.mark.parametrize(
    ("sort", "limit", "pids"),
    [("PID", None, "1 2 3 9"), ("-pid", None, "9 3 2 1"), ("-pid", 2, "9 3")],
)
def test_a_sorted_stream_comes_at_the_end(
    pipe: Pipe, sort: str, limit: int | None, pids: str
) -> None:
    record = OPEN._replace(columns=["PID"])
    events = Events([record], "csv", Context(), pipe.writer, sort=sort, limit=limit)
    events.drain(ring(3, 1, 9))
    events.drain(ring(2))
    events.finish()
    assert pipe.text().split() == pids.split()


def test_sorting_with_a_limit_keeps_memory_bounded(pipe: Pipe) -> None:
    record = OPEN._replace(columns=["PID"])
    events = Events([record], "csv", Context(), pipe.writer, sort="-pid", limit=2)
    for start in range(0, 3000, 30):
        events.drain(ring(*range(start, start + 30)))
    assert events._ranking is not None
    assert len(events._ranking._rows) <= 1004
    events.finish()
    assert pipe.text() == "2999\n2998\n"


def test_sorting_by_something_unknown(pipe: Pipe) -> None:
    with pytest.raises(UsageError, match="no such column: SIZE"):
        Events([OPEN], "csv", Context(), pipe.writer, sort="-SIZE")


COUNTS = RecordType(
    RecordLayout("counts", 1, [], 0),
    [Member("comm", Comm), Member("count", U64, Column(width=6))],
    "top.counts/1",
    kind="table",
)


def test_a_table_of_aggregates(pipe: Pipe) -> None:
    table = Table(COUNTS, "table", Context(), pipe.writer, sort="-count", limit=2)
    table.write([(b"sh", 3), (b"cc1", 20), (b"ld", 4)])
    table.write([(b"sh", 1)])
    assert pipe.text() == (
        "COMM              COUNT\n"
        "cc1                  20\n"
        "ld                    4\n"
        "COMM              COUNT\n"
        "sh                    1\n"
    )


def test_a_table_in_json(pipe: Pipe) -> None:
    Table(COUNTS, "json", Context(), pipe.writer, limit=1).write(
        [(b"sh", 3), (b"ld", 4)]
    )
    line = json.loads(pipe.text())
    assert line.pop("time_ns") > 0
    assert line == {
        "type": "table",
        "schema": "top.counts/1",
        "comm": "sh",
        "count": 3,
    }


def test_a_reader_that_is_gone(pipe: Pipe) -> None:
    os.close(pipe.reader)
    with pytest.raises(OutputClosed):
        pipe.writer.text("row\n")
    os.close(pipe.writer.fd)


def test_other_failures_are_errors() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(SkepError, match="Bad file descriptor"):
        Writer(fd).text("row\n")
    os.close(fd)


def test_a_slow_reader_of_a_non_blocking_pipe_gets_everything(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer.fd, False)
    read: list[bytes] = []

    def slowly() -> None:
        while True:
            piece = os.read(pipe.reader, 1 << 16)
            if not piece:
                return
            read.append(piece)

    thread = threading.Thread(target=slowly)
    thread.start()
    pipe.writer.lines(["é" * 100 + "\n"] * 5000)
    os.close(pipe.writer.fd)
    thread.join()
    os.close(pipe.reader)
    assert b"".join(read) == ("é" * 100 + "\n").encode() * 5000


def test_who_waits_for_a_slow_reader_is_never_blocked(pipe: Pipe) -> None:
    text, got = 100_000 * "row\n", bytearray()

    def waiting(fd: int) -> None:
        assert fd == pipe.writer.fd
        if not select.select([], [fd], [], 0)[1]:
            got.extend(os.read(pipe.reader, 1 << 16))

    pipe.writer.waiting = waiting
    pipe.writer.text(text)
    assert len(got) > 1 << 18
    assert got.decode() + pipe.text() == text
