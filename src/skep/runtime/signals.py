"""Ctrl-C, SIGTERM and SIGHUP as something to wait for, instead of exceptions."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import signal
    from types import FrameType
else:
    import _signal as signal  # what is beneath "signal", which makes enums of it

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 1.0


class StopSignals:
    """Catches SIGINT, SIGTERM and SIGHUP while it is open; main thread only.

    SIGHUP comes when the terminal is closed, or the connection by ssh: a recording is
    to have its end then, too.  Who ignores it, as nohup(1) does, goes on.

    The first signal only makes `fileno()` readable, so it can neither be lost in a
    callback nor tear a report.  A second one kills the process as if it had not been
    caught: the kernel takes down everything that is attached.  The second must come
    more than a second after the first, since timeout(1) sends its signal twice, to the
    process and to its group.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        self._stopping: tuple[int, ...] = _STOPPING[: -1 if ignored else None]
        self._since = 0.0
        self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # The C handler writes to the pipe at once, whatever Python is doing.
        self._previous_fd = signal.set_wakeup_fd(
            self._write_fd, warn_on_full_buffer=False
        )
        self._previous: list[tuple[int, Any]] = [
            (number, signal.signal(number, self._handle)) for number in self._stopping
        ]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.received is None:
            self.received, self._since = number, now
        elif now - self._since > _PATIENCE_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def add(self, number: int) -> None:
        """Stop at one more signal: SIGCHLD, when the end of a child ends the run."""
        self._previous.append((number, signal.signal(number, self._handle)))
        self._stopping += (number,)

    def ask(self) -> None:
        """Ask to stop, as Ctrl-C does."""
        if self.received is None:
            self.received, self._since = signal.SIGINT, time.monotonic()

    def fileno(self) -> int:
        """What becomes readable when a signal has come; `stopped` empties it."""
        return self._read_fd

    def stopped(self) -> bool:
        """Whether a signal has asked to stop."""
        try:
            # Other signals with a Python handler write here too.
            numbers = os.read(self._read_fd, 64)
        except BlockingIOError:
            numbers = b""
        for number in numbers:
            if number in self._stopping and self.received is None:
                self.received, self._since = number, time.monotonic()
        return self.received is not None

    def close(self) -> None:
        """Put the previous handlers back."""
        for number, handler in self._previous:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self._previous_fd)
        os.close(self._read_fd)
        os.close(self._write_fd)

    def __enter__(self) -> StopSignals:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
