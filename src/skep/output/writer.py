"""Where output goes: a file descriptor, without a buffer in between."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Protocol

from skep.errors import SkepError

_NEVER_BLOCKS = 4096
"""Bytes that a pipe takes at once when it takes any (PIPE_BUF)."""

HEADS = PLAIN, TIMED, BRACKETED, NONE = "\n", "\n%H:%M:%S\n", "[%H:%M:%S]\n", ""
"""What reports begin with."""


class Part(Protocol):
    """A part of a report: a histogram, a table or stacks."""

    def lines(self) -> list[str]:
        """What is written of it."""


class OutputClosed(Exception):
    """Nobody reads the output any more, as after `| head`: a quiet end, no error."""


class Writer:
    """Writes text to a file descriptor at once.

    Rows arrive here in batches, one for each time the ring was drained, so a buffer
    would only delay them: a terminal shows a row as soon as it is drained, and a pipe
    gets it within the reader's pause.  Who has something else to do while nobody reads
    waits by `waiting`, until a little can be written.

    What is written says what it is by the method that takes it: output that goes to
    another skep, which merges it, is divided by that (`skep.remote.wire`).
    """

    __slots__ = ("fd", "waiting")

    merges = False
    """Whether sums go to another skep, which adds those of others before it shows
    them: reports are then differences, and neither sorted nor cut."""

    def __init__(self, fd: int = 1) -> None:
        self.fd = fd
        self.waiting: Callable[[int], None] | None = None

    def banner(self, text: str) -> None:
        """Write what a tool says when everything is attached."""
        self.text(text)

    def header(self, text: str) -> None:
        """Write the titles of the columns of all lines to come."""
        self.text(text)

    def ranked(self, rows: Sequence[str], keys: Iterable[Any]) -> None:
        """Write rows in the order of their keys."""
        self.lines(rows)

    def counted(self, rows: Mapping[str, int]) -> None:
        """Write rows, each with how often it came, the most frequent first."""
        ranked = sorted(rows.items(), key=lambda item: -item[1])
        self.lines([f"{row}-->COUNT {count}\n\n" for row, count in ranked])

    def bare(self, lines: Sequence[str]) -> None:
        """Write lines for programs, which are no rows under a header."""
        self.lines(lines)

    def report(self, head: str, time_ns: int) -> None:
        """Begin a report with this, the time (since the Unix epoch) in it as in
        strftime(3)."""
        self.text(time.strftime(head, time.localtime(time_ns // 1_000_000_000)))

    def part(self, part: Part) -> None:
        """Write a part of a report."""
        self.lines(part.lines())

    def end_report(self, is_last: bool, is_cumulative: bool) -> None:
        """End the report; whether it is the last, and each one has all since the
        start."""

    def farewell(self, text: str) -> None:
        """Write what a tool says at its end."""
        self.text(text)

    def lines(self, lines: Sequence[str]) -> None:
        """Write lines that end in line feeds.  Raises OutputClosed."""
        if lines:
            self.text("".join(lines))

    def text(self, text: str) -> None:
        """Write `text` as UTF-8.

        Raises OutputClosed, or SkepError for text that cannot be kept (disk full).
        """
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while rest:
                rest = rest[self._write(rest) :]
        except OSError as error:
            # EIO: the terminal is gone.
            if error.errno in (errno.EPIPE, errno.EIO):
                raise OutputClosed from error
            raise SkepError(f"cannot write the output: {error.strerror}") from error

    def _write(self, rest: memoryview) -> int:
        if self.waiting:
            self.waiting(self.fd)
            rest = rest[:_NEVER_BLOCKS]
        try:
            return os.write(self.fd, rest)
        except BlockingIOError:
            # Some other program made the terminal or pipe non-blocking.
            import select

            select.select([], [self.fd], [])
            return 0


def show(text: str) -> None:
    """Write text to standard output, if anybody still reads it.  Raises SkepError."""
    try:
        Writer().text(text)
    except OutputClosed:
        pass
