"""The BPF objects that exist in the running kernel."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import struct
from pathlib import Path

_SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]

# enum bpf_cmd of linux/bpf.h; links have ids since 5.8.
_GET_NEXT_ID = {"program": 11, "map": 12, "link": 31}

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
        for kind, number in _HELD.findall(info.read_text()):
            held.add(({"prog": "program"}.get(kind, kind), int(number)))
    return held


def _ids(kind: str) -> list[int]:
    # union bpf_attr: start_id, next_id, open_flags
    attributes = ctypes.create_string_buffer(12)
    ids: list[int] = []
    while True:
        struct.pack_into("=III", attributes, 0, ids[-1] if ids else 0, 0, 0)
        if _libc.syscall(_SYS_BPF, _GET_NEXT_ID[kind], attributes, 12):
            if ctypes.get_errno() == errno.ENOENT:
                return ids
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        ids.append(struct.unpack_from("=I", attributes, 4)[0])
