"""The code that the kernel maps into every process, such as clock_gettime: no file."""

from __future__ import annotations

import os

from skep.symbols.elf_image import ElfImage
from skep.symbols.maps import VDSO, MemoryMap
from skep.symbols.processes import Mapping

_LARGEST = 1 << 20


def image(mapping: Mapping) -> ElfImage:
    """The vdso of a process, or, once that has ended, this process's own.

    They are the same but for 32-bit programs, whose size differs.  Raises OSError if it
    cannot be read, `BinaryError` if it is that of a 32-bit program.
    """
    try:
        return ElfImage(_memory(mapping), VDSO)
    except OSError:
        with open("/proc/self/maps", "rb") as file:
            own = MemoryMap(os.getpid(), file.read()).named(VDSO)
        if own is None or own.end - own.start != mapping.end - mapping.start:
            raise
        return ElfImage(_memory(own), VDSO)


def _memory(mapping: Mapping) -> bytes:
    descriptor = os.open(f"/proc/{mapping.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = min(mapping.end - mapping.start, _LARGEST)
        return os.pread(descriptor, size, mapping.start)
    finally:
        os.close(descriptor)
