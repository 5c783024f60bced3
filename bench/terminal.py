"""Runs a tool on a terminal of its own and notes when it says what."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from bench.running import DoesNotRun, last_line
from tests.live.support import SLOW

_END_SECONDS = 60 * SLOW


class Terminal:
    """A running tool; times are those of time.monotonic.

    started, interrupted, ended    of the tool
    last_output                    when it last printed something
    cpu_seconds                    user and system time, of its whole life
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._output: list[bytes] = []
        self.last_output = 0.0

    def __enter__(self) -> Terminal:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.started = time.monotonic()
        self._pid = os.fork()
        if not self._pid:
            os.dup2(slave, 1)
            os.dup2(slave, 2)
            try:
                os.execv(self._command[0], self._command)
            finally:
                os._exit(127)
        os.close(slave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._master)

    def run(
        self, seconds: float, until: Callable[[bytes], object] = lambda _: False
    ) -> None:
        """Reads what the tool prints for a time, or until something is printed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until(self.output()):
            self._read(0.02)
            if self._has_ended():
                raise DoesNotRun(last_line(self.output()))

    def peak_kib(self) -> int:
        """The largest resident set so far, in KiB.

        Not from wait4, whose figure includes the process that forked the tool.
        """
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        assert found
        return int(found[1])

    def interrupt(self) -> None:
        """Ends the tool as Ctrl-C does and reads what it still prints."""
        while self._read(0.2):
            pass
        self.interrupted = self.last_output = time.monotonic()
        os.kill(self._pid, signal.SIGINT)
        while not self._has_ended():
            if time.monotonic() > self.interrupted + _END_SECONDS:
                raise DoesNotRun("does not end")
            self._read(0.001)
        self.ended = time.monotonic()
        while self._read(0):
            pass
        usage = os.wait4(self._pid, 0)[2]
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self._pid = 0

    def output(self) -> bytes:
        """What the tool printed."""
        return b"".join(self._output)

    def _has_ended(self) -> bool:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._pid, options) is not None

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            chunk = os.read(self._master, 1 << 16)
        except OSError:  # EIO: the tool has closed its end
            time.sleep(0.001)
            return False
        self._output.append(chunk)
        self.last_output = time.monotonic()
        return bool(chunk)
