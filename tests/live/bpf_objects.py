"""The BPF objects that exist in the running kernel."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import struct
from pathlib import Path

_SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]

# enum bpf_cmd of linux/bpf.h; links have ids since 5.8.
_GET_NEXT_ID = {"program": 11, "map": 12, "link": 31}
_PROG_GET_FD_BY_ID = 13

# In fdinfo; a link also tells its program's id, a program its own alone.
_HELD = re.compile(r"^(prog|map|link)_id:\s*(\d+)", re.MULTILINE)

_libc = ctypes.CDLL(None, use_errno=True)


def existing_objects() -> set[tuple[str, int]]:
    """The kinds and ids of all programs, maps and links."""
    return {(kind, number) for kind in _GET_NEXT_ID for number in _ids(kind)}


def held_objects(pid: int) -> set[tuple[str, int]]:
    """The kinds and ids of the objects that a process has open."""
    held = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError:  # closed since
            continue
        for kind, number in _HELD.findall(text):
            held.add(({"prog": "program"}.get(kind, kind), int(number)))
    return held


def run_time_ns(program: int) -> int:
    """The time a program has run while kernel.bpf_stats_enabled was 1."""
    fd = _bpf(_PROG_GET_FD_BY_ID, _attributes(program))
    try:
        info = Path(f"/proc/self/fdinfo/{fd}").read_text()
    finally:
        os.close(fd)
    found = re.search(r"^run_time_ns:\s*(\d+)", info, re.MULTILINE)
    return int(found[1]) if found else 0


def _ids(kind: str) -> list[int]:
    ids: list[int] = []
    while True:
        attributes = _attributes(ids[-1] if ids else 0)
        try:
            _bpf(_GET_NEXT_ID[kind], attributes)
        except FileNotFoundError:
            return ids
        ids.append(struct.unpack_from("=I", attributes, 4)[0])


def _attributes(number: int) -> ctypes.Array[ctypes.c_char]:
    """union bpf_attr: start_id or prog_id, next_id, open_flags."""
    return ctypes.create_string_buffer(struct.pack("=III", number, 0, 0), 12)


def _bpf(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    result = _libc.syscall(_SYS_BPF, command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)
