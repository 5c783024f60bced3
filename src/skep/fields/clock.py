"""From the kernel's clock to wall-clock time."""

from __future__ import annotations

import time

from skep.named_tuple import NamedTuple


class Clock(NamedTuple):
    """How CLOCK_MONOTONIC, which `bpf_ktime_get_ns` reads, relates to wall time.

    `start_ns` is the monotonic time at which the tool started; monotonic time plus
    `offset_ns` is nanoseconds since the Unix epoch.  The offset is measured once, so
    the times of one run stay comparable when the wall clock is set meanwhile.
    """

    start_ns: int = 0
    offset_ns: int = 0

    @classmethod
    def measure(cls) -> Clock:
        """The clock as of now."""
        readings = [_read_both() for _ in range(3)]
        # The shortest bracket was disturbed least.
        _, monotonic, wall = min(readings)
        return cls(monotonic, wall - monotonic)


def _read_both() -> tuple[int, int, int]:
    """(length of the bracket, monotonic time in its middle, wall time) in ns."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return after - before, (before + after) // 2, wall
