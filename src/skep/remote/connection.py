"""A tool on another host: its ssh, what it gets and what it says."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from skep.errors import SkepError
from skep.named_tuple import NamedTuple
from skep.remote.archive import main_source, own_archive
from skep.remote.bootstrap import HAVE, HELLO
from skep.remote.hosts import Host, remote_command
from skep.remote.wire import Frame, NotWire, frame

_OPTIONS = (
    "-T",
    # Several hosts cannot ask questions on one terminal.
    *("-o", "BatchMode=yes"),
    # Nor does a master of connections that stays behind keep ours open.
    *("-o", "ControlMaster=no"),
    *("-o", "ConnectTimeout=30"),
    # A host that is gone without a word is noticed.
    *("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
)

_AT_ONCE = 1 << 18
LONGEST_LINE = 1 << 26
"""More than that is no line."""

UNREACHABLE = 255
"""The status of ssh where it is ssh that failed, ssh(1)."""


class Luggage(NamedTuple):
    """What goes to every host: the program that starts there, without its last line,
    and the archive of skep, which that may ask for."""

    first: bytes
    archive: bytes

    @classmethod
    def packed(cls) -> Luggage:
        """That of this skep."""
        from skep.remote import bootstrap

        archive = own_archive()
        loader = bootstrap.__loader__
        second = loader.get_source(bootstrap.__name__)  # type: ignore[union-attr]
        return cls(main_source(archive) + b"\n" + (second or "").encode(), archive)

    def program(self, keeps: bool, arguments: Sequence[str]) -> bytes:
        """The program that starts there."""
        sha256 = hashlib.sha256(self.archive).hexdigest()
        given = (len(self.archive), sha256, keeps, list(arguments))
        names = ", ".join(map(ascii, given))
        return self.first + f"\nos._exit(start(globals(), {names}))\n".encode()


class Connection:
    """One host.  `readers` and `writers` have what to call when a file descriptor can
    be read or written.  Raises SkepError if ssh cannot be run.

    `show` gets each frame that comes, `tell` each line of standard error.
    """

    def __init__(
        self,
        host: Host,
        ssh: Sequence[str],
        words: Sequence[str],
        program: bytes,
        archive: bytes,
        show: Callable[[Host, Frame], None],
        tell: Callable[[Host, str], None],
    ) -> None:
        self.host = host
        self.is_running = False
        self.said = ""
        self._archive = archive
        self._show, self._tell = show, tell
        self._output, self._errors = bytearray(), bytearray()
        line = remote_command(program, words)
        command = [*ssh, *_OPTIONS, "--", host.destination, line]
        try:
            # Ctrl-C at the terminal is for skep alone, which tells the hosts.
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            message = f"cannot run {ssh[0]}: {error.strerror}"
            raise SkepError(
                message, hint="it is in the package openssh-client"
            ) from None
        files = self.process.stdin, self.process.stdout, self.process.stderr
        self._stdin, self._stdout, self._stderr = (f.fileno() for f in files if f)
        for number in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(number, False)
        self.end = os.pidfd_open(self.process.pid)
        self._waiting = program
        self.readers: dict[int, Callable[[], None]] = {
            self._stdout: self._read_output,
            self._stderr: self._read_errors,
        }

    @property
    def writers(self) -> Mapping[int, Callable[[], None]]:
        """What is to be called when its file descriptor can be written."""
        return {self._stdin: self._write} if self._waiting else {}

    def _write(self) -> None:
        try:
            written = os.write(self._stdin, self._waiting[:_AT_ONCE])
        except BlockingIOError:
            return
        except OSError:  # it has ended, and says why elsewhere
            written = len(self._waiting)
        self._waiting = self._waiting[written:]

    def _read_output(self) -> None:
        for line in _lines(self._output, self._read(self._stdout)):
            self._take(line)
        if len(self._output) > LONGEST_LINE:
            raise NotWire

    def _take(self, line: bytes) -> None:
        if self.is_running:
            self._show(self.host, frame(line))
        elif line.startswith(HELLO):
            self.is_running = True
            if line + b"\n" != HELLO + HAVE:
                self._waiting = self._archive

    def _read_errors(self) -> None:
        for line in _lines(self._errors, self._read(self._stderr)):
            self._report(line)
        if len(self._errors) > LONGEST_LINE:
            raise NotWire

    def _report(self, line: bytes | bytearray) -> None:
        text = line.decode("utf-8", "surrogateescape").rstrip("\r")
        if not self.is_running:
            self.said = f"{self.said}{text}\n"[-(1 << 14) :]
        self._tell(self.host, text)

    def _read(self, number: int) -> bytes:
        """What there is; the descriptor is not watched any more when that is all."""
        try:
            found = os.read(number, _AT_ONCE)
        except BlockingIOError:
            return b""
        if not found:
            self.readers.pop(number, None)
        return found

    def stop(self) -> None:
        """Let the tool end, as by Ctrl-C; one that does not run yet ends at once."""
        if not self.is_running:
            self.process.kill()
            return
        self._waiting += b"stop\n"

    def finish(self) -> int:
        """When ssh has ended: show what is left; the status of the tool, or ssh's."""
        while self._stdout in self.readers and self._has(self._stdout):
            self._read_output()
        while self._stderr in self.readers and self._has(self._stderr):
            self._read_errors()
        if self._errors:
            self._report(self._errors)
        return self.process.wait()

    def _has(self, number: int) -> bool:
        import select

        return bool(select.select([number], [], [], 0)[0])

    def close(self) -> None:
        """End ssh if it has not ended, and forget it."""
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            if file is not None:
                file.close()
        os.close(self.end)


def _lines(rest: bytearray, more: bytes) -> list[bytes]:
    """The lines that are whole; what follows them stays in `rest`."""
    rest += more
    if b"\n" not in more:
        return []
    *lines, last = bytes(rest).split(b"\n")
    rest[:] = last
    return lines
