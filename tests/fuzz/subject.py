"""What is fuzzed: makers of cases, and what is wrong with one."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from types import TracebackType

from skep.errors import InternalError, SkepError, TooComplex, VerifierRejection
from tests.fuzz.choices import Choices


class Failure(Exception):
    """A case that shows a bug.

    `kind` is short and the same for all cases that fail in the same way.
    """

    def __init__(self, kind: str, details: str = "") -> None:
        super().__init__(f"{kind}\n{details}".rstrip())
        self.kind = kind


class Case(ABC):
    """Something to be checked."""

    @property
    @abstractmethod
    def text(self) -> str:
        """All of it, as the corpus keeps it; without a line that is a comment."""

    @abstractmethod
    def check(self) -> str:
        """How it went, in a word or two for the statistics.  Raises Failure."""


class Subject(ABC):
    """A kind of cases; `name` is that of its directory in the corpus."""

    name: str

    @abstractmethod
    def case(self, choices: Choices) -> Case:
        """A case by chance."""

    @abstractmethod
    def kept(self, text: str) -> Case:
        """A case of the corpus, from its text."""

    def available(self) -> bool:
        """Whether this machine has what the cases need."""
        return True


def failed(error: BaseException) -> Failure:
    """The failure that an unexpected error is."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TooComplex):
        return Failure("too complex", str(error))
    if isinstance(error, VerifierRejection):
        return Failure(f"rejection: {_reason(error.log)}", f"{error}\n{error.log}")
    if isinstance(error, InternalError) or not isinstance(error, SkepError):
        place = _place(error.__traceback__)
        lines = traceback.format_exception(
            type(error), error, error.__traceback__, chain=False
        )
        details = "".join(lines)
        return Failure(f"{type(error).__name__} in {place}", details)
    return Failure(f"{type(error).__name__}: {error.diagnostic.message}", str(error))


def _reason(log: str) -> str:
    """The last words of the verifier before its statistics, without numbers."""
    lines = [line for line in log.splitlines() if line and "processed " not in line]
    reason = lines[-1] if lines else "no log"
    return "".join("N" if c.isdigit() else c for c in reason)


def _place(trace: TracebackType | None) -> str:
    """Where an error was raised."""
    place = "nowhere"
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{code.co_name}"
        trace = trace.tb_next
    return place
