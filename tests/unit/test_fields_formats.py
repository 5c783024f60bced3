"""Formats of messages: what each conversion takes, and how it shows."""

from __future__ import annotations

from typing import Any

import pytest

from skep.errors import Span, UsageError
from skep.fields.formats import Format, parse_format


def read(text: str) -> Format:
    return parse_format(text, lambda start, end: Span("f", 1, start, end, text))


def shown(text: str, *values: Any) -> str:
    return read(text).template % values


@pytest.mark.parametrize(
    ("text", "ctype"),
    [
        *((f"%{letter}", "s32") for letter in "di"),
        *((f"%{letter}", "u32") for letter in "uxXo"),
        *((f"%l{letter}", "s64") for letter in "di"),
        *((f"%{length}u", "u64") for length in ("l", "ll", "j", "z", "t")),
        ("%lld", "s64"),
        ("%zd", "s64"),
        ("%hd", "s16"),
        ("%hu", "u16"),
        ("%hx", "u16"),
        ("%hhd", "s8"),
        ("%hhu", "u8"),
        ("%llX", "u64"),
        ("%lo", "u64"),
        ("%c", "u8"),
        ("%s", "string"),
        ("%p", "u64"),
        ("%K", "u64"),
        ("%U", "u64"),
        ("%-+5.3ld", "s64"),
        ("%010.4s", "string"),
    ],
)
def test_type(text: str, ctype: str) -> None:
    (conversion,) = read(text).conversions
    assert conversion.ctype == ctype
    assert (conversion.start, conversion.end) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("%d", (-5,), "-5"),
        ("%i", (-5,), "-5"),
        ("%u", (5,), "5"),
        ("%5d|", (42,), "   42|"),
        ("%-5d|", (42,), "42   |"),
        ("%05d|", (-42,), "-0042|"),
        ("%+d %+d", (1, -1), "+1 -1"),
        ("% d", (42,), " 42"),
        ("%.4d", (42,), "0042"),
        ("%8.4d|", (42,), "    0042|"),
        ("%x %X", (255, 255), "ff FF"),
        ("%#x %#8x|", (255, 255), "0xff     0xff|"),
        ("%+u %+x", (1, 255), "1 ff"),
        ("% s|", ("x",), "x|"),
        ("%#5o|", ("0755",), " 0755|"),
        ("%08llx", (0xBEEF,), "0000beef"),
        ("%o", (0o755,), "755"),
        ("%s", ("text",), "text"),
        ("%6s|", ("text",), "  text|"),
        ("%-6s|", ("text",), "text  |"),
        ("%.2s|", ("text",), "te|"),
        ("%6.2s|", ("text",), "    te|"),
        ("%c%c", ("a", "b"), "ab"),
        ("%d%d", (1, 2), "12"),
        ("%d%%", (50,), "50%"),
        ("%%d", (), "%d"),
        ("100%%", (), "100%"),
        ("%%%d%%", (1,), "%1%"),
        ("a\\tb\\n", (), "a\tb\n"),
        ('say \\"%d\\"', (1,), 'say "1"'),
        ("back\\\\slash", (), "back\\slash"),
        ("\\q", (), "\\q"),
        ("\\%d", (1,), "\\1"),
        ("", (), ""),
        ("é%sü", ("ß",), "éßü"),
    ],
)
def test_shown(text: str, values: tuple[Any, ...], expected: str) -> None:
    assert shown(text, *values) == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a%f", "%f", "'%f': the kernel has no fractions"),
        ("%5.2e", "%5.2e", "'%5.2e': the kernel has no fractions"),
        ("%d %g", "%g", "'%g': the kernel has no fractions"),
        ("%", "%", "'%' is no conversion"),
        ("%d %", "%", "'%' is no conversion"),
        ("%5", "%5", "'%5' is no conversion"),
        ("%-%", "%-%", "'%-%' is no conversion"),
        ("%n", "%n", "'%n' is no conversion"),
        ("%*d", "%", "'%' is no conversion"),
        ("%y", "%y", "'%y' is no conversion"),
        ("%ls", "%ls", "'%ls' is no conversion"),
        ("%hK", "%hK", "'%hK' is no conversion"),
        ("%1001d", "%1001d", "'%1001d' is wider than 1000"),
        ("%.1001s", "%.1001s", "'%.1001s' is wider than 1000"),
    ],
)
def test_refused(text: str, place: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    diagnostic = caught.value.diagnostic
    assert diagnostic.message == message
    assert diagnostic.span is not None
    assert text[diagnostic.span.column : diagnostic.span.end_column] == place
