"""Giving up the privileges that a running tool has no use for."""

from __future__ import annotations

import struct

from skep.runtime.privileges import (
    CAP_BPF,
    CAP_CHECKPOINT_RESTORE,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE,
    CAP_SYSLOG,
)
from skep.runtime.syscall import bpf
from skep.runtime.syscall.libc import address, system_call

NAMING_THE_KERNEL = 1 << CAP_SYSLOG
"""To name addresses of the kernel by /proc/kallsyms."""

NAMING_PROGRAMS = (
    1 << CAP_SYS_PTRACE | 1 << CAP_CHECKPOINT_RESTORE | 1 << CAP_DAC_READ_SEARCH
)
"""To name those of programs: /proc/PID/maps, /proc/PID/map_files, closed files."""

WRITING = 1 << CAP_DAC_OVERRIDE
"""To write a file in the directory of another user."""

# Source: include/uapi/linux/capability.h, include/uapi/linux/prctl.h.
_VERSION_3 = 0x20080522
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38

_NO_MAP = 0x7FFFFFFF
"""No descriptor has this number."""


def keep_only(wanted: int) -> None:
    """Keep no capabilities of this thread but those in `wanted`, as bits.

    None becomes inheritable or ambient, the bounding set has no others where it may be
    changed, and no_new_privs makes programs that it executes gain none, not even as
    root.  CAP_BPF stays where reading a map takes it: before 6.0 with the sysctl
    kernel.unprivileged_bpf_disabled (commit c8644cd0efe7).

    Less may always be asked for: OSError means that a seccomp filter refuses the call.
    """
    held = _held()
    keep = held & wanted
    maps = held & 1 << CAP_BPF or held & 1 << CAP_SYS_ADMIN  # which stands for it
    bpf_too = keep | maps
    _bound(wanted | maps)
    _set(effective=keep, permitted=bpf_too)
    if _maps_are_closed():
        keep = bpf_too
    _set(effective=keep, permitted=keep)
    system_call("prctl", _PR_SET_NO_NEW_PRIVS, 1)


def _held() -> int:
    """What this thread may have, asked without opening /proc/self/status: a tool that
    is attached would show that."""
    header, data = struct.pack("=Ii", _VERSION_3, 0), bytearray(24)
    system_call("capget", address(header), address(data))
    _, low, _, _, high, _ = struct.unpack("=6I", data)
    return int(high << 32 | low)


def _bound(wanted: int) -> None:
    """Take the others out of the bounding set: with CAP_SETPCAP."""
    try:
        for number in range(64):
            if not wanted >> number & 1:
                system_call("prctl", _PR_CAPBSET_DROP, number)
    except OSError:
        return  # not permitted, or there are no more


def _set(effective: int, permitted: int) -> None:
    low, high = 0xFFFFFFFF, 32
    header = struct.pack("=Ii", _VERSION_3, 0)
    data = struct.pack(
        "=6I",
        *(effective & low, permitted & low, 0),
        *(effective >> high, permitted >> high, 0),
    )
    system_call("capset", address(header), address(data))


def _maps_are_closed() -> bool:
    """Whether reading a map is refused: no map at all shows it, too."""
    try:
        bpf.map_lookup(_NO_MAP, bytes(4), bytearray(8))
    except PermissionError:
        return True
    except OSError:
        return False
    return False
