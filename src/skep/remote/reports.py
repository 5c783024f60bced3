"""Reports of several hosts, put together to one for each interval."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from skep.named_tuple import NamedTuple
from skep.output.writer import Writer
from skep.remote.hosts import Host
from skep.remote.parts import Part, merged_parts


class Report(NamedTuple):
    """What a host counted since its last report.

    The last one of a host is of an unfinished interval.  A cumulative one is to be
    shown with all before it.
    """

    head: str
    is_last: bool
    is_cumulative: bool
    parts: Sequence[Part]


class Reports:
    """Writes a report when each host has made one.

    Hosts do not wait for each other: if one is late by an interval, what others
    counted is shown without it, and what it counts is in the next report.  So no count
    is lost, and none is shown twice.  The last ones are one report at the end.
    """

    def __init__(self, writer: Writer, tell: Callable[[Host, str], None]) -> None:
        self._writer = writer
        self._tell = tell
        self._waiting: dict[Host, list[Report]] = {}
        self._late: set[Host] = set()
        self._before: list[Part] = []

    def add(self, host: Host, report: Report) -> None:
        """Take the report of a host."""
        self._waiting.setdefault(host, []).append(report)
        self._late.discard(host)

    def settle(self, running: AbstractSet[Host]) -> None:
        """Show what can be shown while these hosts run.  Raises OutputClosed."""
        ready = {
            host: [each for each in reports if not each.is_last]
            for host, reports in self._waiting.items()
        }
        ready = {host: reports for host, reports in ready.items() if reports}
        missing = running - ready.keys()
        if not ready:
            return
        if missing:
            # Who is ahead by a report does not wait; the newest one still does.
            ready = {host: each[:-1] for host, each in ready.items() if len(each) > 1}
            if not ready:
                return
            for host in missing - self._late:
                self._tell(host, "skep: its report is late, and will be in the next")
            self._late |= missing
        for host, reports in ready.items():
            del self._waiting[host][: len(reports)]
        self._show([each for reports in ready.values() for each in reports])

    def finish(self) -> None:
        """Show what is left.  Raises OutputClosed."""
        left = [each for reports in self._waiting.values() for each in reports]
        self._waiting.clear()
        if left:
            self._show(left)

    def _show(self, reports: Sequence[Report]) -> None:
        parts = merged_parts(part for report in reports for part in report.parts)
        if reports[0].is_cumulative:
            parts = self._before = merged_parts([*self._before, *parts])
        self._writer.report(reports[0].head, time.time_ns())
        for part in parts:
            self._writer.part(part)
