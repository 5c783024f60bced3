"""Links: a loaded program attached to where its spec says.

A link lives as long as its file descriptors.  One function per kind of attachment
opens them; `_ATTACH` names them all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Callable

from skep.errors import (
    AttachError,
    InternalError,
    NotSupported,
    ProbeNotFound,
    SkepError,
)
from skep.named_tuple import NamedTuple
from skep.probes.perf_event import EVENTS
from skep.runtime import cpus, kprobes, uprobes
from skep.runtime.events import attach_at, attach_event, close_all, room_for
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
        self.fds = list(fds)

    def missed(self) -> int:
        """Calls or returns that kprobes missed; only where the kernel counts them."""
        try:
            return sum(map(bpf.missed, self.fds))
        except OSError as error:
            raise refusal(error, f"read counters of {self.spec.name}") from error

    def close(self) -> None:
        """Detach."""
        while self.fds:
            os.close(self.fds.pop())


def attach(program: Program) -> Link:
    """Attach a program where its spec says.

    Raises ProbeNotFound, NotPermitted, NotSupported or AttachError.
    """
    spec = program.spec.attach
    attachment = _ATTACH.get(spec.kind)
    if attachment is None:
        raise InternalError(f"cannot attach programs of kind {spec.kind!r}")
    try:
        return Link(spec, attachment.open(program), attachment.slow)
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
    refused = refusal(error, action, otherwise=AttachError)
    if spec.kind in _OF_FUNCTIONS and error.errno in (errno.EBUSY, errno.EINVAL):
        hint = "some functions of the kernel must not be traced; those that may are in"
        hint = f"{hint} /sys/kernel/tracing/available_filter_functions"
        refused.diagnostic = refused.diagnostic._replace(hint=hint)
    return refused


_OF_FUNCTIONS = ("fentry", "fexit", "kprobe", "kretprobe")


def close_links(links: Sequence[Link]) -> None:
    """Detach all, the last first.

    Detaching a perf tracepoint waits for two grace periods, about 75 ms, partly under
    the kernel's event_mutex (perf_trace_event_unreg, kernel/trace/trace_event_perf.c).
    At the same time from several threads, six of them take 0.25 s instead of 0.45 s.
    Links of user probes wait, too (uprobe_unregister_sync, kernel/events/uprobes.c).
    """
    slow = [fd for link in links if link.slow for fd in link.fds]
    if len(slow) > 1:
        _close_together(slow)
        for link in links:
            if link.slow:
                link.fds.clear()
    for link in reversed(links):
        link.close()


_MOST_THREADS = 16


def _close_together(fds: Sequence[int]) -> None:
    """Close from as many threads as there are file descriptors, within reason."""
    import threading

    threads = [
        threading.Thread(target=close_all, args=(fds[first::_MOST_THREADS],))
        for first in range(min(_MOST_THREADS, len(fds)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _open_typed(program: Program) -> list[int]:
    # The program was loaded with a BTF id, which says where it goes.
    return [bpf.raw_tracepoint_open("", program.fd)]


def _open_raw_tracepoint(program: Program) -> list[int]:
    return [bpf.raw_tracepoint_open(program.spec.attach.name, program.fd)]


def _open_tracepoint(program: Program) -> list[int]:
    return attach_event(_tracepoint(program.spec.attach.id), program.fd)


def _open_tracepoints(program: Program) -> list[int]:
    """Many tracepoints, one after the other."""
    ids = program.spec.attach.ids
    room_for(len(ids))
    fds: list[int] = []
    try:
        for index, number in enumerate(ids):
            event = _tracepoint(number)
            fds += attach_at(program, index, event)
    except BaseException:
        close_all(fds)
        raise
    return fds


def _tracepoint(number: int) -> int:
    """One event on one CPU: the program hangs on the tracepoint and runs on all.

    The event stays disabled, as it is not wanted as a sample
    (perf_trace_run_bpf_submit, kernel/events/core.c).
    """
    return perf.event_open(perf.PERF_TYPE_TRACEPOINT, number, cpus.online()[0])


def _open_perf_event(program: Program) -> list[int]:
    return _open_on_cpus(program, frequency=False)


def _open_profile(program: Program) -> list[int]:
    return _open_on_cpus(program, frequency=True)


def _open_interval(program: Program) -> list[int]:
    event = perf.event_open(
        perf.PERF_TYPE_SOFTWARE,
        perf.PERF_COUNT_SW_CPU_CLOCK,
        cpus.online()[0],
        program.spec.attach.id,
    )
    return attach_event(event, program.fd, enable=True)


def _open_on_cpus(program: Program, frequency: bool) -> list[int]:
    """A sampling event on every CPU that runs."""
    spec = program.spec.attach
    kind, config = EVENTS[spec.name]
    fds: list[int] = []
    try:
        for cpu in cpus.online():
            event = perf.event_open(kind, config, cpu, spec.id, frequency)
            fds += attach_event(event, program.fd, enable=True)
    except BaseException:
        close_all(fds)
        raise
    return fds


class _Attachment(NamedTuple):
    """How to attach one kind of program, and whether detaching is slow."""

    open: Callable[[Program], list[int]]
    slow: bool = False


_ATTACH = {
    "fentry": _Attachment(_open_typed),
    "fexit": _Attachment(_open_typed),
    "kprobe": _Attachment(kprobes.open_event, slow=True),
    "kretprobe": _Attachment(kprobes.open_event, slow=True),
    "kprobe_multi": _Attachment(kprobes.open_link, slow=True),
    "kretprobe_multi": _Attachment(kprobes.open_link, slow=True),
    "kprobe_session": _Attachment(kprobes.open_session, slow=True),
    "kprobes": _Attachment(kprobes.open_events, slow=True),
    "kretprobes": _Attachment(kprobes.open_events, slow=True),
    "tp_btf": _Attachment(_open_typed),
    "raw_tracepoint": _Attachment(_open_raw_tracepoint),
    "tracepoint": _Attachment(_open_tracepoint, slow=True),
    "tracepoints": _Attachment(_open_tracepoints, slow=True),
    "perf_event": _Attachment(_open_perf_event),
    "profile": _Attachment(_open_profile),
    "interval": _Attachment(_open_interval),
    "uprobe": _Attachment(uprobes.open_events, slow=True),
    "uretprobe": _Attachment(uprobes.open_events, slow=True),
    "uprobe_multi": _Attachment(uprobes.open_links, slow=True),
    "uretprobe_multi": _Attachment(uprobes.open_links, slow=True),
}
