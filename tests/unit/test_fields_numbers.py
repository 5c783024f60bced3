from __future__ import annotations

import time

import pytest

from skep.fields import (
    U64,
    Clock,
    Column,
    Context,
    DurationNs,
    Field,
    Hex,
    LatencyMs,
    LatencyUs,
    Member,
    SinceStart,
    Time,
    WallClock,
)
from skep.output.decode import format_function
from skep.output.record_types import RecordType
from skep.spec import RecordLayout
from tests.unit.records import json_of, shown

CONTEXT = Context(clock=Clock(start_ns=2_000_000_000, offset_ns=10**18))


def test_plain_numbers() -> None:
    assert shown(U64, 2**64 - 1) == "18446744073709551615"
    assert shown(U64, 255, column=Column(format="04x")) == "00ff"
    assert shown(Hex, 255) == "0xff"
    assert json_of(Hex, 255) == {"x": 255}


def test_durations_are_nanoseconds_to_programs() -> None:
    assert shown(LatencyMs, 12_345_678) == "12.35"
    assert shown(LatencyUs, 12_345_678) == "12345"
    assert shown(DurationNs, 12_345_678) == "12345678"
    assert json_of(LatencyMs, 5, name="latency") == {"latency_ns": 5}
    assert json_of(LatencyMs, 5, name="latency_ns") == {"latency_ns": 5}


def test_seconds_since_the_first_record() -> None:
    layout = RecordLayout("r", 1, [], 0)
    record = RecordType(layout, [Member("time", Time), Member("n", U64)], "r/1")
    rows = format_function(record, "table", CONTEXT)
    assert rows([(5_000_000_000, 1)]) == ["0.000000000          1\n"]
    assert rows([(6_500_000_001, 2)]) == ["1.500000001          2\n"]


def test_seconds_since_start() -> None:
    assert shown(SinceStart, 3_250_000_000, context=CONTEXT) == "1.250"


def test_time_of_day() -> None:
    raw = 3_999_999_999
    expected = time.strftime("%H:%M:%S", time.localtime(10**9 + 3))
    assert shown(WallClock, raw, context=CONTEXT) == expected
    dated = shown(WallClock, raw, context=CONTEXT, column=Column(format="%Y"))
    assert dated == "2001"


def test_the_first_time_is_the_lines_own() -> None:
    import json

    layout = RecordLayout("r", 1, [], 0)
    members = [Member("time", WallClock), Member("since", SinceStart)]
    record = RecordType(layout, members, "r/1")
    [row] = format_function(record, "json", CONTEXT)([(7, 8)])
    assert json.loads(row) == {
        "type": "event",
        "schema": "r/1",
        "time_ns": 10**18 + 7,
        "since_ns": 8 - CONTEXT.clock.start_ns,
    }


def test_time_counts_though_its_column_is_not_chosen() -> None:
    import json

    layout = RecordLayout("r", 1, [], 0)
    members = [Member("time", Time), Member("n", U64)]
    record = RecordType(layout, members, "r/1", columns=["N"])
    [row] = format_function(record, "json", CONTEXT)([(7, 8)])
    assert json.loads(row)["time_ns"] == 10**18 + 7


def test_the_clock_of_this_machine() -> None:
    clock = Clock.measure()
    wall = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + clock.offset_ns
    assert abs(wall - time.time_ns()) < 10_000_000
    assert clock.start_ns <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)


@pytest.mark.parametrize("field", [Time, SinceStart, WallClock])
def test_times_are_filled_by_the_kernel_side(field: type[Field]) -> None:
    assert (field.fill, field.ctype) == ("ktime_ns", "u64")
