"""USDT probes: the notes that the macros of <sys/sdt.h> leave in a program.

Source: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from skep.named_tuple import NamedTuple
from skep.symbols.elf import PF_X, SHT_NOTE, Elf, text

_NOTE = struct.Struct("<III")
_ADDRESSES = struct.Struct("<QQQ")
_OWNER = b"stapsdt\0"
_STAPSDT = 3


class UsdtProbe(NamedTuple):
    """One place of a USDT probe; a probe has one for each time it was compiled in.

    `address` is as the file has it, `offset` in the file.  `semaphore` is the offset in
    the file of the counter of those who trace the probe, 0 if it has none.  `arguments`
    tells where the values are, see `skep.symbols.usdt_arguments`.
    """

    provider: str
    name: str
    address: int
    offset: int
    semaphore: int
    arguments: str


def probes(elf: Elf) -> Iterator[UsdtProbe]:
    """All USDT probes of a file.  Raises `BinaryError` for malformed ones."""
    base = elf.section(".stapsdt.base")
    for section in elf.sections:
        if section.kind == SHT_NOTE:
            for note in _notes(elf.content(section)):
                yield _probe(elf, note, base.address if base else 0)


def _notes(content: bytes) -> Iterator[bytes]:
    """The contents of the stapsdt notes of a section; their parts have 4n bytes."""
    position = 0
    while position + _NOTE.size <= len(content):
        owner_size, size, kind = _NOTE.unpack_from(content, position)
        owner_at = position + _NOTE.size
        start = owner_at + (owner_size + 3 & ~3)
        position = start + (size + 3 & ~3)
        if kind == _STAPSDT and content[owner_at : owner_at + owner_size] == _OWNER:
            yield content[start : start + size]


def _probe(elf: Elf, note: bytes, base: int) -> UsdtProbe:
    if len(note) < _ADDRESSES.size:
        raise elf.error("a USDT note is too short")
    address, linked_base, semaphore = _ADDRESSES.unpack_from(note)
    # Prelink moves sections, and knows nothing of the addresses in notes.
    moved = base - linked_base if base and linked_base else 0
    address += moved
    strings = note[_ADDRESSES.size :]
    provider = text(strings, 0)
    name_at = strings.find(b"\0") + 1
    name = text(strings, name_at)
    arguments = text(strings, strings.find(b"\0", name_at) + 1)
    offset = elf.file_offset(address, PF_X)
    counter = elf.file_offset(semaphore + moved) if semaphore else 0
    if not provider or not name or offset is None or counter is None:
        raise elf.error("a USDT note leads nowhere")
    return UsdtProbe(provider, name, address, offset, counter, arguments)
