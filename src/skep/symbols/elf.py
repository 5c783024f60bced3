"""ELF files: headers, sections, segments; just what placing probes takes.

Files may belong to anybody, containers included, and may change while they are read.
They are read by pread(2), never mapped: touching a mapping of a file that was cut
shorter meanwhile kills the process (SIGBUS).  Every count and size of the file is
compared with the file's own size, so that a wrong one is an error and costs nothing.

Source: elf(5) and include/uapi/linux/elf.h.
"""

from __future__ import annotations

import os
import stat
import struct

from skep.errors import SkepError
from skep.named_tuple import NamedTuple

ET_EXEC = 2
ET_DYN = 3

SHT_SYMTAB = 2
SHT_NOTE = 7
SHT_NOBITS = 8
SHT_DYNSYM = 11
SHT_GNU_VERDEF = 0x6FFFFFFD
SHT_GNU_VERSYM = 0x6FFFFFFF

PF_X = 1

_PT_LOAD = 1
_PN_XNUM = 0xFFFF
_MACHINES = {62: "x86_64", 183: "aarch64"}

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")

_LARGEST = 512 << 20
"""Bytes of a section that are read at most; symbol tables of browsers have 100 MB."""
_MOST_HEADERS = 1 << 17
"""Headers of sections or segments that are read at most.  Holes in a file cost whoever
makes it nothing, so that it is large enough for a number is no limit by itself."""


class BinaryError(SkepError):
    """A file that is no program or library that skep can read."""


class Section(NamedTuple):
    """A section: `address` in memory, `offset` in the file, sizes in bytes."""

    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


class Segment(NamedTuple):
    """A part of the file that is loaded (PT_LOAD)."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    alignment: int


class Elf:
    """An open ELF file of 64 bits, little-endian.

    `path` is how messages call it.  `machine` is what uname(2) calls the processor, and
    `device` and `inode` say which file it is.  A context manager that closes the file.

    Raises `BinaryError` for what is no such file; OSError if it cannot be opened.
    """

    def __init__(self, path: str, shown: str = "") -> None:
        self.path = shown or path
        # Neither waits for the other end of a pipe nor becomes a terminal's owner.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        self.fd = os.open(path, flags)
        try:
            status = os.fstat(self.fd)
            if not stat.S_ISREG(status.st_mode):
                raise self.error("not a regular file")
            self.device, self.inode = status.st_dev, status.st_ino
            self._size = status.st_size
            self._read_header()
        except BaseException:
            self.close()
            raise

    def _read_header(self) -> None:
        head = self.read(0, min(_HEADER.size, self._size))
        if head[:4] != b"\x7fELF":
            raise self.error("not an ELF file")
        if head[4:6] != b"\x02\x01":
            raise self.error("only 64-bit little-endian programs can be probed")
        fields = _HEADER.unpack(self.read(0, _HEADER.size))
        self.kind, machine = fields[1], fields[2]
        self.machine = _MACHINES.get(machine, f"machine {machine}")
        self.entry = fields[4]
        self.sections = self._sections(fields[6], *fields[11:14])
        self.segments = self._segments(fields[5], *fields[9:11])
        self._names = self._section_names(fields[13])

    def _sections(self, offset: int, size: int, count: int, _: int) -> list[Section]:
        if not offset:
            return []
        if size != _SECTION.size:
            raise self.error(f"section headers of {size} bytes")
        if not count:
            # More than 65,279 sections: the first one has the number.
            count = Section(*_SECTION.unpack(self.read(offset, size))).size
        table = self._headers(offset, count, size)
        return [Section(*each) for each in _SECTION.iter_unpack(table)]

    def _segments(self, offset: int, size: int, count: int) -> list[Segment]:
        if not offset or not count:
            return []
        if size != _SEGMENT.size:
            raise self.error(f"program headers of {size} bytes")
        if count == _PN_XNUM and self.sections:
            count = self.sections[0].info
        table = self._headers(offset, count, size)
        every = (Segment(*each) for each in _SEGMENT.iter_unpack(table))
        return [segment for segment in every if segment.kind == _PT_LOAD]

    def _headers(self, offset: int, count: int, size: int) -> bytes:
        if count > _MOST_HEADERS:
            raise self.error(f"{count} headers are too many to read")
        return self.read(offset, count * size)

    def _section_names(self, index: int) -> bytes:
        if index == 0xFFFF and self.sections:  # SHN_XINDEX
            index = self.sections[0].link
        return self.linked(index) if index else b""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file; `BinaryError` if it does not have all of them."""
        if size > _LARGEST:
            raise self.error(f"{size} bytes are too much to read")
        if offset + size > self._size:
            raise self.error(f"{size} bytes at {offset} are beyond its end")
        parts = []
        while size:
            part = os.pread(self.fd, size, offset)
            if not part:
                raise self.error("it was cut while it was read")
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return b"".join(parts)

    def content(self, section: Section) -> bytes:
        """What a section has; nothing if that exists in memory only."""
        if section.kind == SHT_NOBITS:
            return b""
        return self.read(section.offset, section.size)

    def linked(self, index: int) -> bytes:
        """The content of the section that another one refers to, mostly its strings."""
        if index >= len(self.sections):
            raise self.error(f"no section {index}")
        return self.content(self.sections[index])

    def section(self, name: str) -> Section | None:
        """The first section with a name."""
        for section in self.sections:
            if text(self._names, section.name) == name:
                return section
        return None

    @property
    def is_go(self) -> bool:
        """Whether it was compiled by Go: by the name of its table of functions, which
        has something before it where programs are position-independent."""
        return b".gopclntab\0" in self._names

    def file_offset(self, address: int, flags: int = 0) -> int | None:
        """Where in the file an address is that the file itself uses.

        None if no segment with all of `flags` (PF_X) has it.  Probes are placed by file
        offset, which says the same for PIE, libraries and fixed programs.
        """
        for segment in self.segments:
            distance = address - segment.address
            if 0 <= distance < segment.file_size and not flags & ~segment.flags:
                return segment.offset + distance
        return None

    def error(self, problem: str) -> BinaryError:
        """What is wrong with the file, as an error."""
        return BinaryError(f"cannot read {self.path}: {problem}")

    def close(self) -> None:
        """Close the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Elf:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def text(strings: bytes, offset: int) -> str:
    """The string at an offset of a string table; "" where there is none.

    Bytes that are not UTF-8 become lone surrogates.
    """
    end = strings.find(b"\0", offset)
    if offset >= len(strings) or end < 0:
        return ""
    return strings[offset:end].decode("utf-8", "surrogateescape")
