"""Rows with a message, and with stacks below."""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from skep.errors import Span
from skep.fields import Column, Comm, Context, Member, Pid
from skep.fields.formats import parse_format
from skep.fields.messages import message_members
from skep.fields.stacks import KernelStack, UserStack
from skep.output.decode import format_function
from skep.output.events import header_line
from skep.output.record_types import RecordType
from skep.spec import RecordLayout

TEXT_SIZE = 8


class Symbol(NamedTuple):
    name: str | None
    offset: int
    module: str


class Symbols:
    """A kernel and a program with two functions each."""

    def kernel(self, address: int) -> Symbol:
        names = {0xF0: "vfs_read", 0xF1: "do_read"}
        return Symbol(names.get(address >> 8), address & 0xFF, "")

    def user(self, pid: int, address: int) -> Symbol:
        names = {0x40: "main", 0x41: "evil\x1b[m"}
        return Symbol(names.get(address >> 8), address & 0xFF, f"program{pid}")

    def caller(self, pid: int, address: int) -> Symbol:
        return self.user(pid, address) if pid else self.kernel(address)


def context() -> Context:
    made = Context()
    made._symbols = Symbols()  # type: ignore[assignment]
    return made


def record(text: str | None, *stacks: Member) -> RecordType:
    """The record of a probe with this format."""
    format_ = text and parse_format(text, lambda a, b: Span("f", 1, a, b, str(text)))
    members = message_members(
        "vfs_read", format_ or None, TEXT_SIZE, "-" if text else ""
    )
    return RecordType(
        RecordLayout("probe", 1, [], 0),
        [
            Member("pid", Pid),
            Member("comm", Comm, Column(width=15)),
            *members,
            *stacks,
        ],
        "trace.probe1/1",
    )


def row(made: RecordType, form: str, *values: Any) -> str:
    """The row of process 7, "cat", with these values of the format and stacks."""
    raw = (7, b"cat", 1, *values)
    [text] = format_function(made, form, context())([raw])
    return str(text)


def message_of(text: str, *values: Any) -> str:
    shown = row(record(text), "table", *values)
    start = "7       cat             vfs_read         "
    assert shown.startswith(start) and shown.endswith("\n")
    return shown[len(start) : -1]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x", (), "x"),
        ("", (), ""),
        ("%d and %u", (-1, 5), "-1 and 5"),
        ("%s|", (b"abc",), "abc|"),
        ("%s|", (b"",), "|"),
        ("%s|", (b"12345678",), "12345678|"),
        ("%s|", (b"123456789",), "12345678|"),
        ("%.3s|%6.3s|", (b"abcdef",) * 2, "abc|   abc|"),
        ("%s", (b"\xff\x1b[31m",), r"\xff\x1b[31m"),
        ("%c%c|%c|", (65, 0xFF, 0), r"A\xff||"),
        ("%c", (27,), r"\x1b"),
        ("%p %10p|", (0xBEEF, 0xBEEF), "0xbeef     0xbeef|"),
        ("%#o", (0o644,), "0644"),
        ("%K", (0xF010,), "vfs_read+0x10"),
        ("%K", (0x1234,), "[unknown]"),
        ("%20K|", (0xF010,), "       vfs_read+0x10|"),
        ("%U", (0x4001,), "main+0x1 [program7]"),
        ("%U", (0x1,), "[unknown] [program7]"),
        ("a\\tb\\n", (), r"a\tb\n"),
        ("100%%", (), "100%"),
    ],
)
def test_message(text: str, values: Sequence[Any], expected: str) -> None:
    assert message_of(text, *values) == expected


def test_without_a_message() -> None:
    assert row(record(None), "table") == "7       cat             vfs_read         \n"
    assert header_line(record(None), "table", context()).split() == [
        *("PID", "COMM", "FUNC")
    ]


def test_header() -> None:
    line = header_line(record("%d"), "table", context())
    assert line == "PID     COMM            FUNC             -\n"


def test_csv() -> None:
    made = record('%s, "%d"')
    lines = header_line(made, "csv", context()) + row(made, "csv", b"a,b", 5)
    assert list(csv.reader(io.StringIO(lines))) == [
        ["PID", "COMM", "FUNC", "-"],
        ["7", "cat", "vfs_read", 'a,b, "5"'],
    ]


