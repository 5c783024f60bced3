"""Runs a skep tool beside a workload and collects what it printed.

Standard library only, and Python 3.9: these tests also run in guests.

Environment:
    SKEP            the command to test, instead of the launcher of this tree
    SKEP_KERNEL     the kernel of the guest that this is
    SKEP_SLOW       how many times slower than usual this machine is (guests: 20)
"""

from __future__ import annotations

import binascii
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, NamedTuple, TypeVar

from tests.live import preemption
from tests.live.bpf_objects import existing_objects

TREE = Path(__file__).resolve().parents[2]
SKEP = os.environ.get("SKEP") or str(TREE / "skep")
SLOW = float(os.environ.get("SKEP_SLOW") or 1)

# What a shell runs in the background ignores Ctrl-C, and so would the tools.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

START_SECONDS = 20 * SLOW
STOP_SECONDS = 60 * SLOW

# Where all is emulated, looking for a line a hundred times a second takes a fifth of
# the time that the tool has.
POLL_SECONDS = 0.0025 * max(SLOW, 4)

_Test = TypeVar("_Test", bound=Callable[..., Any])

KERNEL = os.environ.get("SKEP_KERNEL")
"""Which guest this is, such as "6.12" or ARM64; None outside of guests."""

ARM64 = "6.12-arm64"
"""The guest of the other architecture, which is the slowest."""

# Their tests run on the other architecture wholly.
_HEADLINE = tuple(
    f"tests.live.test_{name}"
    for name in (
        *("biolatency", "execsnoop", "fsslower", "gethostlatency", "opensnoop"),
        *("tcplife", "tcplife_choice"),
    )
)

# The names of the tools that a test has run, for whoever runs the tests.
started: set[str] = set()


class Outcome(NamedTuple):
    """What a tool left behind."""

    status: int
    stdout: bytes
    stderr: bytes

    def lines(self) -> list[str]:
        """The lines of the output; bytes that are not UTF-8 are surrogates."""
        return self.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]

    def left_out(self) -> int:
        """The events that a program may have missed as it was running on the CPU."""
        return preemption.left_out(self.stderr)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """The JSON Lines of one type, such as "event"; fails on a malformed line."""
        objects = [json.loads(line) for line in self.stdout.decode().splitlines()]
        return [item for item in objects if item["type"] == kind]

    def ledger(self) -> dict[str, int]:
        """What the ledger counted, by cause, as the last line of type loss says."""
        lines = self.objects("loss")
        counts = lines[-1] if lines else {}
        common = ("type", "schema", "time_ns")
        return {key: n for key, n in counts.items() if n and key not in common}


