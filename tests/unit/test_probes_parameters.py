"""Parameters in C spelling, and messages about those that are missing."""

from __future__ import annotations

import pytest

from skep.errors import UsageError
from skep.probes.parameters import (
    Declared,
    NoSuchParameter,
    parse_prototype,
    require,
)


def test_parameters_have_a_type_and_a_name() -> None:
    assert parse_prototype("struct request *rq, int error,u64 _b2") == (
        Declared("rq", "struct request *"),
        Declared("error", "int"),
        Declared("_b2", "u64"),
    )


def test_no_text_is_no_parameters() -> None:
    assert parse_prototype("") == ()


def test_user_pointers_are_marked_and_lose_the_word() -> None:
    (argv,) = parse_prototype("const char __user *const __user *argv")
    assert argv == Declared("argv", "const char *const *", user=True)


def test_tables_also_say_how_many_registers() -> None:
    assert parse_prototype("int fd, _, loff_t pos:2") == (
        Declared("fd", "int"),
        Declared("_", ""),
        Declared("pos", "loff_t", registers=2),
    )


@pytest.mark.parametrize("text", ["int", "*", "int a,", "int 2", "int a[3]", ", int b"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a parameter"):
        parse_prototype(text)


def test_a_missing_parameter_is_named_with_those_there_are() -> None:
    with pytest.raises(NoSuchParameter) as caught:
        require({"pathname", "modes"}, ["pathname", "mode"], "creat")
    assert caught.value.name == "modes"
    assert str(caught.value) == (
        "creat has no parameter 'modes'\n"
        "  note: its parameters are pathname, mode\n"
        "  hint: did you mean mode?"
    )


def test_nothing_missing_is_no_error() -> None:
    require(frozenset(), [], "sync")
    require({"mode"}, ["pathname", "mode"], "creat")