def test_json_has_message_function_and_values() -> None:
    event = json.loads(row(record("%s: %d"), "json", b"name", -5))
    assert event["message"] == "name: -5"
    assert event["function"] == "vfs_read"
    assert (event["arg1"], event["arg2"]) == ("name", -5)
    assert (event["pid"], event["comm"]) == (7, "cat")
    assert event["type"] == "event" and event["schema"] == "trace.probe1/1"


def test_json_says_that_a_text_is_cut() -> None:
    event = json.loads(row(record("%s"), "json", b"123456789"))
    assert event["arg1"] == "12345678"
    assert event["arg1_truncated"] is True
    event = json.loads(row(record("%s"), "json", b"12345678"))
    assert "arg1_truncated" not in event


def stack(*addresses: int, pid: int = 0) -> bytes:
    """The bytes of a stack in a record, innermost frame first."""
    return struct.pack(
        f"=qQ{len(addresses)}Q", 8 * len(addresses), pid, *addresses
    ) + bytes(8)


def no_stack(error: int, pid: int = 0) -> bytes:
    return struct.pack("=qQ", error, pid)


WORDS = Column(width=8, format="offset module")
KERNEL = Member("kstack", KernelStack, WORDS)
USER = Member("ustack", UserStack, WORDS)

START = "7       cat             vfs_read         x\n"


def test_stacks_stand_below_the_row() -> None:
    made = record("x", KERNEL, USER)
    shown = row(made, "table", stack(0xF010, 0xF102), stack(0x4005, 0x99, pid=7))
    assert shown == (
        f"{START}"
        "        vfs_read+0x10\n"
        "        do_read+0x2\n"
        "        main+0x5 [program7]\n"
        "        [unknown] [program7]\n"
        "\n"
    )


def test_stacks_are_not_in_the_header() -> None:
    line = header_line(record("x", KERNEL, USER), "table", context())
    assert line.split() == ["PID", "COMM", "FUNC", "-"]


def test_addresses_in_stacks() -> None:
    words = Column(width=8, format="offset module address")
    made = record("x", Member("kstack", KernelStack, words))
    shown = row(made, "table", stack(0xF010))
    assert shown == f"{START}        000000000000f010 vfs_read+0x10\n\n"


def test_missing_stacks() -> None:
    made = record("x", KERNEL, USER)
    # EFAULT: a thread of the kernel has no stack of a program.
    shown = row(made, "table", stack(0xF000), no_stack(-14, 7))
    assert shown == f"{START}        vfs_read+0x0\n\n"
    shown = row(made, "table", no_stack(-17), no_stack(-14, 7))
    assert shown == f"{START}        [no stack: error -17]\n\n"


def test_text_of_programs_in_stacks_is_escaped() -> None:
    shown = row(record("x", USER), "table", stack(0x4100, pid=7))
    assert shown == f"{START}        evil\\x1b[m+0x0 [program7]\n\n"


def test_stacks_in_csv() -> None:
    made = record("x", KERNEL)
    lines = header_line(made, "csv", context()) + row(made, "csv", stack(0xF010, 0xF1))
    header, shown = csv.reader(io.StringIO(lines))
    assert header == ["PID", "COMM", "FUNC", "-", "KSTACK"]
    assert shown[:4] == ["7", "cat", "vfs_read", "x"]
    assert shown[4].startswith("vfs_read+0x10") and "[unknown]" in shown[4]
    assert "\n" not in shown[4]


def test_stacks_in_json() -> None:
    made = record("x", KERNEL, USER)
    values = stack(0xF010), stack(0x99, pid=7)
    event = json.loads(row(made, "json", *values))
    assert event["kstack"] == [
        {"address": "0xf010", "symbol": "vfs_read", "offset": 16, "module": ""}
    ]
    assert event["ustack"] == [
        {"address": "0x99", "symbol": None, "offset": 0x99, "module": "program7"}
    ]
    event = json.loads(row(made, "json", no_stack(-14), no_stack(-14, 7)))
    assert (event["kstack"], event["ustack"]) == (None, None)
