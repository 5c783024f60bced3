"""The loss ledger: what happened and was not reported, by cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Protocol

from skep.runtime.links import Link
from skep.runtime.maps import Map
from skep.runtime.programs import Program
from skep.spec import LEDGER_CAUSES

RECURSION = "recursion"
"""Cause: the kernel skipped a program because one was already running on the CPU."""

RETURNS = "missed returns"
"""Cause: the kernel did not notice that a function returned."""

_AT_RETURN = ("kretprobe", "uretprobe", "kprobe_session")

_KPROBES = ("kprobe", "kprobes", "kprobe_multi")
_KRETPROBES = ("kretprobe", "kretprobes", "kretprobe_multi", "kprobe_session")

_BY_PERF = (
    *("tracepoint", "tracepoints"),
    *(*_KPROBES, *_KRETPROBES),
    *("uprobe", "uretprobe"),
)
"""Kinds of programs that trace_call_bpf or kprobe_multi_link_prog_run run
(kernel/trace/bpf_trace.c)."""


class Reader(Protocol):
    """What is counted while records are decoded (`skep.output.counters.Counters`)."""

    truncated: int
    failed_read: int


def with_readers(
    losses: Mapping[str, int | None], readers: Sequence[Reader]
) -> dict[str, int | None]:
    """These losses and what readers have counted."""
    sums = dict(losses)
    for reader in readers:
        for cause, number in (
            ("truncated", reader.truncated),
            ("failed read", reader.failed_read),
        ):
            sums[cause] = (sums.get(cause) or 0) + number
    return sums


class Ledger:
    """Adds up losses counted by programs, by the kernel, and in user space.

    `causes` is the map of spec.LEDGER, None when no program of the collection can
    lose anything.  `counts_perf_misses` tells whether this kernel counts what
    trace_call_bpf skips (6.7, "bpf: Count missed stats in trace_call_bpf"), and in the
    same series what kprobe_multi_link_prog_run skips and kprobes miss; before, the
    counters stay at zero.
    """

    def __init__(
        self,
        causes: Map | None,
        programs: Sequence[Program],
        counts_perf_misses: Callable[[], bool],
        links: Sequence[Link] = (),
    ) -> None:
        self._causes = causes
        self._programs = programs
        self._returns = [x for x in links if x.spec.kind.startswith(_AT_RETURN)]
        self._entries = [x for x in links if x.spec.kind in _KPROBES]
        self._counts_perf_misses = counts_perf_misses
        self._readers: list[Reader] = []
        self._kept: dict[str, int | None] = {}

    def follow(self, reader: Reader) -> None:
        """Add what this reader counts, now and later.

        Whoever decodes the records of the session's ring has to be followed: programs
        do not count texts that were cut or could not be read, their records show it.
        """
        self._readers.append(reader)

    def settle(self) -> None:
        """Remember what only links know, before they are closed."""
        self._kept = self._by_kernel()

    def losses(self) -> dict[str, int | None]:
        """How many losses of each cause so far; None where the kernel does not tell."""
        return with_readers(self.counted(), self._readers)

    def counted(self) -> dict[str, int | None]:
        """The same without what readers count."""
        losses: dict[str, int | None] = dict.fromkeys(LEDGER_CAUSES, 0)
        if self._causes is not None:
            counters = self._causes.lookup(bytes(4))
            if counters is not None:
                losses.update(zip(LEDGER_CAUSES, self._causes.word_sums(counters)))
        losses.update(self._kept or self._by_kernel())
        return losses

    def _by_kernel(self) -> dict[str, int | None]:
        """What the kernel counts."""
        counts = {RECURSION: self._recursion()}
        if self._returns:
            counts[RETURNS] = self._missed_returns()
        return counts

    def _missed_returns(self) -> int | None:
        """What return probes missed.

        Of calls of a user function within calls, 64 deep, the next is left out without
        a count (MAX_URETPROBE_DEPTH, kernel/events/uprobes.c).
        """
        kinds = {link.spec.kind for link in self._returns}
        if not kinds <= set(_KRETPROBES) or not self._counts_perf_misses():
            return None
        return sum(link.missed() for link in self._returns)

    def _recursion(self) -> int | None:
        total = 0
        for program in self._programs:
            misses = self._misses(program)
            if misses is None:
                return None
            total += misses
        # A kprobe that is hit while another one is handled runs no program.
        return total + sum(link.missed() for link in self._entries)

    def _misses(self, program: Program) -> int | None:
        kind = program.spec.attach.kind
        # Sampling programs are skipped without a count (bpf_overflow_handler,
        # kernel/events/core.c).
        if kind in ("perf_event", "profile", "interval"):
            return None
        if kind in _BY_PERF and not self._counts_perf_misses():
            return None
        return program.info().recursion_misses
