"""One start and end of a tool, measured with events that a prober makes."""

from __future__ import annotations

from bench.peers import Contender
from bench.prober import Prober
from bench.report import Column, Sample
from bench.terminal import Terminal
from tests.live.support import SLOW

COLUMNS = (
    Column("attached_ms", "exec to attached, ms"),
    Column("peak_mib", "peak RSS, MiB", ".1f"),
    Column("cpu_ms", "CPU, ms"),
    Column("last_ms", "SIGINT to last output, ms"),
    Column("end_ms", "SIGINT to exit, ms"),
)

# For the slowest tool to be up, and for events to have been printed.
_START_SECONDS = 20 * SLOW
_RUN_SECONDS = 0.5


def sample(contender: Contender, tool: str, prober: Prober) -> Sample:
    """One start and end of a tool, with its output on a terminal."""
    command = contender.command(tool, *prober.options)
    with prober, Terminal(command) as terminal:
        terminal.run(_START_SECONDS, until=prober.is_seen)
        terminal.run(_RUN_SECONDS)
        peak_kib = terminal.peak_kib()
        # A disk's events are only counted, so they must end before the count does.
        prober.stop()
        terminal.interrupt()
        attached = prober.first_seen(terminal.output())
    return {
        "attached_ms": (attached - terminal.started) * 1e3,
        "peak_mib": peak_kib / 1024,
        "cpu_ms": terminal.cpu_seconds * 1e3,
        "last_ms": (terminal.last_output - terminal.interrupted) * 1e3,
        "end_ms": (terminal.ended - terminal.interrupted) * 1e3,
    }
