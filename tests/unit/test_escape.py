from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.escape import escape
from skep.output.text_rows import quoted


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"/etc/passwd", "/etc/passwd"),
        (b"a b", "a b"),
        ("naïve 文".encode(), "naïve 文"),
        (b"a\nb\tc\rd", r"a\nb\tc\rd"),
        (b"\x1b[2J\x07\x7f\x00", r"\x1b[2J\x07\x7f\x00"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\x9b1m".encode(), r"\u009b1m"),
        ("abc\u202edcba".encode(), r"abc\u202edcba"),
        ("\U000e0041".encode(), r"\U000e0041"),
        (rb"dev-disk-by\x2duuid", r"dev-disk-by\x2duuid"),
    ],
)
def test_what_cannot_be_printed_is_escaped(raw: bytes, shown: str) -> None:
    assert escape(raw.decode("utf-8", "surrogateescape")) == shown


@given(st.binary())
def test_escaped_text_is_printable_and_plain_utf8(raw: bytes) -> None:
    text = escape(raw.decode("utf-8", "surrogateescape"))
    assert text.isprintable()
    text.encode()


@pytest.mark.parametrize(
    ("text", "field"),
    [("a b", "a b"), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a\nb", r"a\nb")],
)
def test_csv_is_quoted_where_needed(text: str, field: str) -> None:
    assert quoted(text) == field
