"""The functions of an ELF file, from .symtab and .dynsym.

A stripped file has only .dynsym, with what it exports.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from skep.symbols.elf import (
    PF_X,
    SHT_DYNSYM,
    SHT_GNU_VERDEF,
    SHT_GNU_VERSYM,
    SHT_SYMTAB,
    Elf,
    Section,
    text,
)

_SYMBOL = struct.Struct("<IBBHQQ")
_VERDEF = struct.Struct("<HHHHIII")

_STT_FUNC = 2
_STT_GNU_IFUNC = 10
_HIDDEN = 0x8000  # of a version: not the one that new programs are linked to


class Function(NamedTuple):
    """A function: `address` as the file has it, `offset` in the file.

    `version` is that of the symbol ("GLIBC_2.2.5"), often "".  The address of an
    `indirect` one (STT_GNU_IFUNC) is not the function but what chooses it at run time.
    """

    name: str
    version: str
    address: int
    offset: int
    size: int
    indirect: bool = False


def find(elf: Elf, patterns: Iterable[str]) -> dict[str, list[Function]]:
    """The functions that each pattern means.

    A pattern is a name, with or without "@VERSION", or has "*" for any characters.
    Without a version all versions are meant: which of them runs depends on when the
    caller was linked.  Functions of one pattern at the same place are given once.
    """
    wanted = {pattern: _matcher(pattern) for pattern in patterns}
    found: dict[str, dict[int, Function]] = {pattern: {} for pattern in wanted}
    literal = {pattern.partition("@")[0] for pattern in wanted}
    names = None if any("*" in name for name in literal) else literal
    for function in functions(elf, names):
        for pattern, (name, version) in wanted.items():
            if version not in ("", function.version):
                continue
            if name.fullmatch(function.name):
                found[pattern].setdefault(function.offset, function)
    return {pattern: list(each.values()) for pattern, each in found.items()}


def _matcher(pattern: str) -> tuple[re.Pattern[str], str]:
    name, _, version = pattern.partition("@")
    parts = (re.escape(part) for part in name.split("*"))
    return re.compile(".*".join(parts), re.DOTALL), version.lstrip("@")


def functions(elf: Elf, names: set[str] | None = None) -> Iterator[Function]:
    """All functions, or those with the given names; once for each symbol.

    Raises `BinaryError` for a malformed file.
    """
    left = {SHT_SYMTAB, SHT_DYNSYM}  # ELF allows one of each
    for index, section in enumerate(elf.sections):
        if section.kind in left:
            left.remove(section.kind)
            yield from _symbols(elf, index, section, names)


def _symbols(
    elf: Elf, index: int, section: Section, names: set[str] | None
) -> Iterator[Function]:
    if section.entry_size != _SYMBOL.size:
        raise elf.error(f"symbols of {section.entry_size} bytes")
    strings = elf.linked(section.link)
    table = elf.content(section)
    table = table[: len(table) // _SYMBOL.size * _SYMBOL.size]
    places = None if names is None else _places(strings, names)
    versions = _versions(elf, index) if section.kind == SHT_DYNSYM else _no_version
    for number, symbol in enumerate(_SYMBOL.iter_unpack(table)):
        place, info, _, defined_in, address, size = symbol
        if places is not None and place not in places:
            continue
        kind = info & 0xF
        if kind not in (_STT_FUNC, _STT_GNU_IFUNC) or not defined_in or not address:
            continue
        offset = elf.file_offset(address, PF_X)
        name = text(strings, place)
        if offset is None or not name:
            continue
        # .symtab has the version in the name, "memcpy@@GLIBC_2.14".
        name, _, version = name.partition("@")
        version = version.lstrip("@") or versions(number)
        indirect = kind == _STT_GNU_IFUNC
        yield Function(name, version, address, offset, size, indirect)


def _places(strings: bytes, names: set[str]) -> set[int]:
    """Where a symbol's name can be if it is one of `names`.

    Strings may be the ends of others.  To search the strings takes a hundredth of the
    time of reading the name of every symbol.
    """
    places = set()
    for name in names:
        wanted = name.encode("utf-8", "surrogateescape")
        for match in re.finditer(re.escape(wanted) + rb"[\0@]", strings):
            places.add(match.start())
    return places


def _no_version(number: int) -> str:
    return ""


class _Versions:
    """The version of each symbol of a .dynsym, by its number."""

    def __init__(self, numbers: bytes, names: dict[int, str]) -> None:
        self._numbers = numbers
        self._names = names

    def __call__(self, number: int) -> str:
        raw = self._numbers[2 * number : 2 * number + 2]
        return self._names.get(int.from_bytes(raw, "little") & ~_HIDDEN, "")


def _versions(elf: Elf, dynsym: int) -> _Versions:
    numbers, names = b"", {}
    for section in elf.sections:
        if section.kind == SHT_GNU_VERSYM and section.link == dynsym:
            numbers = elf.content(section)
        elif section.kind == SHT_GNU_VERDEF:
            names = _version_names(elf, section)
    return _Versions(numbers, names)


def _version_names(elf: Elf, section: Section) -> dict[int, str]:
    """The names of the versions that a library defines, by number.

    The first definition (VER_FLG_BASE) is the library itself.
    """
    content, strings = elf.content(section), elf.linked(section.link)
    names: dict[int, str] = {}
    position = 0
    for _ in range(_HIDDEN):
        if position + _VERDEF.size > len(content):
            break
        _, flags, number, _, _, name_at, following = _VERDEF.unpack_from(
            content, position
        )
        where = content[position + name_at : position + name_at + 4]
        if not flags & 1:
            names[number] = text(strings, int.from_bytes(where, "little"))
        if not following:
            break
        position += following
    return names
