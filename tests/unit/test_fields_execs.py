"""The arguments of an execve: as the caller gave them, as text and as a list."""

from __future__ import annotations

from typing import Any

import pytest

from skep.fields import Column, Context, ExecArgs, Interpreted, Member
from skep.fields.execs import as_given
from skep.output.decode import format_function
from skep.output.record_types import RecordType
from skep.spec import RecordLayout


def row(
    form: str, text: bytes, script: int = 0, spec: str = "20", hidden: bool = False
) -> str:
    """A row with the field alone, or with the mark of scripts before it."""
    members = [] if hidden else [Member("script", Interpreted)]
    members.append(Member("args", ExecArgs, Column(format=spec)))
    record = RecordType(RecordLayout("one", 1, [], 0), members, "test.one/1")
    values = (text,) if hidden else (script, text)
    [line] = format_function(record, form, Context())([values])
    return str(line[:-1])


def json_of(text: bytes, script: int = 0) -> dict[str, Any]:
    import json

    items = json.loads(row("json", text, script))
    assert items.pop("type") == "event"
    assert items.pop("schema") == "test.one/1"
    items.pop("time_ns")
    return dict(items)


@pytest.mark.parametrize(
    ("text", "script", "expected"),
    [
        (b"/bin/ls\0ls\0-l\0", 0, ["/bin/ls", "-l"]),
        (b"/bin/ls\0", 0, ["/bin/ls"]),
        (b"/bin/ls\0ls\0", 0, ["/bin/ls"]),
        (b"/bin/ls\0ls\0\0", 0, ["/bin/ls", ""]),
        (b"/bin/x\0argv0 of one's own\0/bin/x\0", 0, ["/bin/x", "/bin/x"]),
        (b"/b/s\0/bin/sh\0-e\0/b/s\0arg\0", 1, ["/b/s", "arg"]),
        (b"./s\0/usr/bin/env\0python3\0./s\0", 1, ["./s"]),
        (b"", 0, [""]),
    ],
)
def test_arguments_as_given(text: bytes, script: int, expected: list[str]) -> None:
    assert as_given((text, script)) == (expected, False)


def test_arguments_that_did_not_fit() -> None:
    assert as_given((b"/bin/ls\0ls\0-lo", 0)) == (["/bin/ls", "-lo"], True)


def test_a_script_whose_name_was_cut_off_keeps_what_there_is() -> None:
    assert as_given((b"/b/s\0/bin/sh\0/b", 1)) == (["/b/s", "/b"], True)


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        (b"/bin/ls\0ls\0-l\0/tmp\0", "20", "/bin/ls -l /tmp"),
        (b"/bin/ls\0ls\0-l\0/tmp\0", "2", "/bin/ls -l ..."),
        (b"/bin/ls\0ls\0-l\0/tmp\0", "3", "/bin/ls -l /tmp"),
        (b"/bin/ls\0ls\0-l\0/t", "20", "/bin/ls -l /t ..."),
        (b'/bin/ls\0ls\0a "b"\0', "20q", '"/bin/ls" "a \\"b\\""'),
        (b"/bin/ls\0ls\0a\0", "1q", '"/bin/ls" ...'),
        (b"/bin/ls\0ls\0a\nb\0", "20", r"/bin/ls a\nb"),
    ],
)
def test_text(text: bytes, spec: str, expected: str) -> None:
    assert row("table", text, spec=spec) == expected


def test_text_of_a_script() -> None:
    assert row("table", b"/b/s\0/bin/sh\0/b/s\0arg\0", 1) == "/b/s arg"


def test_without_the_mark_nothing_is_a_script() -> None:
    text = b"/b/s\0/bin/sh\0/b/s\0"
    assert row("table", text, hidden=True) == "/b/s /b/s"


def test_json() -> None:
    assert json_of(b"/bin/ls\0ls\0-l\0") == {"script": False, "args": ["/bin/ls", "-l"]}
    assert json_of(b"/b/s\0/bin/sh\0/b/s\0ar", 1) == {
        "script": True,
        "args": ["/b/s", "ar"],
        "args_truncated": True,
    }


def test_json_has_all_arguments_whatever_the_table_shows() -> None:
    assert '"args":["/bin/ls","a","b"]' in row("json", b"/bin/ls\0x\0a\0b\0", spec="1")


def test_bytes_that_are_no_utf8() -> None:
    assert row("table", b"/b\xff\0x\0") == r"/b\xff"
    assert json_of(b"/b\xff\0x\0")["args"] == ["/b\ufffd"]
