from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.errors import InternalError
from skep.fields import Args, Bytes, Context, Member, Pid
from skep.fields.text import Cut, Unreadable
from skep.output import decoder as module
from skep.output.decode import decode_function
from skep.output.decoder import Decoder
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.spec import FieldLayout, RecordLayout
from tests.unit.records import OPEN, SIZE, FakeRing, decoded, framed, payload

BUSY = 1 << 31
DISCARDED = 1 << 30


def opened(number: int) -> bytes:
    return framed(payload(number, b"x", 0, b"/%d\0" % number))


def drained(ring: FakeRing, decoder: Decoder | None = None) -> list[int]:
    """The process ids of the records that one drain gives."""
    decoder = decoder or Decoder([OPEN], "raw", Context())
    rows: list[Any] = []
    decoder.drain(ring, rows.extend)
    return [row[0] for row in rows]


def test_the_reader_moves_past_what_it_has_read() -> None:
    ring = FakeRing(opened(1) + opened(2))
    assert drained(ring) == [1, 2]
    assert ring.position == ring.end
    assert drained(ring) == []


@given(st.integers(0, 511).map(lambda word: word * 8), st.integers(0, 50))
def test_records_wrap_round_the_end_at_any_place(start: int, count: int) -> None:
    records = b"".join(map(opened, range(count)))
    ring = FakeRing(records, start=8192 + start)
    assert drained(ring) == list(range(count))
    assert ring.position == ring.end


def test_a_busy_record_hides_those_behind_it() -> None:
    busy = framed(payload(2, b"", 0, b"\0"), BUSY)
    ring = FakeRing(opened(1) + busy + opened(3))
    assert drained(ring) == [1]
    assert ring.position == len(opened(1))
    assert drained(ring) == []


def test_discarded_records_are_passed_over() -> None:
    gap = framed(bytes(100), DISCARDED)
    ring = FakeRing(gap + opened(1) + gap + gap + opened(2) + gap)
    assert drained(ring) == [1, 2]
    assert ring.position == ring.end


def test_a_short_discarded_record_at_the_end_of_the_area() -> None:
    gap = framed(bytes(8), DISCARDED)
    ring = FakeRing(gap + opened(1), start=4096 - 16)
    assert drained(ring) == [1]


def test_rows_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2 * len(opened(0)))
    decoder = Decoder([OPEN], "raw", Context())
    batches: list[int] = []
    ring = FakeRing(b"".join(map(opened, range(5))))
    decoder.drain(ring, lambda rows: batches.append(len(rows)))
    assert batches == [2, 2, 1]


def test_text_of_the_greatest_length_is_whole() -> None:
    whole = b"a" * SIZE
    decoder = Decoder([OPEN], "raw", Context())
    rows: list[Any] = []
    ring = FakeRing(framed(payload(1, b"", 0, whole + b"\0")), start=4096 - 24)
    decoder.drain(ring, rows.extend)
    assert type(rows[0][3]) is bytes
    assert rows[0][3] == whole
    assert decoder.counters.truncated == 0


def test_longer_text_is_cut_and_counted() -> None:
    decoder = Decoder([OPEN], "raw", Context())
    rows: list[Any] = []
    tail = b"a" * SIZE + b"b\0"
    decoder.drain(FakeRing(framed(payload(1, b"", 0, tail))), rows.extend)
    assert rows[0][3] == Cut(b"a" * SIZE)
    assert type(rows[0][3]) is Cut
    assert decoder.counters.truncated == 1


def test_unreadable_text_is_counted_and_empty_text_is_not() -> None:
    decoder = Decoder([OPEN], "raw", Context())
    rows: list[Any] = []
    records = [payload(1, b"", 0, b""), payload(1, b"", 0, b"\0")]
    decoder.drain(FakeRing(b"".join(map(framed, records))), rows.extend)
    assert [type(row[3]) for row in rows] == [Unreadable, bytes]
    assert decoder.counters.failed_read == 1


def test_filtered_records_are_counted() -> None:
    decoder = Decoder([OPEN], "raw", Context(), [Filter("pid == 2")])
    assert drained(FakeRing(opened(1) + opened(2) + opened(3)), decoder) == [2]
    assert decoder.counters.filtered == 2


def test_a_list_of_strings_that_was_cut_is_counted() -> None:
    layout = RecordLayout("exec", 1, [], 4, "args", "strings", 100)
    record = RecordType(layout, [Member("args", Args)], "exec/1")
    decoder = Decoder([record], "values", Context())
    rows: list[Any] = []
    head = b"\1\0\0\0"
    ring = FakeRing(framed(head + b"ls\0-l\0") + framed(head + b"ls\0-"))
    decoder.drain(ring, rows.extend)
    assert rows == [(["ls", "-l"],), (["ls", "-"],)]
    assert decoder.counters.truncated == 1


def test_a_tail_of_bytes() -> None:
    layout = RecordLayout("packet", 1, [], 4, "head", "bytes", 100)
    record = RecordType(layout, [Member("head", Bytes)], "packet/1")
    assert decoded([b"\1\0\0\0\xca\xfe"], record=record) == ["cafe\n"]


EXIT = RecordType(
    RecordLayout("exit", 2, [FieldLayout("tid", "Q", 8, 8)], 16),
    [Member("tid", Pid)],
    "exit/1",
)


def test_records_of_several_classes() -> None:
    exited = framed(b"\2\0\0\0\0\0\0\0" + (77).to_bytes(8, "little"))
    decoder = Decoder([OPEN, EXIT], "table", Context())
    rows: list[Any] = []
    ring = FakeRing(exited + opened(1) + exited, start=4096 - 40)
    decoder.drain(ring, rows.extend)
    assert rows == ["77\n", "1      x                   0   0 /1\n", "77\n"]


def test_a_record_of_an_unknown_class() -> None:
    with pytest.raises(InternalError, match="unknown type 9"):
        drained(
            FakeRing(framed(payload(1, b"", 0, b"\0", type_id=9))),
            Decoder([OPEN, EXIT], "raw", Context()),
        )


def test_a_record_that_is_longer_than_its_layout_allows() -> None:
    long = framed(payload(1, b"", 0, bytes(500)))
    with pytest.raises(InternalError, match="longer than its layout"):
        drained(FakeRing(long, start=4096 - 200))


def test_a_tail_without_limit_is_refused() -> None:
    layout = OPEN.layout._replace(tail_max=0)
    with pytest.raises(InternalError, match="no limit"):
        Decoder([OPEN._replace(layout=layout)], "raw", Context())


def test_cpus_that_reorder_loads_read_the_length_first() -> None:
    records = b"".join(map(opened, range(3)))
    results = []
    for ordered in (True, False):
        decode = decode_function([OPEN], "table", Context(), ordered=ordered)
        rows: list[str] = []
        assert decode(records + bytes(100), 0, len(records), rows, None) == len(records)
        results.append(rows)
    assert results[0] == results[1]
    assert len(results[0]) == 3
