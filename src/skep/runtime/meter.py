"""What programs cost, by the kernel's statistics of BPF programs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Callable

from skep.errors import NotPermitted
from skep.named_tuple import NamedTuple
from skep.runtime import privileges
from skep.runtime.programs import Program
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf

_SYSCTL = "/proc/sys/kernel/bpf_stats_enabled"


class Cost(NamedTuple):
    """What a program took: how often it ran, and for how long in all."""

    program: str
    attached: str
    runs: int
    run_time_ns: int


class Meter:
    """Measures programs while it is open.

    The kernel then reads its clock before and after each run of every program of the
    machine (bpf_prog_run, include/linux/filter.h), so short ones take notably longer.
    Raises NotPermitted without CAP_SYS_ADMIN, unless the machine measures anyway.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._fd = _enabled()
        self._programs: Sequence[Program] = ()
        self._before: Sequence[tuple[int, int]] = ()
        self._begin = self._last = (0, 0)

    def start(self, programs: Sequence[Program]) -> None:
        """Count from now on what these programs take."""
        self._programs = list(programs)
        self._before = [each.runs() for each in self._programs]
        self._begin = self._last = self._now()

    def _now(self) -> tuple[int, int]:
        """The time, and how long all programs ran by then, in nanoseconds."""
        total = sum(each.runs()[1] for each in self._programs)
        return self._clock(), total

    def share(self) -> float:
        """Percent of one CPU that the programs took since the last call."""
        (then, before), self._last = self._last, self._now()
        now, total = self._last
        return 100 * (total - before) / max(now - then, 1)

    @property
    def elapsed_ns(self) -> int:
        """Time since the start."""
        return self._clock() - self._begin[0]

    def costs(self) -> list[Cost]:
        """What each program took since the start."""
        found = []
        for program, (runs, time_ns) in zip(self._programs, self._before):
            now_runs, now_time = program.runs()
            attach = program.spec.attach
            place = f"{attach.kind}:{attach.name}".rstrip(":")
            cost = Cost(program.spec.name, place, now_runs - runs, now_time - time_ns)
            found.append(cost)
        return found

    def close(self) -> None:
        """Stop measuring."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _enabled() -> int:
    """What keeps statistics enabled; -1 where they are anyway."""
    try:
        return bpf.enable_stats()
    except OSError as error:
        if _is_always_on():
            return -1
        initial = privileges.current().initial_namespace
        if isinstance(error, PermissionError) and initial:
            raise NotPermitted(
                "not permitted to measure programs: this process lacks CAP_SYS_ADMIN",
                hint="run as root, or set the sysctl kernel.bpf_stats_enabled to 1",
            ) from error
        raise refusal(error, "measure programs") from error


def _is_always_on() -> bool:
    try:
        with open(_SYSCTL, encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False
