"""Where output goes: a file descriptor, without a buffer in between."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skep.errors import SkepError


class OutputClosed(Exception):
    """Nobody reads the output any more, as after `| head`: a quiet end, no error."""


class Writer:
    """Writes text to a file descriptor at once.

    Rows arrive here in batches, one for each time the ring was drained, so a buffer
    would only delay them: a terminal shows a row as soon as it is drained, and a pipe
    gets it within the reader's pause.

    What is written says what it is by the method that takes it: output that goes to
    another skep, which merges it, is divided by that (`skep.remote.wire`).
    """

    __slots__ = ("fd",)

    def __init__(self, fd: int = 1) -> None:
        self.fd = fd

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
