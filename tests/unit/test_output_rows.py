from __future__ import annotations

import csv
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.errors import InternalError, UsageError
from skep.fields import U64, Column, Comm, Context, Member, Pid, Text, Time, Uid
from skep.output.decode import format_function
from skep.output.events import header_line
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.spec import FieldLayout, RecordLayout
from tests.unit.records import OPEN, decoded, payload

PASSWD = payload(1, b"init", 3, b"/etc/passwd\0")
MISSING = payload(1234567, b"ca\x1bt", -2, b"/tmp/\xff,\n\0")


BCC_ROW = "%-6d %-16s %4d %3d %s\n"


def test_a_table_has_the_widths_of_bcc() -> None:
    assert header_line(OPEN, "table", Context()) == (
        "PID    COMM               FD ERR PATH\n"
    )
    assert decoded([PASSWD, MISSING]) == [
        BCC_ROW % (1, "init", 3, 0, "/etc/passwd"),
        BCC_ROW % (1234567, r"ca\x1bt", -1, 2, r"/tmp/\xff,\n"),
    ]


def test_columns_that_bcc_prints_without_a_space_between() -> None:
    layout = RecordLayout("r", 1, [], 0)
    members = [Member("time", Time), Member("uid", Uid), *OPEN.members]
    record = RecordType(layout, members, "r/1")
    header = "%-14s%-6s%-6s %-16s %4s %3s %s\n"
    bcc_row = "%-14.9f%-6d" + BCC_ROW
    titles = ("TIME(s)", "UID", "PID", "COMM", "FD", "ERR", "PATH")
    assert header_line(record, "table", Context()) == header % titles
    [row] = format_function(record, "table", Context())([(5, 0, 1, b"x", 3, b"/")])
    assert row == bcc_row % (0, 0, 1, "x", 3, 0, "/")
    [row] = format_function(record, "table", Context())([(5, 100000, 1, b"x", 3, b"/")])
    assert "100000 1 " in row, "a value that fills its column does not touch the next"


def test_csv() -> None:
    rows = [header_line(OPEN, "csv", Context()), *decoded([PASSWD, MISSING], "csv")]
    assert list(csv.reader(rows)) == [
        ["PID", "COMM", "FD", "ERR", "PATH"],
        ["1", "init", "3", "0", "/etc/passwd"],
        ["1234567", r"ca\x1bt", "-1", "2", r"/tmp/\xff,\n"],
    ]


def test_json_lines() -> None:
    lines = [json.loads(row) for row in decoded([PASSWD, MISSING], "json")]
    times = [line.pop("time_ns") for line in lines]
    assert all(isinstance(time_ns, int) for time_ns in times)
    common = {"type": "event", "schema": "opensnoop.open/1"}
    assert lines == [
        {**common, "pid": 1, "comm": "init", "ret": 3, "path": "/etc/passwd"},
        {
            **common,
            "pid": 1234567,
            "comm": "ca\x1bt",
            "ret": -2,
            "error": "ENOENT",
            "path": "/tmp/\ufffd,\n",
            "path_base64": "L3RtcC//LAo=",
        },
    ]


@given(
    st.integers(0, 2**32 - 1),
    st.binary(max_size=16),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b"")),
)
def test_every_form_survives_any_record(
    pid: int, comm: bytes, ret: int, path: bytes
) -> None:
    record = payload(pid, comm, ret, path + b"\0")
    [line] = decoded([record], "json")
    fields = json.loads(line)
    assert (fields["pid"], fields["ret"]) == (pid, ret)
    [row] = decoded([record], "csv")
    [cells] = csv.reader([row])
    assert len(cells) == 5
    for text in (line, row, *decoded([record])):
        assert text[-1] == "\n"
        assert text[:-1].isprintable()
    [(_, _, raw_ret, raw_path)] = decoded([record], "raw")
    assert raw_ret == ret
    assert path.startswith(raw_path)


def test_values_for_the_library() -> None:
    assert decoded([PASSWD, MISSING], "values") == [
        (1, "init", 3, "/etc/passwd"),
        (1234567, "ca\x1bt", -2, "/tmp/\udcff,\n"),
    ]
    record = OPEN._replace(factory=dict.fromkeys)
    assert decoded([PASSWD], "values", record) == [
        dict.fromkeys((1, "init", 3, "/etc/passwd"))
    ]


def test_raw_rows_can_be_shown_later() -> None:
    rows = decoded([PASSWD, MISSING], "raw")
    for form in ("table", "csv"):
        assert format_function(OPEN, form, Context())(rows) == decoded(
            [PASSWD, MISSING], form
        )


