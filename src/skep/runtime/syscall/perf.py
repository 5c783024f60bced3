"""perf_event_open(2): events that carry a BPF program.

Source: struct perf_event_attr, include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

import fcntl
import os
import struct

from skep.runtime.syscall.libc import address, system_call

PERF_TYPE_SOFTWARE = 1
PERF_TYPE_TRACEPOINT = 2

PERF_COUNT_SW_CPU_CLOCK = 0
PERF_COUNT_SW_DUMMY = 9

# _IO('$', n) and _IOW('$', n, __u32) of include/uapi/asm-generic/ioctl.h.
PERF_EVENT_IOC_ENABLE = 0x2400
PERF_EVENT_IOC_SET_BPF = 0x40042408

_ATTRIBUTES = struct.Struct("=IIQQQQQIIQQ")  # up to config2, PERF_ATTR_SIZE_VER1
_DISABLED = 1 << 0
_MAPPINGS = 1 << 8
_COMM = 1 << 9
_FREQUENCY = 1 << 10
_TASKS = 1 << 13
_WATERMARK = 1 << 14
_SAMPLE_ID_ALL = 1 << 18
_MAPPINGS2 = 1 << 23
_EXECS = 1 << 24
_SAMPLE_TIME = 1 << 2
_FLAG_FD_CLOEXEC = 1 << 3
_EVERY_PROCESS = -1

_DEVICES = "/sys/bus/event_source/devices"


def event_open(
    kind: int,
    config: int,
    cpu: int,
    sample: int = 0,
    frequency: bool = False,
    pid: int = _EVERY_PROCESS,
    config1: int = 0,
    config2: int = 0,
) -> int:
    """A disabled event on one CPU, as a file descriptor.

    `sample` is the number of events between samples (nanoseconds for clocks), or with
    `frequency` the samples wanted per second.
    """
    flags = _DISABLED | (_FREQUENCY if frequency else 0)
    attributes = _ATTRIBUTES.pack(
        kind, _ATTRIBUTES.size, config, sample, 0, 0, flags, 0, 0, config1, config2
    )
    no_group = -1
    return system_call(
        "perf_event_open",
        address(attributes),
        pid,
        cpu,
        no_group,
        _FLAG_FD_CLOEXEC,
    )


def memory_event_open(cpu: int, watermark: int) -> int:
    """A disabled event that counts nothing and tells of mappings, forks and execs.

    It becomes readable when `watermark` bytes wait in its buffer.  Each record ends in
    the time.
    """
    flags = _DISABLED | _MAPPINGS | _COMM | _TASKS | _WATERMARK | _MAPPINGS2 | _EXECS
    flags |= _SAMPLE_ID_ALL
    attributes = _ATTRIBUTES.pack(
        *(PERF_TYPE_SOFTWARE, _ATTRIBUTES.size, PERF_COUNT_SW_DUMMY),
        *(0, _SAMPLE_TIME, 0, flags, watermark, 0, 0, 0),
    )
    place = (_EVERY_PROCESS, cpu, -1, _FLAG_FD_CLOEXEC)
    return system_call("perf_event_open", address(attributes), *place)


def device_type(device: str) -> int:
    """The type of the events of a device ("kprobe", "uprobe").

    Raises FileNotFoundError where the kernel was built without it.
    """
    with open(f"{_DEVICES}/{device}/type") as file:
        return int(file.read())


def return_flag(device: str) -> int:
    """The bit of `config` that asks for probes at the return ("config:0")."""
    return 1 << first_bit(device, "retprobe")


def first_bit(device: str, name: str) -> int:
    """Where in `config` a value starts ("config:32-63"); FileNotFoundError if it is not
    known to the kernel."""
    with open(f"{_DEVICES}/{device}/format/{name}") as file:
        return int(file.read().partition(":")[2].partition("-")[0])


def kprobe_open(symbol: str, offset: int, is_return: bool) -> int:
    """A kprobe, at `offset` bytes from a symbol, as a file descriptor.

    It hits on all CPUs, whichever one the event is said to be on.
    """
    config = return_flag("kprobe") if is_return else 0
    name = symbol.encode() + b"\0"
    kind = device_type("kprobe")
    return event_open(kind, config, 0, config1=address(name), config2=offset)


def uprobe_open(kind: int, config: int, path: str, offset: int, pid: int) -> int:
    """A probe at one place of a file, as a file descriptor (4.17).

    `kind` and `config` are what /sys/bus/event_source/devices/uprobe says.  Without a
    `pid` (0) it hits in every process and on all CPUs, whichever one the event is said
    to be on.
    """
    name = os.fsencode(path) + b"\0"
    return event_open(
        kind,
        config,
        -1 if pid else 0,
        pid=pid or _EVERY_PROCESS,
        config1=address(name),
        config2=offset,
    )


def set_bpf(event_fd: int, prog_fd: int) -> None:
    """Run the program at each sample or hit of the event, until the event is closed."""
    fcntl.ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, prog_fd)


def enable(event_fd: int) -> None:
    """Start the event."""
    fcntl.ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0)
