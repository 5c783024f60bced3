"""What is true of the current task, for the model and for the interpreter.

The kernel's answers must be these.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, Union

from skep import asm
from skep.compiler.types import Struct, from_c
from skep.runtime.programs import Program
from skep.spec import AttachSpec, ProgramSpec
from skep.target import Target
from tests.differential.structures import (
    KERNEL_STRUCTURES,
    CField,
    CStruct,
    size_of,
)

_BASE = 0xFFFF_A000_0000_0000
"""Where the model and the interpreter have the first of the kernel's structures."""

Fact = Union[int, bytes]


class Facts(NamedTuple):
    """Of the current task; `fields` are members of structures around it, by path."""

    pid: int
    tid: int
    ppid: int
    uid: int
    gid: int
    cgroup_id: int
    mntns: int
    fields: Mapping[str, Mapping[str, Fact]]


@cache
def current() -> Facts:
    """What is true here, for this process with its one thread."""
    pid, ppid, uid, gid = os.getpid(), os.getppid(), os.getuid(), os.getgid()
    mntns = os.stat("/proc/self/ns/mnt").st_ino
    thread: dict[str, Fact] = {"pid": pid, "tgid": pid, "comm": _comm(pid)}
    links = {
        "real_parent": address_of("parent"),
        "group_leader": address_of("leader"),
        "nsproxy": address_of("nsproxy"),
        "cred": address_of("cred"),
    }
    fields: dict[str, Mapping[str, Fact]] = {
        "task": {**thread, **links},
        "leader": thread,
        "parent": {"pid": ppid, "tgid": ppid, "comm": _comm(ppid)},
        "nsproxy": {"uts_ns": address_of("uts"), "mnt_ns": address_of("mnt")},
        "uts": dict(_uts()),
        "mnt": {"ns.inum": mntns},
        "cred": {"uid.val": uid, "gid.val": gid},
    }
    cgroup = _helper_result("get_current_cgroup_id")
    return Facts(pid, pid, ppid, uid, gid, cgroup, mntns, fields)


def _comm(pid: int) -> bytes:
    return Path(f"/proc/{pid}/comm").read_bytes()[:-1]


def _uts() -> Iterator[tuple[str, bytes]]:
    names = os.uname()
    for name in ("sysname", "nodename", "release", "version", "machine"):
        yield f"name.{name}", getattr(names, name).encode()
    domain = Path("/proc/sys/kernel/domainname").read_bytes()[:-1]
    yield "name.domainname", domain


def _helper_result(name: str) -> int:
    """The low half of what the kernel's helper gives."""
    attach = AttachSpec("test_run", "")
    spec = ProgramSpec("fact", attach, [asm.call(name), asm.exit_()])
    program = Program.load(spec, {})
    try:
        return program.test_run()
    finally:
        program.close()


def address_of(name: str) -> int:
    """Where one of KERNEL_STRUCTURES lies to the model and to the interpreter."""
    return _BASE + 0x100000 * list(KERNEL_STRUCTURES).index(name)


def model_images() -> dict[int, bytearray]:
    """The structures as the model has them, by address."""
    images = {}
    for name, structure in KERNEL_STRUCTURES.items():
        image = bytearray(structure.size)
        for path, value in current().fields[name].items():
            field = _field(structure, path)
            _put(image, field.offset, size_of(field.type), value)
        images[address_of(name)] = image
    return images


def _field(structure: CStruct, path: str) -> CField:
    name, _, rest = path.partition(".")
    field = structure.fields[name]
    if not rest:
        return field
    assert isinstance(field.type, CStruct)
    inner = _field(field.type, rest)
    return inner._replace(offset=field.offset + inner.offset)


def kernel_images(target: Target) -> dict[int, bytearray]:
    """The structures as a kernel has them, by address."""
    images = {}
    for name, structure in KERNEL_STRUCTURES.items():
        type_ = from_c(structure.name, target.btf)
        image = bytearray(type_.size)
        for path, value in current().fields[name].items():
            offset, size = _place(type_, path)
            _put(image, offset, size, value)
        images[address_of(name)] = image
    return images


def _place(type_: object, path: str) -> tuple[int, int]:
    """Where a member is, and how many bytes it has."""
    offset, size = 0, 0
    for name in path.split("."):
        assert isinstance(type_, Struct)
        member = type_.member(name)
        assert member is not None
        offset += member.bit_offset // 8
        type_, size = member.type, member.type.size
    return offset, size


def _put(image: bytearray, offset: int, size: int, value: Fact) -> None:
    raw = value if isinstance(value, bytes) else struct.pack("<Q", value)
    image[offset : offset + size] = raw[:size].ljust(size, b"\0")