def test_chosen_columns() -> None:
    record = OPEN._replace(columns=["path", "ERR", "Comm"])
    assert header_line(record, "table", Context()) == "PATH ERR COMM\n"
    assert decoded([PASSWD], record=record) == ["/etc/passwd   0 init\n"]
    assert decoded([PASSWD], "csv", record) == ["/etc/passwd,0,init\n"]
    line = json.loads(decoded([PASSWD], "json", record)[0])
    assert list(line)[3:] == ["path", "ret", "comm"]


def test_a_member_stands_for_all_of_its_columns() -> None:
    record = OPEN._replace(columns=["ret"])
    assert header_line(record, "csv", Context()) == "FD,ERR\n"


def test_an_unknown_column() -> None:
    record = OPEN._replace(columns=["PAHT"])
    with pytest.raises(UsageError, match="no such column: PAHT") as error:
        header_line(record, "table", Context())
    assert error.value.diagnostic.hint == "did you mean PATH?"


def test_padded_text_before_another_column() -> None:
    members = [Member("path", Text, Column(width=8, align=">")), Member("pid", Pid)]
    record = RecordType(RecordLayout("r", 1, [], 0), members, "r/1")
    assert format_function(record, "table", Context())([(b"/x", 7)]) == ["      /x 7\n"]


@pytest.mark.parametrize(
    ("rule", "pids"),
    [
        (Filter("needle in comm", {"needle": "ca"}), [1234567]),
        (Filter("rule.search(path)", {"rule": re.compile("passwd$")}), [1]),
        (Filter("ret < 0 and pid > 1"), [1234567]),
        (Filter("True"), [1, 1234567]),
    ],
)
def test_filters(rule: Filter, pids: list[int]) -> None:
    rows = decoded([PASSWD, MISSING], "raw", filters=[rule])
    assert [row[0] for row in rows] == pids


def test_all_filters_must_agree() -> None:
    filters = [Filter("pid == 1"), Filter("ret < 0")]
    assert decoded([PASSWD, MISSING], filters=filters) == []


def test_a_filter_on_something_unknown() -> None:
    with pytest.raises(InternalError, match="uses 'length', which is no member"):
        decoded([], filters=[Filter("length > 3")])


def test_text_in_the_fixed_part_ends_at_its_nul() -> None:
    layout = RecordLayout("r", 1, [FieldLayout("name", "8s", 4, 8)], 12)
    record = RecordType(layout, [Member("name", Text)], "r/1")
    data = b"\1\0\0\0" + b"ab\0stale"
    assert decoded([data], record=record) == ["ab\n"]
    assert decoded([data], "values", record) == [("ab",)]


def test_names_that_generated_code_uses_itself() -> None:
    names = ("data", "offset", "length", "rows", "append", "counters")
    fields = [FieldLayout(name, "I", 4 + 4 * i, 4) for i, name in enumerate(names)]
    layout = RecordLayout("r", 1, fields, 28)
    record = RecordType(layout, [Member(name, Pid) for name in names], "r/1")
    data = b"".join(number.to_bytes(4, "little") for number in range(7))
    assert decoded([data], "values", record) == [(1, 2, 3, 4, 5, 6)]
    assert decoded([data], "csv", record, filters=[Filter("length == 3")]) == [
        "1,2,3,4,5,6\n"
    ]


def test_memos_do_not_grow_without_end() -> None:
    record = RecordType(RecordLayout("r", 1, [], 0), [Member("comm", Comm)], "r/1")
    rows = format_function(record, "table", Context())
    texts = rows((str(number).encode(),) for number in range(10_000))
    assert texts[-1] == "9999\n"
    memos = [value for value in rows.__globals__.values() if isinstance(value, dict)]
    assert max(map(len, memos)) <= 4096


def test_a_filter_with_or_keeps_to_itself() -> None:
    filters = [Filter("pid == 1 or pid == 1234567"), Filter("ret < 0")]
    assert len(decoded([PASSWD, MISSING], filters=filters)) == 1


def test_the_same_column_twice() -> None:
    record = OPEN._replace(columns=["pid", "pid"])
    assert decoded([PASSWD], record=record) == ["1      1\n"]


def test_options_in_declarations_are_never_compared() -> None:
    class Opaque:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError

    members = [m._replace(column=Column(when=Opaque())) for m in OPEN.members]
    record = OPEN._replace(members=members)
    for form in ("table", "json", "raw"):
        assert len(decoded([PASSWD], form, record)) == 1


def test_a_spec_with_a_width_is_padded_to_the_column() -> None:
    members = [Member("n", U64, Column(format="04x", width=6)), Member("pid", Pid)]
    record = RecordType(RecordLayout("r", 1, [], 0), members, "r/1")
    assert format_function(record, "table", Context())([(255, 7)]) == ["  00ff 7\n"]
