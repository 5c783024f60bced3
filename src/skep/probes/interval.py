"""Programs that run at regular times."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.errors import UsageError
from skep.probes.candidate import Candidate, Site
from skep.probes.intention import Interval
from skep.probes.parameters import require
from skep.spec import AttachSpec
from skep.target import Target

# perf_swevent_start_hrtimer() makes shorter periods longer without a word.
_SHORTEST_NS = 10_000


def resolve(
    intention: Interval, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The one way to run a program at regular times."""
    if intention.period_ns < _SHORTEST_NS:
        raise UsageError(
            f"an interval of {intention.period_ns} ns is too short",
            hint=f"the kernel's shortest is {_SHORTEST_NS} ns",
        )
    require(needs, (), "interval")
    return [Candidate((Site(AttachSpec("interval", "", intention.period_ns)),))]
