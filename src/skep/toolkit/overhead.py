"""What a run costs: told at its end, and its end when it is too much."""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from typing import Any

from skep.errors import NotPermitted, NotSupported, TooExpensive
from skep.output.json_lines import line
from skep.output.receipts import COST_SCHEMA
from skep.runtime.meter import Cost, Meter
from skep.runtime.programs import Program

PERIOD_S = 1.0
"""How often a run with a limit is measured."""


class Overhead:
    """Measures a run that has `--max-overhead` or `--verbose`.

    Without the privilege to measure, the first is refused, and the second says so.
    """

    def __init__(self, options: Any, warn: Callable[[str], None]) -> None:
        self._limit: float | None = options.max_overhead
        self._is_told = bool(options.verbose)
        self._warn = warn
        self._meter: Meter | None = None
        self._detach: Callable[[], None] = lambda: None
        self.excess: TooExpensive | None = None
        try:
            self._meter = Meter()
        except (NotPermitted, NotSupported) as error:
            if self._limit is not None:
                raise
            warn(f"the cost of programs is not known: {error.diagnostic.message}\n")

    @property
    def beat(self) -> float | None:
        """How often, in seconds, `check` wants to be called."""
        return None if self._limit is None else PERIOD_S

    @property
    def waiting(self) -> Callable[[int], None] | None:
        """What waits until output can be written, if that must not keep it from
        measuring."""
        return None if self._limit is None else self._wait

    def start(self, programs: Sequence[Program], detach: Callable[[], None]) -> None:
        """Everything is attached, until `detach` is called."""
        self._detach = detach
        if self._meter is not None:
            self._meter.start(programs)

    def check(self) -> None:
        """Detach if the programs took more since the last call than they may.

        Then `excess` is the error that the run ends with.
        """
        if self._meter is None or self._limit is None or self.excess:
            return
        share = self._meter.share()
        if share <= self._limit:
            return
        self._is_told = True
        self.excess = TooExpensive(
            f"stopped: in the last second the programs took {_percent(share)} of a CPU,"
            f" more than --max-overhead {self._limit:g}",
            hint="filter for less, or allow more",
        )
        self._detach()

    def _wait(self, fd: int) -> None:
        """Wait until somebody reads, and measure meanwhile."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        while not poll.poll(1000 * PERIOD_S):
            was_within = self.excess is None
            self.check()
            if was_within and self.excess:
                self._warn(
                    "detached, as the programs took more than --max-overhead allows;"
                    " what they have seen is shown when the output is read\n"
                )

    def finish(self, record: Callable[[str], None] | None, time_ns: int) -> None:
        """Tell what each program took, if that is wanted, also as JSON lines."""
        if self._meter is None or not self._is_told:
            return
        elapsed = self._meter.elapsed_ns
        for cost in self._meter.costs():
            self._warn(cost_text(cost, elapsed))
            if record:
                items = {**cost._asdict(), "elapsed_ns": elapsed}
                record(line("cost", COST_SCHEMA, time_ns, items))

    def close(self) -> None:
        """Stop measuring."""
        if self._meter is not None:
            self._meter.close()


def cost_text(cost: Cost, elapsed_ns: int) -> str:
    """A line for people: runs, the average, and the share of one CPU."""
    name = f"{cost.program} ({cost.attached})"
    if not cost.runs:
        return f"{name}: 0 runs\n"
    share = 100 * cost.run_time_ns / max(elapsed_ns, 1)
    average = cost.run_time_ns // cost.runs
    return f"{name}: {cost.runs} runs, {average} ns each, {_percent(share)} of a CPU\n"


def _percent(share: float) -> str:
    return f"{share:.3f} %" if share >= 0.01 else f"{share:.6f} %"
