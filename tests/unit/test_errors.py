"""Messages: what they quote is shown escaped, with the carets at the right place."""

import errno

from skep.errors import SkepError, Span, refusal


def test_what_messages_quote_is_escaped() -> None:
    error = SkepError(
        "no option \x1b[2J", notes=["from \udcff\u202e"], hint="see\x07\nand on"
    )
    assert str(error).splitlines() == [
        r"no option \x1b[2J",
        r"  note: from \xff\u202e",
        r"  hint: see\x07\nand on",
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


def test_what_the_machine_refuses() -> None:
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/x")
    assert str(refusal(missing)) == (
        "cannot open /proc/x: No such file or directory\n  hint: is it mounted?"
    )
    full = OSError(errno.EMFILE, "Too many open files")
    assert str(refusal(full)) == (
        "the system refuses what skep needs: Too many open files\n"
        "  hint: is there a limit, by `ulimit -n`?"
    )
    full.filename = "/proc/self/status"
    assert str(refusal(full)).endswith("\n  hint: is there a limit, by `ulimit -n`?")
    full.filename = None
    lacking = ImportError("source not available")
    assert str(refusal(lacking)).splitlines() == [
        "this Python lacks what skep needs: source not available",
        "  hint: is its standard library whole? On Debian it is in 'python3'",
    ]
    lacking.__cause__ = full
    assert str(refusal(lacking)) == str(refusal(full))
    for error in (MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")):
        assert str(refusal(error)).startswith("there is not enough memory\n")
