"""`--exec COMMAND`: trace one command from its first instruction to its end."""

from __future__ import annotations

import os
from typing import Any

from skep.errors import UsageError
from skep.runtime.signals import StopSignals
from skep.standard_error import tell


class Child:
    """A child process that waits before it executes the command.

    It is made before the tool starts, so that its process id can be a constant of the
    kernel-side code, and released when everything is attached.
    """

    def __init__(self, command: list[str]) -> None:
        # Before a command is searched for, Python imports something: what the child
        # opens for that would be shown as files of the command.
        os.get_exec_path()
        read_fd, self._gate = os.pipe2(os.O_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(command, read_fd)
        os.close(read_fd)

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

    def _become(self, command: list[str], gate: int) -> None:
        """In the child: wait for the word, then execute.  Never returns."""
        try:
            os.close(self._gate)
            if os.read(gate, 1):
                os.execvpe(command[0], command, os.environ)
        except OSError as error:
            tell(f"skep: {command[0]}: {error.strerror}\n")
        finally:
            os._exit(127)

    def release(self, stop: StopSignals) -> None:
        """Let the child go on; its end will stop the tool."""
        import signal

        stop.add(signal.SIGCHLD)
        os.write(self._gate, b"x")

    def close(self) -> None:
        """Forget the child, which is not killed; reap it if it has ended."""
        os.close(self._gate)
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass
