"""Numbered events, so that a tool's first one tells when it was attached."""

from __future__ import annotations

import mmap
import os
import re
import signal
import struct
import time
from contextlib import suppress
from types import TracebackType

from bench.running import DoesNotRun, last_line

_MOST_EVENTS = 200_000
_READ_BYTES = 4096
_STARTED_SECONDS = 1.5

_ROW = re.compile(rb"/no-such-event/(\d+)\s")

# xfsslower's; the number is OFF_KB.
_READ_ROW = re.compile(rb" R 0 +(\d+) +\d+\.\d\d probed\s")

_CLOCK = struct.Struct("d")


class Prober:
    """A child process that makes events and notes the time before each.

    `options` make a tool show the events; `period` is the seconds between two.
    """

    options: tuple[str, ...] = ()
    period = 0.0005

    def __enter__(self) -> Prober:
        # The first slot counts the events; the others have their times.
        self._times = mmap.mmap(-1, _CLOCK.size * (_MOST_EVENTS + 1))
        self._pid = os.fork()
        if not self._pid:
            try:
                self._make_events()
            finally:
                os._exit(0)
        while not self._count():
            time.sleep(self.period)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that makes the events."""
        return self._pid

    def first_of(self, counted: int) -> float:
        """The time of the event from which on there were as many as a tool counted."""
        if not counted:
            raise DoesNotRun("it counted nothing")
        return self._time(max(0, self._count() - counted))

    def stop(self) -> None:
        """Makes no more events."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def first_seen(self, output: bytes) -> float:
        """The time (of time.monotonic) of the first event that a tool has seen."""
        raise NotImplementedError

    def is_seen(self, output: bytes) -> bool:
        """Whether a tool that has printed this has seen an event."""
        raise NotImplementedError

    def event(self, number: int) -> None:
        """Makes one event; called in the child."""
        raise NotImplementedError

    def _make_events(self) -> None:
        for number in range(_MOST_EVENTS):
            offset = _CLOCK.size * (number + 1)
            _CLOCK.pack_into(self._times, offset, time.monotonic())
            self.event(number)
            _CLOCK.pack_into(self._times, 0, number + 1)
            time.sleep(self.period)

    def _count(self) -> int:
        return int(_CLOCK.unpack_from(self._times, 0)[0])

    def _time(self, number: int) -> float:
        offset = _CLOCK.size * (number + 1)
        return float(_CLOCK.unpack_from(self._times, offset)[0])


class OpenProber(Prober):
    """Opens of missing files."""

    def event(self, number: int) -> None:
        """Opens a file whose name is the number."""
        with suppress(FileNotFoundError):
            os.open(f"/no-such-event/{number}", os.O_RDONLY)

    def is_seen(self, output: bytes) -> bool:
        """Whether a whole row is printed."""
        return _ROW.search(output) is not None

    def first_seen(self, output: bytes) -> float:
        """The time of the first number that is printed."""
        found = _ROW.search(output)
        if not found:
            raise DoesNotRun(last_line(output))
        return self._time(int(found[1]))


class ExecProber(OpenProber):
    """Executions of missing programs."""

    options = ("-x",)

    def event(self, number: int) -> None:
        """Executes a program whose name is the number."""
        name = f"/no-such-event/{number}"
        with suppress(FileNotFoundError):
            os.execv(name, [name])


class _FileProber(Prober):
    """Events of an open file."""

    _fd = -1

    def stop(self) -> None:
        """Makes no more events and closes the file."""
        super().stop()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class ReadProber(_FileProber):
    """Reads behind the end of a file in a directory, at numbered KiB."""

    options = ("0",)
    period = 0.005  # bcc may take minutes to start where the CPU is emulated

    def __init__(self, directory: str) -> None:
        path = os.path.join(directory, "probed")
        self._fd = os.open(path, os.O_CREAT | os.O_RDWR)

    def event(self, number: int) -> None:
        """Reads nothing at an offset that tells the number."""
        os.pread(self._fd, 1, number << 10)

    def is_seen(self, output: bytes) -> bool:
        """Whether a whole row is printed."""
        return _READ_ROW.search(output) is not None

    def first_seen(self, output: bytes) -> float:
        """The time of the least number that is printed; CPUs may be out of order."""
        numbers = _READ_ROW.findall(output)
        if not numbers:
            raise DoesNotRun(last_line(output))
        return self._time(min(map(int, numbers)))


class DiskProber(_FileProber):
    """Reads of a disk, which a tool only counts."""

    def __init__(self, disk: str) -> None:
        self.options = ("-d", os.path.basename(disk))
        self._fd = os.open(disk, os.O_RDONLY | os.O_DIRECT)
        self._buffer = mmap.mmap(-1, _READ_BYTES)

    def event(self, number: int) -> None:
        """Reads one block."""
        os.preadv(self._fd, [self._buffer], 0)

    def is_seen(self, output: bytes) -> bool:
        """Whether the tool is surely up; it prints no count before its end."""
        return self._count() * self.period > _STARTED_SECONDS

    def first_seen(self, output: bytes) -> float:
        """The time of the event from which on there were as many as counted.

        bpftrace's script counts all disks: other requests make its figure too small.
        """
        # A histogram's line is "[4, 8)  123 |@@@|" or "4 -> 7 : 123 |***|".
        counts = re.findall(rb"(?:\)|:)\s+(\d+)\s+\|", output)
        seen = sum(map(int, counts))
        if not seen:
            raise DoesNotRun(last_line(output))
        return self.first_of(seen)


class CountedReadProber(_FileProber):
    """Reads of `size` bytes of a file, which a tool only counts."""

    period = 0.005  # bcc may take minutes to start where the CPU is emulated

    def __init__(self, size: int) -> None:
        self._size = size
        self._fd = os.memfd_create("probed")
        os.write(self._fd, bytes(size))

    def event(self, number: int) -> None:
        """Reads the file."""
        os.pread(self._fd, self._size, 0)
