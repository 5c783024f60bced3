"""One place to wait for records, the interval timer, the end of time, and signals."""

from __future__ import annotations

import enum
import select
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable

from skep.runtime.ring import RingBuffer
from skep.runtime.signals import StopSignals


class Event(enum.Enum):
    """Why `Poller.events` returned to the caller."""

    RECORDS = "records"
    INTERVAL = "interval"
    BEAT = "beat"
    STOP = "stop"


LINGER_S = 0.025
"""How long records may gather after a wake-up.

The kernel wakes the reader only when the ring has been empty: 100,000 records cost 11
wake-ups instead of up to 100,000, and rows still appear within 100 ms.
"""


_LONGEST_WAIT_S = 86400.0
"""epoll takes milliseconds in an int; who waits longer is woken once a day."""


class Poller:
    """Waits for whatever comes first and says what it was.

    `interval` and `duration` are in seconds; `stop` is an open StopSignals, or None for
    a library's caller, who keeps the signals.  `output` is a file descriptor: when the
    reader of that pipe or terminal goes away, there is nothing left to do.  `others`
    are descriptors with what to call when one is readable, at once.  Every `beat`
    seconds the caller has something of its own to do.
    """

    def __init__(
        self,
        rings: Sequence[RingBuffer] = (),
        interval: float | None = None,
        duration: float | None = None,
        stop: StopSignals | None = None,
        output: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        others: Mapping[int, Callable[[], object]] = {},
        beat: float | None = None,
    ) -> None:
        self._rings = rings
        self._interval = interval
        self._beat = beat
        self._duration = duration
        self._stop = stop
        self._clock = clock
        self._woken = clock()
        self._ends = [ring.pending()[2] for ring in rings]
        self._all = select.epoll()
        self._only_stop = select.epoll()
        for ring in rings:
            self._all.register(ring.fileno(), select.EPOLLIN)
        if stop is not None:
            self._all.register(stop.fileno(), select.EPOLLIN)
            self._only_stop.register(stop.fileno(), select.EPOLLIN)
        self._others = others
        for other in others:
            self._all.register(other, select.EPOLLIN)
        self._output = output
        self._is_unread = False
        if output is not None:
            try:
                self._all.register(output, 0)  # errors are reported all the same
            except OSError:
                pass  # a regular file has no reader; a closed one fails when written

    def events(self) -> Iterator[Event]:
        """RECORDS, INTERVAL and BEAT as they come, and at the end one STOP.

        Time starts with the first call.  At RECORDS the caller empties the rings; at
        STOP it reads what is left.  A caller that is too slow for the interval gets
        fewer reports, never a burst of them, and their times do not drift.
        """
        start = self._clock()
        end = None if self._duration is None else start + self._duration
        tick = None if self._interval is None else start + self._interval
        beat = None if self._beat is None else start + self._beat
        while True:
            deadlines = [at for at in (tick, beat, end) if at is not None]
            if self._wait(min(deadlines, default=None)):
                yield Event.RECORDS
            now = self._clock()
            if self._stopped() or self._is_unread or (end is not None and now >= end):
                yield Event.STOP
                return
            if tick is not None and self._interval and now >= tick:
                yield Event.INTERVAL
                tick += self._interval * (1 + (now - tick) // self._interval)
            if beat is not None and self._beat and now >= beat:
                yield Event.BEAT
                beat = now + self._beat

    def _wait(self, deadline: float | None) -> bool:
        """True when there are records, after they had some time to gather."""
        found = self._all.poll(self._remaining(deadline))
        self._is_unread = any(fd == self._output for fd, _ in found)
        others = [fd for fd, _ in found if fd in self._others]
        for fd in others:
            self._others[fd]()
        if len(others) == len(found) or self._stopped():
            return False
        pause = self._pause()
        remaining = self._remaining(deadline)
        self._only_stop.poll(pause if remaining is None else min(pause, remaining))
        return True

    def _pause(self) -> float:
        """How long to let records gather: in a flood, not until the ring is full.

        A quarter of the ring may be filled by the end, at the rate of the records since
        the last wake-up.
        """
        now = self._clock()
        elapsed, self._woken = now - self._woken, now
        pause = LINGER_S
        for index, ring in enumerate(self._rings):
            _, position, end = ring.pending()
            arrived, self._ends[index] = end - self._ends[index], end
            room = max(0, ring.size // 4 - (end - position))
            if arrived:
                pause = min(pause, elapsed * room / arrived)
        return pause

    def _remaining(self, deadline: float | None) -> float | None:
        if deadline is None:
            return None
        return min(max(0.0, deadline - self._clock()), _LONGEST_WAIT_S)

    def _stopped(self) -> bool:
        return self._stop is not None and self._stop.stopped()

    def close(self) -> None:
        """Forget the rings and the signals, which stay open."""
        self._all.close()
        self._only_stop.close()
