#!/usr/bin/python3
"""Runs the tests for every kernel with the standard library alone, reports each result.

They are the live tests and those of the compiler that need no more.

This is what runs inside a guest: `inside.py REPORT [PART]`, where PART is a part of the
names of the tests that run, of all if it is missing. The report gets one JSON
object a line: first what `skep doctor` says of this kernel, then one at the start and
one at the end of each test, so that it tells how far a guest came that died.
"""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

TREE = Path(__file__).resolve().parents[2]

# Emulated CPUs are some twenty times slower than real ones. On arm64 the verifier's
# log of a million instructions takes four minutes.
_SECONDS_PER_TEST = 600 if platform.machine() == "aarch64" else 300


# What the compiler's programs must be on every kernel to be loaded.
_DIFFERENTIAL = tuple(
    f"tests.differential.test_{name}"
    for name in ("loops", "regressions", "verifier_rules")
)


def live_tests(part: str = "") -> list[unittest.TestCase]:
    """Returns the tests for every kernel in the order in which they run.

    Only those with `part` in their names.
    """
    for directory in (TREE / "src", TREE):
        if str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(_DIFFERENTIAL)
    suite.addTests(
        loader.discover(str(TREE / "tests" / "live"), top_level_dir=str(TREE))
    )
    return [test for test in _flatten(suite) if part in test.id()]


def _flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from _flatten(entry)
        else:
            yield entry


def write(report: TextIO, **fields: object) -> None:
    """Adds an object to the report at once."""
    report.write(json.dumps(fields) + "\n")
    report.flush()


def examination() -> dict[str, object]:
    """What `skep doctor` says of this kernel with all its modules for tests loaded."""
    from tests.live import filesystems, nfs, support

    filesystems.available()
    nfs.available()
    done = subprocess.run(
        [support.SKEP, "doctor", "--json"], capture_output=True, text=True
    )
    return {
        "doctor": [json.loads(line) for line in done.stdout.splitlines()],
        "stderr": done.stderr,
        "python": platform.python_version(),
    }


class _Result(unittest.TestResult):
    """Writes the outcome of each test as soon as it is known."""

    def __init__(self, report: TextIO) -> None:
        from tests.live import support

        super().__init__()
        self._report = report
        self._started_tools = support.started
        self._outcome = ("passed", "")
        self._begin = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._outcome = ("passed", "")
        self._begin = time.monotonic()
        self._started_tools.clear()
        self._write(test=test.id(), outcome="started")
        # It fires again in case the test's own cleanup hangs as well.
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_PER_TEST, 30)

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)
        outcome, detail = self._outcome
        seconds = round(time.monotonic() - self._begin, 3)
        self._write(
            test=test.id(),
            outcome=outcome,
            detail=detail,
            seconds=seconds,
            tools=sorted(self._started_tools),
        )

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._record(test, "failed", self.errors[-1][1])

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._record(test, "failed", self.failures[-1][1])

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            is_failure = issubclass(err[0], test.failureException)
            (_, text) = (self.failures if is_failure else self.errors)[-1]
            self._record(test, "failed", f"{subtest}\n{text}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._record(test, "skipped", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._record(test, "failed", "passed, though marked as an expected failure")

    def _record(self, test: unittest.TestCase, outcome: str, detail: str) -> None:
        """Keeps the outcome of a running test; the worst counts.

        What unittest calls a test when a class or module cannot be set up or torn
        down is never started; it is named like "setUpClass (tests.live.x.Class)".
        """
        if not isinstance(test, unittest.TestCase):
            scope = test.id().partition(" ")[2].strip("()")
            self._write(scope=scope, outcome=outcome, detail=detail)
        elif self._outcome[0] != "failed":
            self._outcome = (outcome, detail)

    def _write(self, **fields: object) -> None:
        write(self._report, **fields)


def _out_of_time(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"the test ran for more than {_SECONDS_PER_TEST} seconds")


def main() -> int:
    """Returns 0 whether or not tests failed: the report tells that."""
    signal.signal(signal.SIGALRM, _out_of_time)
    tests = live_tests(*sys.argv[2:])
    with open(sys.argv[1], "w") as report:
        write(report, **examination())
        unittest.TestSuite(tests).run(_Result(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
