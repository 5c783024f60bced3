"""The parsers of one-liners: random texts give an error with its place, or a tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from skep.btf.typename import parse_c_type
from skep.errors import UsageError
from skep.fields.formats import parse_format
from skep.frontends.cexpr import parse_expression
from skep.frontends.probe_text import whole
from tests.fuzz.choices import Choices
from tests.fuzz.texts import TEXTS, Texts

_choices = st.lists(st.integers(0, 255), max_size=60)


@pytest.mark.parametrize("subject", TEXTS, ids=lambda subject: subject.name)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=_choices)
def test_error_has_a_place(subject: Texts, made: list[int]) -> None:
    case = subject.case(Choices(given=made))
    note(case.text)
    case.check()


def test_thousands_of_digits() -> None:
    digits = "9" * 5000
    with pytest.raises(UsageError, match="does not fit into 64 bits"):
        parse_expression(digits, whole(digits).span)
    with pytest.raises(UsageError, match="is wider than 1000"):
        parse_format(f"%{digits}d", whole(f"%{digits}d").span)
    with pytest.raises(UsageError, match="is not a C type"):
        parse_c_type(f"char[{digits}]")


@pytest.mark.parametrize("subject", TEXTS, ids=lambda subject: subject.name)
def test_both_outcomes(subject: Texts) -> None:
    outcomes = [subject.case(Choices(number)).check() for number in range(300)]
    assert 15 < outcomes.count("parsed") < 285
