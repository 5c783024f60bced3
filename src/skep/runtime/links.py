"""Links: a loaded program attached to where its spec says.

A link lives as long as its file descriptors.  One function per kind of attachment
opens them; `_ATTACH` names them all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Callable, NamedTuple

from skep.errors import (
    AttachError,
    InternalError,
    NotSupported,
    ProbeNotFound,
    SkepError,
)
from skep.probes.perf_event import EVENTS
from skep.runtime import cpus, kprobes, uprobes
from skep.runtime.events import attach_event, close_all
from skep.runtime.programs import Program
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec


class Link:
    """An attachment; closing it detaches the program.

    `slow` says that the kernel waits for all CPUs while it detaches.
    """

    def __init__(self, spec: AttachSpec, fds: Sequence[int], slow: bool) -> None:
        self.spec = spec
        self.slow = slow
        self._fds = list(fds)

    def missed_returns(self) -> int:
        """Returns that a kretprobe missed; only where the kernel counts them."""
        try:
            return sum(map(bpf.missed_returns, self._fds))
        except OSError as error:
            raise refusal(error, f"read counters of {self.spec.name}") from error

    def close(self) -> None:
        """Detach."""
        while self._fds:
            os.close(self._fds.pop())


def attach(program: Program) -> Link:
    """Attach a program where its spec says.

    Raises ProbeNotFound, NotPermitted, NotSupported or AttachError.
    """
    spec = program.spec.attach
    attachment = _ATTACH.get(spec.kind)
    if attachment is None:
        raise InternalError(f"cannot attach programs of kind {spec.kind!r}")
    try:
        return Link(spec, attachment.open(program.fd, spec), attachment.slow)
    except OSError as error:
        raise _refused(program, error) from error


def _refused(program: Program, error: OSError) -> SkepError:
    spec = program.spec.attach
    place = f"{spec.kind} {spec.name}".rstrip()
    if error.errno == errno.ENOENT:
        if spec.kind in ("perf_event", "profile"):
            # Most virtual machines have no hardware counters.
            return NotSupported(f"this machine does not count {spec.name}")
        return ProbeNotFound(f"this kernel has no {place}")
    action = f"attach the program {program.spec.name!r} to {place}"
    return refusal(error, action, otherwise=AttachError)


def close_links(links: Sequence[Link]) -> None:
    """Detach all, the last first.

    Detaching a perf tracepoint waits for two grace periods, about 75 ms, partly under
    the kernel's event_mutex (perf_trace_event_unreg, kernel/trace/trace_event_perf.c).
    At the same time from several threads, six of them take 0.25 s instead of 0.45 s.
    Links of user probes wait, too (uprobe_unregister_sync, kernel/events/uprobes.c).
    """
    slow = [link for link in links if link.slow]
    if len(slow) > 1:
        _close_together(slow)
    for link in reversed(links):
        link.close()


_MOST_THREADS = 16


def _close_together(links: Sequence[Link]) -> None:
    """Detach from as many threads as there are links, within reason."""
    import threading

    def close_share(first: int) -> None:
        for link in links[first::_MOST_THREADS]:
            link.close()

    threads = [
        threading.Thread(target=close_share, args=(first,))
        for first in range(min(_MOST_THREADS, len(links)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _open_typed(prog_fd: int, spec: AttachSpec) -> list[int]:
    # The program was loaded with a BTF id, which says where it goes.
    return [bpf.raw_tracepoint_open("", prog_fd)]


def _open_raw_tracepoint(prog_fd: int, spec: AttachSpec) -> list[int]:
    return [bpf.raw_tracepoint_open(spec.name, prog_fd)]


def _open_tracepoint(prog_fd: int, spec: AttachSpec) -> list[int]:
    """One event on one CPU: the program hangs on the tracepoint and runs on all.

    The event stays disabled, as it is not wanted as a sample
    (perf_trace_run_bpf_submit, kernel/events/core.c).
    """
    event = perf.event_open(perf.PERF_TYPE_TRACEPOINT, spec.id, cpus.online()[0])
    return attach_event(event, prog_fd)


def _open_perf_event(prog_fd: int, spec: AttachSpec) -> list[int]:
    return _open_on_cpus(prog_fd, spec.name, spec.id, frequency=False)


def _open_profile(prog_fd: int, spec: AttachSpec) -> list[int]:
    return _open_on_cpus(prog_fd, spec.name, spec.id, frequency=True)


def _open_interval(prog_fd: int, spec: AttachSpec) -> list[int]:
    event = perf.event_open(
        perf.PERF_TYPE_SOFTWARE,
        perf.PERF_COUNT_SW_CPU_CLOCK,
        cpus.online()[0],
        spec.id,
    )
    return attach_event(event, prog_fd, enable=True)


def _open_on_cpus(prog_fd: int, name: str, sample: int, frequency: bool) -> list[int]:
    """A sampling event on every CPU that runs."""
    kind, config = EVENTS[name]
    fds: list[int] = []
    try:
        for cpu in cpus.online():
            event = perf.event_open(kind, config, cpu, sample, frequency)
            fds += attach_event(event, prog_fd, enable=True)
    except BaseException:
        close_all(fds)
        raise
    return fds


class _Attachment(NamedTuple):
    """How to attach one kind of program, and whether detaching is slow."""

    open: Callable[[int, AttachSpec], list[int]]
    slow: bool = False


_ATTACH = {
    "fentry": _Attachment(_open_typed),
    "fexit": _Attachment(_open_typed),
    "kprobe": _Attachment(kprobes.open_event, slow=True),
    "kretprobe": _Attachment(kprobes.open_event, slow=True),
    "kprobe_multi": _Attachment(kprobes.open_link, slow=True),
    "kretprobe_multi": _Attachment(kprobes.open_link, slow=True),
    "kprobes": _Attachment(kprobes.open_events, slow=True),
    "kretprobes": _Attachment(kprobes.open_events, slow=True),
    "tp_btf": _Attachment(_open_typed),
    "raw_tracepoint": _Attachment(_open_raw_tracepoint),
    "tracepoint": _Attachment(_open_tracepoint, slow=True),
    "perf_event": _Attachment(_open_perf_event),
    "profile": _Attachment(_open_profile),
    "interval": _Attachment(_open_interval),
    "uprobe": _Attachment(uprobes.open_events, slow=True),
    "uretprobe": _Attachment(uprobes.open_events, slow=True),
    "uprobe_multi": _Attachment(uprobes.open_links, slow=True),
    "uretprobe_multi": _Attachment(uprobes.open_links, slow=True),
}
