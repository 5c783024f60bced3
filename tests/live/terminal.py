"""A terminal of its own, at which a command is typed."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from types import TracebackType

from tests.live.support import STOP_SECONDS

# Wide enough that nothing which lists columns breaks lines.
_ROWS, _COLUMNS = 50, 200

CTRL_C = b"\x03"

ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": "dumb",
}
"""Of what runs at terminals: programs say the same everywhere."""

OWN_PROGRAMS = ".bin"
"""Where commands are looked for first: here in the directory of the terminal."""

_MOMENT = 0.05
"""Seconds between two looks at whether a condition holds."""


class Terminal:
    """A context manager: a shell's command runs at the terminal, until the end."""

    def __init__(self, command: str, directory: str) -> None:
        self._command, self._directory = command, directory
        self._written = bytearray()
        self.status: int | None = None

    def __enter__(self) -> Terminal:
        self.pid, self._master = pty.fork()
        if not self.pid:
            self._run()
        size = struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        return self

    def _run(self) -> None:
        """What the child process does."""
        try:
            os.chdir(self._directory)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            path = f"{self._directory}/{OWN_PROGRAMS}:{ENVIRONMENT['PATH']}"
            environment = {**ENVIRONMENT, "PATH": path}
            os.execve("/bin/bash", ["bash", "-c", self._command], environment)
        finally:
            os._exit(127)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._master)  # hangs up
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def press(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._master, keys)

    def text(self) -> str:
        """What stands on the terminal."""
        return self._written.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait(self, holds: Callable[[], object], seconds: float) -> bool:
        """Waits until a condition holds; whether it does.

        Returns early if the command ends.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline or not self._read():
                return bool(holds())
        return True

    def has_ended(self) -> bool:
        """Whether the command has ended."""
        return self.status is not None

    def end(self) -> int:
        """Waits until the command ends by itself; its exit status."""
        if not self.wait(self.has_ended, STOP_SECONDS):
            raise AssertionError(f"{self._command} does not end:\n{self.text()}")
        assert self.status is not None
        return self.status

    def _read(self) -> bool:
        """Reads what comes within a moment; False if the command has ended."""
        deadline = time.monotonic() + _MOMENT
        while self.status is None:
            left = max(0, deadline - time.monotonic())
            if not select.select([self._master], [], [], left)[0]:
                return True
            try:
                self._written += os.read(self._master, 1 << 16)
            except OSError as error:
                if error.errno != errno.EIO:  # nobody has the terminal open
                    raise
                _, status = os.waitpid(self.pid, 0)
                self.status = os.waitstatus_to_exitcode(status)
            if not left:
                return True
        return False