def wait_until(
    holds: Callable[[], object],
    seconds: float = START_SECONDS,
    poll: float = POLL_SECONDS,
) -> bool:
    """Waits until a condition holds; whether it did before the time was up."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll)
    return True


class Tool:
    """A tool under test, as a context manager: attached inside, ended afterwards.

    The tool counts as attached when its first line, the header, is on its standard
    output.  A tool that prints no header is given something to report: `knock` is
    called until the first line appears.  `prefix` is a command that runs the tool.
    `is_attached` may be replaced before it starts.
    """

    def __init__(
        self,
        *arguments: str | bytes,
        knock: Callable[[], object] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.arguments = arguments
        self._prefix = prefix
        self._knock = knock
        self._outcome: Outcome | None = None
        self.is_attached: Callable[[], bool] = lambda: b"\n" in self.output()

    def __enter__(self) -> Tool:
        started.add(os.fsdecode(self.arguments[0]))
        self._stdout = tempfile.TemporaryFile()
        self._stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*self._prefix, SKEP, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
        )
        try:
            self.wait_for(lambda output: self.is_attached(), START_SECONDS)
            if self.output().startswith(b'{"type":"error"'):
                raise AssertionError(self.output().decode())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def output(self) -> bytes:
        """What is on standard output so far."""
        return os.pread(self._stdout.fileno(), 1 << 30, 0)

    def errors(self) -> bytes:
        """What is on standard error so far."""
        return os.pread(self._stderr.fileno(), 1 << 30, 0)

    def wait_for(
        self, arrived: Callable[[bytes], object], seconds: float = START_SECONDS
    ) -> None:
        """Waits until `arrived` holds for the output so far."""

        def has_arrived() -> object:
            if arrived(self.output()):
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"{self._name()} ended: {self._said()}")
            if self._knock:
                self._knock()
            return False

        if not wait_until(has_arrived, seconds):
            raise AssertionError(f"{self._name()}: no output: {self._said()}")

    def stop(self) -> Outcome:
        """Ends the tool as Ctrl-C does, unless it has ended, and returns all of it."""
        if self._outcome is None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
            self._outcome = self.wait()
        return self._outcome

    def wait(self) -> Outcome:
        """Waits until the tool ends by itself."""
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._name()} does not end") from None
        return Outcome(status, self.output(), self.errors())

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        preemption.note(self.errors())
        self._stdout.close()
        self._stderr.close()

    def _name(self) -> str:
        return " ".join(os.fsdecode(argument) for argument in self.arguments)

    def _said(self) -> str:
        return self.errors().decode(errors="replace")


def only_on(*kernels: str) -> Callable[[_Test], _Test]:
    """A decorator of tests that in guests run on some kernels only: what they are about
    differs little between kernels, or they need too long where all is emulated: without
    kernels, none.  Natively they run, and those of the headline tools on the other
    architecture.

    A class is not left out because the class that it inherits from is.
    """

    def decorate(test: _Test) -> _Test:
        is_left_out = KERNEL is not None and KERNEL not in kernels
        if KERNEL == ARM64 and test.__module__ in _HEADLINE:
            is_left_out = False
        test.__unittest_skip__ = is_left_out  # type: ignore[attr-defined]
        reason = f"of guests, runs on {' and '.join(kernels) or 'none'}"
        test.__unittest_skip_why__ = reason  # type: ignore[attr-defined]
        return test

    return decorate


class LiveTest(preemption.Again):
    """A test that traces the running kernel."""

    @classmethod
    def setUpClass(cls) -> None:
        if os.geteuid():
            raise unittest.SkipTest("tracing needs root")

    def assert_clean(self, outcome: Outcome) -> None:
        """The tool ended well and had nothing to say on standard error."""
        self.assertEqual(outcome.stderr.decode(errors="replace"), "")
        self.assertEqual(outcome.status, 0)

    def assert_rows(
        self, outcome: Outcome, rows: Iterable[str], expected: Iterable[str]
    ) -> None:
        """The rows are the expected ones, in any order, or the tool tells of losses."""
        shown, made = Counter(rows), Counter(expected)
        self.assertEqual(shown - made, Counter())
        self.assert_counted(outcome, sum(shown.values()), sum(made.values()))

    def assert_counted(self, outcome: Outcome, shown: int, made: int) -> None:
        """As many events are shown as were made, or the tool tells its losses.

        Only where tasks are preempted in programs may there be losses.
        """
        if not (preemption.PREEMPTS_PROGRAMS and outcome.left_out()):
            self.assert_clean(outcome)
        self.assert_sum(outcome, shown, made)

    def assert_freed(self, held: Set[tuple[str, int]]) -> None:
        """BPF objects that nobody holds any more are gone after a grace period."""
        wait_until(lambda: not held & existing_objects(), STOP_SECONDS)
        self.assertEqual(held & existing_objects(), set())

    def assert_sum(self, outcome: Outcome, known: int, made: int) -> None:
        """The tool shows, or knows to be lost, as many events as were made.

        How many it lost since a program was left out it knows only at most.
        """
        unknown = outcome.left_out() if preemption.PREEMPTS_PROGRAMS else 0
        self.assertLessEqual(known, made)
        self.assertGreaterEqual(known + unknown, made)

    def assert_usage_error(self, *arguments: str) -> str:
        """The tool refuses the arguments with status 2; returns its message."""
        message = self.assert_fails(2, *arguments)
        self.assertNotIn("Traceback", message)
        return message

    def assert_fails(self, status: int, *arguments: str, user: int = 0) -> str:
        """The tool ends by itself with the status; returns its message."""
        done = subprocess.run(
            [SKEP, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS,
            user=user,
        )
        self.assertEqual(done.returncode, status, done.stderr.decode())
        self.assertEqual(done.stdout, b"")
        self.assertNotEqual(done.stderr, b"")
        return done.stderr.decode()

    def assert_head_ends_quietly(
        self, tool: list[str], knock: Callable[[], object]
    ) -> None:
        """A tool whose reader goes away after the header ends without a word."""
        with tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                [SKEP, *tool], stdout=subprocess.PIPE, stderr=stderr
            )
            try:
                assert process.stdout is not None
                self.assertTrue(process.stdout.readline())
                process.stdout.close()

                def ended() -> bool:
                    knock()
                    return process.poll() is not None

                wait_until(ended)
                self.assertIn(process.poll(), (0, -signal.SIGPIPE))
                said = os.pread(stderr.fileno(), 1 << 16, 0)
                preemption.note(said)
                self.assertEqual(said, b"")
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()


def fork(run: Callable[[], object]) -> int:
    """Runs a function in a forked child of this process; returns the child's pid."""
    child = Paused(run)
    child.proceed()
    return child.pid


class Paused:
    """A forked child of this process that runs a function when it is told to."""

    def __init__(self, run: Callable[[], object]) -> None:
        wait, self._go = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._go)
            try:
                os.read(wait, 1)
                run()
            finally:
                os._exit(0)
        os.close(wait)

    def proceed(self) -> None:
        """Lets the child run, and waits for its end."""
        os.close(self._go)
        os.waitpid(self.pid, 0)


def json_bytes(event: dict[str, Any], key: str) -> Any:
    """The bytes of a text, or of a list of texts, in a JSON record; None stays."""
    value, exact = event[key], event.get(f"{key}_base64")
    if isinstance(value, list):
        return [_exact(*pair) for pair in zip(value, exact or [None] * len(value))]
    return value if value is None else _exact(value, exact)


def _exact(text: str, base64: str | None) -> bytes:
    return binascii.a2b_base64(base64) if base64 else text.encode()


def matches(pattern: str, lines: list[str]) -> list[re.Match[str]]:
    """The lines that match as a whole."""
    found = (re.fullmatch(pattern, line, re.DOTALL) for line in lines)
    return [match for match in found if match]
