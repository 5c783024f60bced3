"""One run of a workload with a tool beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

from bench.peers import Contender
from bench.report import Sample
from bench.running import Running, program_statistics

Workload = Callable[[], int]
"""Makes a known number of events and returns the nanoseconds that they took."""


def traced(
    contender: Contender, tool: str, work: Workload, count: int, marker: str
) -> Sample:
    """What a tool does to, and shows of, `count` events.

    `marker` is a regular expression that occurs once in the row of each.
    """
    with Running(contender.command(tool)) as running:
        elapsed_ns = work()
        running.stop()
        delivered = len(re.findall(marker.encode(), running.output()))
        admitted = running.admitted()
    return {
        "elapsed_ns": elapsed_ns,
        "delivered": delivered,
        "admitted": admitted,
        "silent": count - delivered - admitted,
        "cpu_us": running.cpu_seconds * 1e6 / max(delivered, 1),
        "user_us": running.user_seconds * 1e6 / max(delivered, 1),
    }


def slowed(
    contender: Contender, tool: str, work: Workload, count: int, marker: str
) -> Sample:
    """The same, and how many times longer the workload took than alone.

    Alone is the faster of two runs, before and after: something else on the machine
    may slow down one of them.
    """
    before_ns = work()
    figures = traced(contender, tool, work, count, marker)
    return {**figures, "slowdown": figures["elapsed_ns"] / min(before_ns, work())}


def kernel_ns(
    contender: Contender, tool: str, work: Workload, count: int, *options: str
) -> float:
    """The time that a tool's programs take in the kernel for each event."""
    command = contender.command(tool, *options)
    with program_statistics(), Running(command) as running:
        before = running.run_time_ns()
        work()
        return (running.run_time_ns() - before) / count
