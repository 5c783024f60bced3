"""Options: declared in classes, converted from text, bound to values."""

from __future__ import annotations

from typing import Any

import pytest

from skep.authoring.options import MOST_LISTED, Option, Options, option
from skep.compiler.conditions import MOST_MEMBERS
from skep.errors import InternalError, UsageError
from skep.fields import OpenFlags, Port, Uid
from skep.toolkit.checks import positive


def even(number: int) -> int:
    if number % 2:
        raise UsageError(f"{number} is odd")
    return number


class Base(Options):
    heading = "tasks"

    pid: int = option("--pid", help="only this process")
    quiet: bool = option("--quiet")


class Some(Base):
    letters = {"pid": "-p"}

    name: str = option("-n", "--name")
    uid: Uid = option("--uid")
    flags: OpenFlags = option("--flags", repeat=True)
    pause: float = option("--pause", default=0.5)
    pages: int = option(check=even)
    words: str = option("--exec", rest=True)
    ports: Port = option("--ports", listed=True)
    shares: float = option("--shares", listed=True, check=positive)
    limit = 5  # not an option


def test_a_class_has_the_options_of_its_bases_first() -> None:
    names = ["pid", "quiet", "name", "uid", "flags", "pause", "pages", "words"]
    names += ["ports", "shares"]
    assert list(Some.options) == names
    assert list(Base.options) == names[:2]
    assert Options.options == {}


def test_options_know_their_names_types_and_headings() -> None:
    assert [o.name for o in Some.options.values()] == list(Some.options)
    assert Some.options["pid"].type is int
    assert Some.options["uid"].type is Uid
    assert Some.options["words"].type is str
    assert Some.options["pid"].heading == "tasks"
    assert Some.options["name"].heading == "options"


def test_letters_are_those_of_one_class() -> None:
    assert Some.options["pid"].flags == ("-p", "--pid")
    assert Base.options["pid"].flags == ("--pid",)
    assert Some.options["pid"].help == "only this process"
    assert Some.options["pages"].flags == ()


def test_a_letter_needs_an_option() -> None:
    with pytest.raises(InternalError, match="Wrong has no option comm"):

        class Wrong(Base):
            letters = {"comm": "-c"}


def test_an_annotation_must_be_known() -> None:
    with pytest.raises(InternalError, match="Wrong: unknown type Nowhere"):

        class Wrong(Options):
            name: Nowhere = option("--name")  # noqa: F821


def test_values_and_defaults() -> None:
    bound: Any = Some({"pid": 7})
    assert (bound.pid, bound.quiet, bound.name, bound.pause) == (7, False, None, 0.5)
    assert bound.limit == 5
    other: Any = Some({})
    assert other.pid is None
    assert isinstance(Some.pid, Option)  # the class keeps the declarations


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pid", "12", 12),
        ("pid", "0x10", 16),
        ("name", "12", "12"),
        ("pause", "1.5", 1.5),
        ("uid", "0", 0),
        ("flags", "O_WRONLY", 1),
        ("pages", "4", 4),
    ],
)
def test_conversion(name: str, text: str, value: object) -> None:
    assert Some.options[name].convert(text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pid", "twelve", "'twelve' is no whole number"),
        ("pid", "1.5", "'1.5' is no whole number"),
        ("pid", "", "'' is no whole number"),
        ("pause", "x", "'x' is no number"),
        ("pages", "3", "3 is odd"),
        ("uid", "-1", "no such user: '-1'"),
        ("flags", "-1", "Bad flag: -1"),
        ("uid", "4294967296", "4294967296 is not between"),
        ("uid", "no such user", "no such user"),
    ],
)
def test_text_without_value(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Some.options[name].convert(text)


def test_lists_have_commas() -> None:
    ports = Some.options["ports"]
    assert ports.convert("80") == (80,)
    assert ports.convert("80, 443,1") == (80, 443, 1)
    assert ports.with_letter("-L").convert("1,2") == (1, 2)
    assert Some.options["shares"].convert("0.5,2") == (0.5, 2.0)
    for text, message in (
        ("", "not a port: ''"),
        ("80,", "not a port: ''"),
        ("80,http", "not a port: 'http'"),
        ("0x50", "not a port: '0x50'"),
        ("65535,65536", "65536 is not between 0 and 65535"),
    ):
        with pytest.raises(UsageError, match=message):
            ports.convert(text)
    with pytest.raises(UsageError, match="0 is not more than zero"):
        Some.options["shares"].convert("1,0")


def test_lists_have_as_many_values_as_can_be_compared() -> None:
    assert MOST_LISTED == MOST_MEMBERS
    ports = Some.options["ports"]
    assert len(ports.convert(",".join(["80"] * MOST_LISTED))) == MOST_LISTED
    with pytest.raises(UsageError, match="1025 values are more than 1024"):
        ports.convert(",".join(["80"] * (MOST_LISTED + 1)))
