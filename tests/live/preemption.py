"""Tests that kernels since 7.0 may spoil, and how they are made again.

Since 7.0 a task can be preempted in a program at a tracepoint (a46023d5616e). Until it
goes on, the kernel leaves out that program for all other tasks of the CPU, and the tool
says so. Then a test has not seen what it wants to judge.
"""

from __future__ import annotations

import platform
import re
import unittest
from typing import Any

PREEMPTS_PROGRAMS = int(platform.release().partition(".")[0]) >= 7

_ATTEMPTS = 5
_LEFT_OUT = re.compile(
    rb"up to (\d+) events lost because a program was already running"
)

_seen = 0


def left_out(stderr: bytes) -> int:
    """How many events a tool says it may have missed for this reason."""
    told = _LEFT_OUT.findall(stderr)
    return int(told[-1]) if told else 0  # the last says how many in all


def note(stderr: bytes) -> None:
    """Remember that a tool said so, if it did."""
    global _seen
    _seen += left_out(stderr)


class Again(unittest.TestCase):
    """A test that is made again when it failed and programs were left out meanwhile.

    Nothing else is forgiven, and nothing where programs are not preempted.
    """

    def run(
        self, result: unittest.TestResult | None = None
    ) -> unittest.TestResult | None:
        if result is None or not PREEMPTS_PROGRAMS:
            return super().run(result)
        result.startTest(self)
        try:
            for _ in range(_ATTEMPTS):
                before = _seen
                attempt = _Attempt()
                super().run(attempt)
                if attempt.wasSuccessful() or _seen == before:
                    break
            attempt.tell(result)
        finally:
            result.stopTest(self)
        return result


class _Attempt(unittest.TestResult):
    """What came of a test, to be told to another result or forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[tuple[str, tuple[Any, ...]]] = []

    def tell(self, result: unittest.TestResult) -> None:
        """Tell the other result what this one was told."""
        for name, arguments in self._told:
            getattr(result, name)(*arguments)

    def addSuccess(self, *arguments: Any) -> None:
        super().addSuccess(*arguments)
        self._told.append(("addSuccess", arguments))

    def addError(self, *arguments: Any) -> None:
        super().addError(*arguments)
        self._told.append(("addError", arguments))

    def addFailure(self, *arguments: Any) -> None:
        super().addFailure(*arguments)
        self._told.append(("addFailure", arguments))

    def addSkip(self, *arguments: Any) -> None:
        super().addSkip(*arguments)
        self._told.append(("addSkip", arguments))

    def addSubTest(self, *arguments: Any) -> None:
        super().addSubTest(*arguments)
        self._told.append(("addSubTest", arguments))
