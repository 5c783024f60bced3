"""perf_event_open(2): events that carry a BPF program.

Source: struct perf_event_attr, include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

import fcntl
import struct

from skep.runtime.syscall.libc import address, system_call

PERF_TYPE_HARDWARE = 0
PERF_TYPE_SOFTWARE = 1
PERF_TYPE_TRACEPOINT = 2

# _IO('$', n) and _IOW('$', n, __u32) of include/uapi/asm-generic/ioctl.h.
PERF_EVENT_IOC_ENABLE = 0x2400
PERF_EVENT_IOC_SET_BPF = 0x40042408

EVENTS = {
    "cycles": (PERF_TYPE_HARDWARE, 0),
    "instructions": (PERF_TYPE_HARDWARE, 1),
    "cache-references": (PERF_TYPE_HARDWARE, 2),
    "cache-misses": (PERF_TYPE_HARDWARE, 3),
    "branch-instructions": (PERF_TYPE_HARDWARE, 4),
    "branch-misses": (PERF_TYPE_HARDWARE, 5),
    "bus-cycles": (PERF_TYPE_HARDWARE, 6),
    "stalled-cycles-frontend": (PERF_TYPE_HARDWARE, 7),
    "stalled-cycles-backend": (PERF_TYPE_HARDWARE, 8),
    "ref-cycles": (PERF_TYPE_HARDWARE, 9),
    "cpu-clock": (PERF_TYPE_SOFTWARE, 0),
    "task-clock": (PERF_TYPE_SOFTWARE, 1),
    "page-faults": (PERF_TYPE_SOFTWARE, 2),
    "context-switches": (PERF_TYPE_SOFTWARE, 3),
    "cpu-migrations": (PERF_TYPE_SOFTWARE, 4),
    "minor-faults": (PERF_TYPE_SOFTWARE, 5),
    "major-faults": (PERF_TYPE_SOFTWARE, 6),
    "alignment-faults": (PERF_TYPE_SOFTWARE, 7),
    "emulation-faults": (PERF_TYPE_SOFTWARE, 8),
}
"""Type and number of the events that perf(1) knows by these names."""

_ATTRIBUTES = struct.Struct("=IIQQQQQIIQQ")  # up to config2, PERF_ATTR_SIZE_VER1
_DISABLED = 1 << 0
_FREQUENCY = 1 << 10
_FLAG_FD_CLOEXEC = 1 << 3


def event_open(
    kind: int, config: int, cpu: int, sample: int = 0, frequency: bool = False
) -> int:
    """A disabled event of all processes on one CPU, as a file descriptor.

    `sample` is the number of events between samples (nanoseconds for clocks), or with
    `frequency` the samples wanted per second.
    """
    flags = _DISABLED | (_FREQUENCY if frequency else 0)
    attributes = _ATTRIBUTES.pack(
        kind, _ATTRIBUTES.size, config, sample, 0, 0, flags, 0, 0, 0, 0
    )
    every_process = -1
    no_group = -1
    return system_call(
        "perf_event_open",
        address(attributes),
        every_process,
        cpu,
        no_group,
        _FLAG_FD_CLOEXEC,
    )


def set_bpf(event_fd: int, prog_fd: int) -> None:
    """Run the program at each sample or hit of the event, until the event is closed."""
    fcntl.ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, prog_fd)


def enable(event_fd: int) -> None:
    """Start the event."""
    fcntl.ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0)
