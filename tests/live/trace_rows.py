"""trace beside a workload of this process's children, and its rows."""

from __future__ import annotations

import ctypes
import os
import re
from typing import Callable, NamedTuple

from tests.live.support import LiveTest, Outcome, Paused, Tool

COUNT = 37

NOWHERE = "/nonexistent"

libc = ctypes.CDLL(None, use_errno=True)

_ROW = re.compile(r"(\d+) +(\d+) +(.{15}) (\S+) *( .*)?")


class Row(NamedTuple):
    """A row as printed, without what options put before it."""

    pid: int
    tid: int
    comm: str
    function: str
    message: str


def row_of(line: str) -> Row:
    """A row of the table."""
    match = _ROW.fullmatch(line)
    if match is None:
        raise AssertionError(f"this is no row: {line!r}")
    pid, tid, comm, function, message = match.groups()
    return Row(int(pid), int(tid), comm.rstrip(), function, (message or " ")[1:])


def open_nothing() -> None:
    """Opens COUNT files that are not there."""
    for number in range(COUNT):
        libc.open(b"%b/%d" % (NOWHERE.encode(), number), os.O_RDONLY | os.O_CLOEXEC)


def names() -> list[str]:
    """What `open_nothing` opens."""
    return [f"{NOWHERE}/{number}" for number in range(COUNT)]


def kill_nobody() -> None:
    """Sends COUNT signals to processes that there cannot be."""
    for number in range(COUNT):
        libc.kill(1 << 30 | number, number % 7)


class TraceTest(LiveTest):
    """Traces children of this process."""

    def trace(self, *arguments: str, run: Callable[[], object]) -> tuple[int, Outcome]:
        """The child that ran, by pid, and what the tool said of it alone."""
        child = Paused(run)
        with Tool("trace", "-p", str(child.pid), *arguments) as tool:
            child.proceed()
            outcome = tool.stop()
        return child.pid, outcome

    def rows(self, *arguments: str, run: Callable[[], object]) -> list[Row]:
        """The rows of a run in which nothing is lost."""
        pid, outcome = self.trace(*arguments, run=run)
        self.assert_clean(outcome)
        rows = [row_of(line) for line in outcome.lines()[1:]]
        self.assertLessEqual({(row.pid, row.tid) for row in rows}, {(pid, pid)})
        return rows

    def messages(self, *arguments: str, run: Callable[[], object]) -> list[str]:
        """The messages of a run in which nothing is lost."""
        return [row.message for row in self.rows(*arguments, run=run)]
