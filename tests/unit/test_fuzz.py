"""The fuzzer itself: what it covers, that it makes failures smaller, its corpus."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.fixtures import saved_target
from tests.fuzz import coverage
from tests.fuzz.choices import Choices
from tests.fuzz.engine import Engine
from tests.fuzz.shrink import shrunk
from tests.fuzz.subject import Case, Failure, Subject


@pytest.mark.slow
def test_random_programs_have_every_construct() -> None:
    missing = coverage.constructs() - coverage.ELSEWHERE.keys()
    for number in range(coverage.PROGRAMS):
        if not missing:
            return
        missing -= coverage.of_number(number, saved_target("6.18"))
    assert not missing, f"tests/differential never makes {sorted(missing)}"


def test_what_is_covered_elsewhere_exists() -> None:
    assert coverage.ELSEWHERE.keys() <= coverage.constructs()


def test_choices_come_again() -> None:
    first = Choices("seed")
    numbers = [first.number(3, 9) for _ in range(20)]
    again = Choices(given=first.made)
    assert [again.number(3, 9) for _ in range(20)] == numbers
    assert again.number(3, 9) == 3


def test_shrunk_to_the_least() -> None:
    def attempt(given: Sequence[int]) -> Sequence[int] | None:
        return given if sum(given) >= 10 else None

    assert shrunk([7, 0, 30, 2, 9], attempt, 5) == [10]


class Sum(Case):
    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers

    @property
    def text(self) -> str:
        return " ".join(map(str, self.numbers))

    def check(self) -> str:
        if sum(self.numbers) > 100:
            raise Failure("too much")
        if 13 in self.numbers:
            raise ValueError(13)
        return "fine"


class Sums(Subject):
    name = "sums"

    def case(self, choices: Choices) -> Case:
        return Sum([choices.number(0, 50) for _ in range(choices.number(1, 8))])

    def kept(self, text: str) -> Case:
        return Sum([int(word) for word in text.split()])


def test_each_kind_of_failure_is_found_once() -> None:
    engine = Engine([Sums()], 1)
    found = [each for each in (engine.step() for _ in range(400)) if each]
    kinds = {each.failure.kind: each.case.text for each in found}
    assert len(found) == len(kinds) == 2
    assert kinds["ValueError in test_fuzz.py:check"] == "13"
    assert sum(map(int, kinds["too much"].split())) == 101
    (tally,) = engine.tallies
    assert sum(tally.outcomes.values()) == 400
