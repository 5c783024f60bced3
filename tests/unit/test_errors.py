"""Messages: what they quote is shown escaped, with the carets at the right place."""

from skep.errors import SkepError, Span


def test_what_messages_quote_is_escaped() -> None:
    error = SkepError(
        "no option \x1b[2J", notes=["from \udcff\u202e"], hint="see\x07\nand on"
    )
    assert str(error).splitlines() == [
        r"no option \x1b[2J",
        r"  note: from \xff\u202e",
        r"  hint: see\x07",
        "and on",
    ]


def test_carets_stand_below_what_is_escaped() -> None:
    text = "  \x1b(a \x01b)"
    place = Span("probe", 1, text.index("a"), text.index(")"), text)
    assert str(SkepError("no", place)).splitlines() == [
        "probe:1:5: no",
        r"  \x1b(a \x01b)",
        "       ^^^^^^^",
    ]


def test_a_caret_behind_the_end() -> None:
    place = Span("probe", 1, 3, 3, "abc")
    assert str(SkepError("no", place)).endswith("\n  abc\n     ^")
