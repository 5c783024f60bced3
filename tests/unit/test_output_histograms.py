from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from skep.fields import Context, Disk, IoFlags, Member
from skep.fields.diskstats import Disks
from skep.output.histogram_text import linear_text, log2_buckets, log2_text
from skep.output.histograms import Histograms
from skep.output.record_types import RecordType
from skep.output.writer import Writer
from skep.spec import RecordLayout

BCC_ROW = "%10d -> %-10d : %-8d |%-40s|"
BCC_WIDE_ROW = "%20d -> %-20d : %-8d |%-20s|"


def test_a_histogram_has_the_rows_of_bcc() -> None:
    assert log2_text([0, 1, 0, 40, 20, 0, 0], "usecs").splitlines() == [
        "     usecs               : count     distribution",
        BCC_ROW % (0, 1, 0, ""),
        BCC_ROW % (2, 3, 1, "*"),
        BCC_ROW % (4, 7, 0, ""),
        BCC_ROW % (8, 15, 40, "*" * 40),
        BCC_ROW % (16, 31, 20, "*" * 20),
    ]


def test_stars_are_rounded_down() -> None:
    rows = log2_text([999, 1000], "usecs").splitlines()
    assert rows[1] == BCC_ROW % (0, 1, 999, "*" * 39)


def test_a_histogram_of_large_values_is_wide() -> None:
    narrow, wide = [0] * 31 + [1], [0] * 32 + [1]
    assert log2_text(narrow, "nsecs").splitlines()[-1] == (
        BCC_ROW % (2**31, 2**32 - 1, 1, "*" * 40)
    )
    assert log2_text(wide, "nsecs").splitlines()[0] == (
        " " * 15 + "%-29s : count     distribution" % "nsecs"  # noqa: UP031
    )
    assert log2_text(wide, "nsecs").splitlines()[-1] == (
        BCC_WIDE_ROW % (2**32, 2**33 - 1, 1, "*" * 20)
    )


def test_all_values_of_64_bits_have_a_row() -> None:
    buckets = log2_buckets([1] * 64)
    assert buckets[0][:2] == (0, 1)
    assert buckets[-1][:2] == (2**63, 2**64 - 1)
    assert all(a.high + 1 == b.low for a, b in zip(buckets, buckets[1:]))


def test_an_empty_histogram_prints_nothing() -> None:
    assert log2_text([0] * 64, "usecs") == ""
    assert linear_text([0, 0], "runqlen") == ""


def test_a_linear_histogram() -> None:
    assert linear_text([2, 0, 1, 0], "runqlen").splitlines() == [
        "     runqlen       : count     distribution",
        "        0          : 2        |" + "*" * 40 + "|",
        "        1          : 0        |" + " " * 40 + "|",
        "        2          : 1        |" + "*" * 20 + " " * 20 + "|",
    ]


VDA, VDB = 253 << 20, 253 << 20 | 16

ALL = RecordType(RecordLayout("key", 1, [], 0), [], "biolatency/1", kind="histogram")
BY_DISK = ALL._replace(members=[Member("disk", Disk)])


@pytest.fixture
def context(tmp_path: Path) -> Context:
    path = tmp_path / "diskstats"
    path.write_text("253 0 vda 1\n253 16 vdb 1\n")
    return Context(disks=Disks(str(path)), io_names={"REQ_OP_READ": 0})


def written(
    key: RecordType, form: str, context: Context, counts: object, linear: bool = False
) -> str:
    reader, writer = os.pipe()
    histograms = Histograms(key, "usecs", form, context, Writer(writer), linear)
    histograms.write(counts)  # type: ignore[arg-type]
    os.close(writer)
    with open(reader, encoding="utf-8") as lines:
        return lines.read()


def test_one_histogram(context: Context) -> None:
    assert written(ALL, "table", context, {(): [1, 2]}) == log2_text([1, 2], "usecs")
    assert written(ALL, "table", context, {(): [1, 2]}, True) == (
        linear_text([1, 2], "usecs")
    )


def test_sections_are_sorted(context: Context) -> None:
    counts = {(VDB,): [1], (VDA,): [0, 3], (1,): [5]}
    assert written(BY_DISK, "table", context, counts) == (
        "\ndisk = ?\n"
        + log2_text([5], "usecs")
        + "\ndisk = vda\n"
        + log2_text([0, 3], "usecs")
        + "\ndisk = vdb\n"
        + log2_text([1], "usecs")
    )


def test_sections_by_several_members(context: Context) -> None:
    key = ALL._replace(members=[Member("disk", Disk), Member("flags", IoFlags)])
    text = written(key, "table", context, {(VDA, 0): [1]})
    assert text.startswith("\ndisk, flags = vda, Read\n")


def test_histograms_in_json(context: Context) -> None:
    counts = {(VDA,): [0, 3], (VDB,): [1]}
    lines = written(BY_DISK, "json", context, counts).splitlines()
    first, second = map(json.loads, lines)
    assert first.pop("time_ns") > 0
    assert first == {
        "type": "histogram",
        "schema": "biolatency/1",
        "disk": VDA,
        "disk_name": "vda",
        "unit": "usecs",
        "buckets": [
            {"low": 0, "high": 1, "count": 0},
            {"low": 2, "high": 3, "count": 3},
        ],
    }
    assert second["disk_name"] == "vdb"
    assert json.loads(written(ALL, "json", context, {(): [1]}))["buckets"] == [
        {"low": 0, "high": 1, "count": 1}
    ]


def test_histograms_in_csv(context: Context) -> None:
    assert written(BY_DISK, "csv", context, {(VDA,): [0, 3]}) == (
        "DISK,LOW,HIGH,COUNT\nvda,0,1,0\nvda,2,3,3\n"
    )
    assert written(ALL, "csv", context, {(): [4]}) == "LOW,HIGH,COUNT\n0,1,4\n"


def test_histograms_as_bcc_prints_json(context: Context) -> None:
    printed = ast.literal_eval(written(BY_DISK, "dict", context, {(VDA,): [0, 3]}))
    assert len(printed.pop("ts")) == len("2026-01-01 00:00:00")
    assert list(printed.items()) == [
        ("val_type", "usecs"),
        (
            "data",
            [
                {"interval-start": 0, "interval-end": 1, "count": 0},
                {"interval-start": 2, "interval-end": 3, "count": 3},
            ],
        ),
        ("disk", "vda"),
    ]
    assert "disk" not in ast.literal_eval(written(ALL, "dict", context, {(): [1]}))
