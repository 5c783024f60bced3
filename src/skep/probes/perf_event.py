"""Samples of hardware and software events."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.errors import ProbeNotFound, UsageError, did_you_mean
from skep.probes.candidate import Candidate, Site
from skep.probes.intention import PerfEvent
from skep.probes.parameters import require
from skep.spec import AttachSpec
from skep.target import Target

_HARDWARE, _SOFTWARE = 0, 1

EVENTS = {
    "cycles": (_HARDWARE, 0),
    "instructions": (_HARDWARE, 1),
    "cache-references": (_HARDWARE, 2),
    "cache-misses": (_HARDWARE, 3),
    "branch-instructions": (_HARDWARE, 4),
    "branch-misses": (_HARDWARE, 5),
    "bus-cycles": (_HARDWARE, 6),
    "stalled-cycles-frontend": (_HARDWARE, 7),
    "stalled-cycles-backend": (_HARDWARE, 8),
    "ref-cycles": (_HARDWARE, 9),
    "cpu-clock": (_SOFTWARE, 0),
    "task-clock": (_SOFTWARE, 1),
    "page-faults": (_SOFTWARE, 2),
    "context-switches": (_SOFTWARE, 3),
    "cpu-migrations": (_SOFTWARE, 4),
    "minor-faults": (_SOFTWARE, 5),
    "major-faults": (_SOFTWARE, 6),
    "alignment-faults": (_SOFTWARE, 7),
    "emulation-faults": (_SOFTWARE, 8),
}
"""Type and number, as perf_event_open(2) wants them, of the events that perf(1) knows
by these names.  Source: perf_type_id, perf_hw_id and perf_sw_ids,
include/uapi/linux/perf_event.h."""

# Samples per second of these tell where time goes, which cpu-clock can tell as well.
_TIME = ("cycles", "ref-cycles", "bus-cycles")
_CLOCK_NOTE = "{0} unavailable, cpu-clock instead: blind where interrupts are off"


def resolve(
    intention: PerfEvent, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to sample an event, best first."""
    event, period, frequency = intention
    if event not in EVENTS:
        raise ProbeNotFound(
            f"there is no perf event called {event!r}",
            notes=[f"there are {', '.join(EVENTS)}"],
            hint=did_you_mean(event, list(EVENTS)),
        )
    if (period > 0) == (frequency > 0) or min(period, frequency) < 0:
        raise UsageError(f"{event} needs a period or a frequency above zero")
    require(needs, (), event)
    if period:
        return [_sampled("perf_event", event, period)]
    ladder = [_sampled("profile", event, frequency)]
    if event in _TIME:
        note = _CLOCK_NOTE.format(event)
        ladder.append(_sampled("profile", "cpu-clock", frequency, note))
    return ladder


def _sampled(kind: str, event: str, number: int, note: str = "") -> Candidate:
    return Candidate((Site(AttachSpec(kind, event, number)),), note)
