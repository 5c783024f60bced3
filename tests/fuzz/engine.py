"""Fuzzing for a while: cases in turn, failures made smaller, statistics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tests.fuzz.choices import Choices
from tests.fuzz.shrink import shrunk
from tests.fuzz.subject import Case, Failure, Subject, failed

SHRINK_SECONDS = 60
"""Time to make a failure smaller."""


class Found(NamedTuple):
    """A failure, made as small as there was time for."""

    subject: str
    number: int
    case: Case
    failure: Failure


class Tally:
    """What became of the cases of one subject."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.outcomes: Counter[str] = Counter()
        self.seconds = 0.0
        self.number = 0

    def line(self) -> str:
        """The statistics in a line."""
        cases = sum(self.outcomes.values())
        rate = cases / self.seconds if self.seconds else 0
        parts = ", ".join(f"{n} {what}" for what, n in self.outcomes.most_common())
        return f"{self.subject.name}: {cases} ({rate:.1f}/s): {parts}"


class Engine:
    """Runs cases of several subjects, each for the same share of the time."""

    def __init__(self, subjects: Sequence[Subject], seed: int) -> None:
        self.seed = seed
        self.tallies = [Tally(subject) for subject in subjects]
        self.found: list[Found] = []

    def step(self) -> Found | None:
        """One case of the subject that had the least time; its failure if it is the
        first of this kind."""
        tally = min(self.tallies, key=lambda each: each.seconds)
        start = time.monotonic()
        try:
            return self._run(tally)
        finally:
            tally.seconds += time.monotonic() - start

    def _run(self, tally: Tally) -> Found | None:
        number = tally.number
        tally.number += 1
        choices = Choices(f"{self.seed} {tally.subject.name} {number}")
        try:
            case = tally.subject.case(choices)
            outcome = case.check()
        except Exception as error:
            failure = failed(error)
            tally.outcomes["failed"] += 1
            known = {(each.subject, each.failure.kind) for each in self.found}
            if (tally.subject.name, failure.kind) in known:
                return None
            case, failure = smaller(tally.subject, choices.made, failure)
            found = Found(tally.subject.name, number, case, failure)
            self.found.append(found)
            return found
        tally.outcomes[outcome] += 1
        return None


def smaller(
    subject: Subject, made: Sequence[int], failure: Failure
) -> tuple[Case, Failure]:
    """The smallest case found that fails in the same way."""
    best = subject.case(Choices(given=made)), failure

    def attempt(given: Sequence[int]) -> Sequence[int] | None:
        nonlocal best
        choices = Choices(given=given)
        try:
            case = subject.case(choices)
            case.check()
        except Exception as error:
            again = failed(error)
            if again.kind == failure.kind:
                best = case, again
                return choices.made
        return None

    final = shrunk(made, attempt, SHRINK_SECONDS)
    attempt(final)
    return best
