"""perf_event_open(2): events that carry a BPF program.

Source: struct perf_event_attr, include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

import fcntl
import struct

from skep.runtime.syscall.libc import address, system_call

PERF_TYPE_SOFTWARE = 1
PERF_TYPE_TRACEPOINT = 2

PERF_COUNT_SW_CPU_CLOCK = 0

# _IO('$', n) and _IOW('$', n, __u32) of include/uapi/asm-generic/ioctl.h.
PERF_EVENT_IOC_ENABLE = 0x2400
PERF_EVENT_IOC_SET_BPF = 0x40042408

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
