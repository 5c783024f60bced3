"""Runs a tool and measures it from outside, each tool in the same way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.live.bpf_objects import held_objects, run_time_ns
from tests.live.support import SLOW

_STATS = Path("/proc/sys/kernel/bpf_stats_enabled")
_TICKS = os.sysconf("SC_CLK_TCK")

# No tool takes longer to attach its probes; after them nothing changes any more.
_QUIET_SECONDS = 0.5 * SLOW
_START_SECONDS = 30 * SLOW
_END_SECONDS = 60 * SLOW

# bpftrace: "Lost 5 events"; skep: "5 events lost", and again "in all 5 events lost".
_ADMITTED = re.compile(r"lost (\d+)|(\d+) events lost", re.IGNORECASE)
_IN_ALL = re.compile(r"in all (\d+) events lost")


class DoesNotRun(Exception):
    """A tool ended before it was attached; the message is what it printed."""


class Running:
    """A tool that is attached while the context lasts; its output goes to a file."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def __enter__(self) -> Running:
        self._stdout = tempfile.TemporaryFile()
        self._stderr = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=self._stdout,
                stderr=self._stderr,
            )
        except OSError as error:
            raise DoesNotRun(str(error)) from None
        try:
            self._wait_until_attached()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._user_at_start = _user_seconds(self._process.pid)
        self._cpu_at_start = _cpu_seconds(self._process.pid)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        self._stderr.close()

    def _wait_until_attached(self) -> None:
        """Waits until the tool has opened programs and then nothing more."""
        deadline = time.monotonic() + _START_SECONDS
        held: set[tuple[str, int]] = set()
        since = time.monotonic()
        while not held or time.monotonic() - since < _QUIET_SECONDS:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DoesNotRun(self._last_words())
            time.sleep(0.05)
            now = held_objects(self._process.pid)
            if now != held:
                held, since = now, time.monotonic()

    def run_time_ns(self) -> int:
        """The time that the tool's programs have run in the kernel since loaded."""
        held = held_objects(self._process.pid)
        return sum(run_time_ns(number) for kind, number in held if kind == "program")

    def stop(self) -> None:
        """Ends the tool as Ctrl-C does; afterwards the figures below are there."""
        self._process.send_signal(signal.SIGINT)
        # Its last figures are in /proc only while it is a zombie.
        info = os.WEXITED | os.WNOWAIT
        deadline = time.monotonic() + _END_SECONDS
        while not os.waitid(os.P_PID, self._process.pid, info | os.WNOHANG):
            if time.monotonic() > deadline:
                raise DoesNotRun("does not end")
            time.sleep(0.01)
        pid = self._process.pid
        self.user_seconds = _user_seconds(pid) - self._user_at_start
        self.cpu_seconds = _cpu_seconds(pid) - self._cpu_at_start
        self._process.wait()

    def output(self) -> bytes:
        """What the tool printed on standard output."""
        return os.pread(self._stdout.fileno(), 1 << 30, 0)

    def admitted(self) -> int:
        """The lost events that the tool itself speaks of."""
        errors = os.pread(self._stderr.fileno(), 1 << 30, 0)
        text = (errors + self._tail()).decode(errors="replace")
        in_all = _IN_ALL.findall(text)
        found = _ADMITTED.findall(text)
        return sum(map(int, in_all)) or sum(int(a or b) for a, b in found)

    def _tail(self) -> bytes:
        """The lines of standard output that speak of losses, as bpftrace's do."""
        return b"\n".join(re.findall(rb"^Lost \d+ events$", self.output(), re.M))

    def _last_words(self) -> str:
        return last_line(os.pread(self._stderr.fileno(), 1 << 16, 0))


def last_line(output: bytes) -> str:
    """The last line that is not empty, which usually says why a tool ended."""
    return (output.decode(errors="replace").strip() or "no output").splitlines()[-1]


def _user_seconds(pid: int) -> float:
    """The user time of a process, counted in ticks of the clock (10 ms)."""
    # proc(5): utime is field 14; comm, the second, may have spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / _TICKS


def _cpu_seconds(pid: int) -> float:
    """The time of a process's first thread on a CPU, to the nanosecond."""
    # Documentation/scheduler/sched-stats.rst
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def program_statistics() -> Iterator[None]:
    """The kernel measures the run time of BPF programs; costs some 50 ns a run."""
    before = _STATS.read_text()
    _STATS.write_text("1")
    try:
        yield
    finally:
        _STATS.write_text(before)
