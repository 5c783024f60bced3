"""Where the symbols of stripped files are: compressed within them, or in other files.

Sources: gdb's manual, "Debugging Information in Separate Files" and "MiniDebugInfo";
elf(5) for the build id.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Callable

from skep.errors import SkepError
from skep.symbols.elf import SHT_NOTE, Elf, text
from skep.symbols.elf_image import ElfImage
from skep.symbols.library import within

_DIRECTORY = "/usr/lib/debug"
_NOTE = struct.Struct("<III")
_NT_GNU_BUILD_ID = 3
_CHUNK = 1 << 20
_LARGEST_NOTES = 1 << 16
_LARGEST = 256 << 20
"""Bytes of compressed symbols that are unpacked at most."""
_LARGEST_CHECKED = 1 << 30
"""Bytes of a debug file that are read for its checksum at most: a second."""
_MOST_NOTES = 64
"""Sections of notes that are searched for a build id; programs have three or four."""


def build_id(elf: Elf) -> bytes:
    """What tells this build from all others; b"" if the file does not say."""
    notes = [section for section in elf.sections if section.kind == SHT_NOTE]
    for section in notes[:_MOST_NOTES]:
        if section.size <= _LARGEST_NOTES:
            found = build_id_note(elf.content(section))
            if found:
                return found
    return b""


def build_id_note(notes: bytes) -> bytes:
    """The build id that notes begin with or have further on; b"" if they have none."""
    position = 0
    while position + _NOTE.size <= len(notes):
        owner, size, kind = _NOTE.unpack_from(notes, position)
        name = position + _NOTE.size
        start = name + (owner + 3 & ~3)
        if kind == _NT_GNU_BUILD_ID and notes[name : name + 4] == b"GNU\0":
            return notes[start : start + size]
        position = start + (size + 3 & ~3)
    return b""


def separate(elf: Elf, root: str = "/") -> Elf | None:
    """The file with the symbols of another, by build id or by name and checksum.

    `root` is the root directory of a process that uses the file; its own debug files
    come first.  None if there is no such file, or only one of another build.
    """
    identity = build_id(elf)
    for directory in dict.fromkeys((root, "/")):
        if len(identity) > 1:
            name = f"{identity[:1].hex()}/{identity[1:].hex()}.debug"
            found = _opened(directory, f"{_DIRECTORY}/.build-id/{name}")
            if found and _is(found, lambda each: build_id(each) == identity):
                return found
    name, checksum = debug_link(elf)
    for directory in dict.fromkeys((root, "/")) if name else ():
        for path in _linked(os.path.dirname(elf.path), name):
            found = _opened(directory, path)
            if found and _is(found, lambda each: _checksum(each) == checksum):
                return found
    return None


def debug_link(elf: Elf) -> tuple[str, int]:
    """The name of the debug file and its CRC-32, which .gnu_debuglink has; "", 0."""
    section = elf.section(".gnu_debuglink")
    if section is None or not 8 <= section.size <= 4096:
        return "", 0
    content = elf.content(section)
    name = text(content, 0)
    # A name with directories would lead anywhere.
    if "/" in name or not name:
        return "", 0
    return name, int.from_bytes(content[-4:], "little")


def _linked(directory: str, name: str) -> Iterator[str]:
    yield f"{directory}/{name}"
    yield f"{directory}/.debug/{name}"
    yield f"{_DIRECTORY}{directory}/{name}"


def _opened(root: str, path: str) -> Elf | None:
    try:
        return Elf(within(root, path), shown=path)
    except (OSError, SkepError):
        return None


def _is(elf: Elf, fits: Callable[[Elf], bool]) -> bool:
    """Whether a file is the right one; any other is closed."""
    try:
        if fits(elf):
            return True
    except (OSError, SkepError):
        pass  # a damaged one is none
    elf.close()
    return False


def _checksum(elf: Elf) -> int | None:
    """The CRC-32 of the whole file; None for one that is too large."""
    value, position = 0, 0
    while position <= _LARGEST_CHECKED:
        part = os.pread(elf.fd, _CHUNK, position)
        if not part:
            return value
        value = zlib.crc32(part, value)
        position += len(part)
    return None


def compressed(elf: Elf) -> Elf | None:
    """The file in .gnu_debugdata, which has the functions that .dynsym lacks.

    None where there is none, or Python lacks the module lzma.  Raises `BinaryError` for
    what cannot be unpacked.
    """
    section = elf.section(".gnu_debugdata")
    if section is None:
        return None
    try:
        import lzma
    except ImportError:
        return None
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LARGEST)
    try:
        content = unpacker.decompress(elf.content(section), _LARGEST)
    except lzma.LZMAError as error:
        raise elf.error(f"its .gnu_debugdata: {error}") from error
    return ElfImage(content, f"{elf.path} (.gnu_debugdata)")
