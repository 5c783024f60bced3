"""`--exec COMMAND`: trace one command from its first instruction to its end."""

from __future__ import annotations

import os
from typing import Any

from skep.errors import SkepError, UsageError
from skep.runtime.signals import StopSignals


class Child:
    """A child process that waits before it executes the command.

    It is made before the tool starts, so that its process id can be a constant of the
    kernel-side code, and released when everything is attached.
    """

    def __init__(self, command: list[str]) -> None:
        # Before a command is searched for, Python imports something: what the child
        # opens for that would be shown as files of the command.
        os.get_exec_path()
        self._command = command
        read_fd, self._gate = os.pipe2(os.O_CLOEXEC)
        self._failure, failure = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(read_fd, failure)
        os.close(read_fd)
        os.close(failure)

    @classmethod
    def start(cls, options: Any) -> Child | None:
        """The child for the option `command`, if the tool has it and it is given."""
        command = getattr(options, "command", None)
        if command is None:
            return None
        if not command:
            raise UsageError("--exec without command")
        if options.pid is not None:
            raise UsageError("--exec and --pid exclude each other")
        child = cls(command)
        options.pid = child.pid
        return child

    def _become(self, gate: int, failure: int) -> None:
        """In the child: wait for the word, then execute.  Never returns."""
        try:
            os.close(self._gate)
            if os.read(gate, 1):
                os.execvpe(self._command[0], self._command, os.environ)
        except OSError as error:
            os.write(failure, str(error.strerror).encode())
        finally:
            os._exit(127)

    def release(self, stop: StopSignals) -> None:
        """Let the child go on; its end will stop the tool."""
        import signal

        stop.add(signal.SIGCHLD)
        os.write(self._gate, b"x")

    def check(self) -> None:
        """Raise SkepError if the command could not be executed."""
        try:
            reason = os.read(self._failure, 1024).decode()
        except BlockingIOError:
            return  # it waits, or is about to be executed
        if reason:
            raise SkepError(f"cannot run {self._command[0]}: {reason}")

    def close(self) -> None:
        """Forget the child, which is not killed; reap it if it has ended."""
        os.close(self._gate)
        os.close(self._failure)
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass
