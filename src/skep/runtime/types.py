"""Types of our own in the kernel: the source of a program, the value of a storage."""

from __future__ import annotations

import errno
import os

from skep.asm import slot_numbers
from skep.btf.program import SourceLine, describe_program
from skep.btf.types import Array, Int
from skep.btf.writer import BtfWriter
from skep.errors import ProbeNotFound
from skep.named_tuple import NamedTuple
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf
from skep.spec import ProgramSpec


class SourceTypes(NamedTuple):
    """What BPF_PROG_LOAD takes to know a program's source; `btf_fd` 0 means nothing."""

    btf_fd: int = 0
    func_info: bytes = b""
    line_info: bytes = b""

    def close(self) -> None:
        """Let go of the BTF; a loaded program keeps it."""
        if self.btf_fd:
            os.close(self.btf_fd)


def load_source_types(spec: ProgramSpec) -> SourceTypes:
    """The program's source lines in the kernel, for its logs and for bpftool(8)."""
    if not spec.lines:
        return SourceTypes()
    slots = slot_numbers(spec.instructions)
    lines = [
        SourceLine(slots[line.at], line.file, line.line, line.column, line.text)
        for line in spec.lines
    ]
    described = describe_program(spec.name, lines)
    try:
        fd = bpf.btf_load(described.blob)
    except OSError as error:
        action = f"load the BTF of the program {spec.name!r}"
        raise refusal(error, action) from error
    return SourceTypes(fd, described.func_info, described.line_info)


def module_types(module: str) -> int:
    """A file descriptor of a module's BTF; 0 for no module.

    The kernel gives them only by number, so all are asked for their names.  Raises
    NotPermitted or ProbeNotFound.
    """
    if not module:
        return 0
    number = 0
    try:
        while True:
            number = bpf.btf_next_id(number)
            fd = bpf.btf_by_id(number)
            if bpf.btf_name(fd) == module:
                return fd
            os.close(fd)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise ProbeNotFound(f"the module {module} is not loaded") from None
        raise refusal(error, f"get the BTF of the module {module}") from error


class StorageTypes(NamedTuple):
    """BTF with the key and the value of a local storage map."""

    btf_fd: int
    key_id: int
    value_id: int


def load_storage_types(value_size: int) -> StorageTypes:
    """Types of a task storage's key, a pidfd, and of values of `value_size` bytes.

    Other maps do without types; local storage insists on them, but only on the key
    being an int and on the value's size (bpf_local_storage_map_check_btf,
    kernel/bpf/bpf_local_storage.c).  Raises OSError.
    """
    writer = BtfWriter()
    key = writer.add(Int("int", 4, 32, signed=True))
    byte = writer.add(Int("char", 1, 8))
    value = writer.add(Array(byte, value_size))
    return StorageTypes(bpf.btf_load(writer.to_bytes()), key, value)
