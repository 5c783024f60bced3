from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.fields import Args, Bytes, Column, Text
from skep.fields.text import Cut, Unreadable, cut
from tests.unit.records import json_of, shown


def test_text() -> None:
    assert shown(Text, "/tmp/é".encode()) == "/tmp/é"
    assert json_of(Text, "/tmp/é".encode()) == {"x": "/tmp/é"}
    assert shown(Text, b"/long/name", column=Column(format=".5")) == "/long"


def test_unreadable_text_is_null() -> None:
    assert shown(Text, Unreadable()) == ""
    assert json_of(Text, Unreadable()) == {"x": None}
    assert json_of(Text, b"") == {"x": ""}


def test_cut_text_says_so_in_json() -> None:
    assert shown(Text, Cut(b"/a")) == "/a"
    assert json_of(Text, Cut(b"/a")) == {"x": "/a", "x_truncated": True}


def test_text_that_is_not_utf8() -> None:
    assert shown(Text, b"\xfe/x") == r"\xfe/x"
    assert json_of(Text, b"\xfe/x") == {"x": "\ufffd/x", "x_base64": "/i94"}


@pytest.mark.parametrize(
    ("raw", "limit", "expected"),
    [
        (b"abcdef", 4, b"abcd"),
        ("abcé".encode(), 4, b"abc"),
        ("abé.".encode(), 4, "abé".encode()),
        ("a\u20ac.".encode(), 3, b"a"),
        ("\U0001f600.".encode(), 3, b""),
        (b"ab\x80\x80.", 4, b"ab\x80\x80"),
        (b"abc\xff.", 4, b"abc\xff"),
        (b"abc", 0, b""),
    ],
)
def test_a_cut_does_not_split_a_character(
    raw: bytes, limit: int, expected: bytes
) -> None:
    assert cut(raw, limit) == expected


@given(st.text(), st.integers(0, 20))
def test_cut_utf8_stays_utf8(text: str, limit: int) -> None:
    raw = text.encode("utf-8", "replace")
    head = cut(raw, limit)
    assert raw.startswith(head.decode().encode())
    assert limit - 3 <= len(head) <= limit or len(head) == len(raw)


@pytest.mark.parametrize(
    ("raw", "text", "items"),
    [
        (b"", "", {"x": []}),
        (b"ls\0", "ls", {"x": ["ls"]}),
        (b"ls\0-l\0\0", "ls -l ", {"x": ["ls", "-l", ""]}),
        (b"ls\0-l", "ls -l ...", {"x": ["ls", "-l"], "x_truncated": True}),
        (b"a\nb\0", r"a\nb", {"x": ["a\nb"]}),
        (
            b"a\xff\0b\0",
            r"a\xff b",
            {"x": ["a\ufffd", "b"], "x_base64": ["Yf8=", "Yg=="]},
        ),
    ],
)
def test_lists_of_strings(raw: bytes, text: str, items: dict[str, object]) -> None:
    assert shown(Args, raw, "table") == text
    assert json_of(Args, raw) == items


def test_quoted_arguments() -> None:
    column = Column(format="quoted")
    assert shown(Args, b'echo\0a "b"\0', "table", column=column) == (
        r'"echo" "a \"b\""'
    )


def test_raw_bytes() -> None:
    assert shown(Bytes, b"\x00\xffA") == "00ff41"
    assert json_of(Bytes, b"\x00\xffA") == {"x_base64": "AP9B"}
