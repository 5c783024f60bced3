"""The functions of an ELF file, from .symtab and .dynsym.

A stripped file has only .dynsym, with what it exports.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator

from skep.named_tuple import NamedTuple
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
from skep.symbols.name_pattern import Matching, is_pattern, matcher

_SYMBOL = struct.Struct("<IBBHQQ")
_VERDEF = struct.Struct("<HHHHIII")

_STT_FUNC = 2
_STT_GNU_IFUNC = 10
_HIDDEN = 0x8000  # of a version: not the one that new programs are linked to


class Function(NamedTuple):
    """A function: `address` as the file has it, `offset` in the file.

    `version` is that of the symbol ("GLIBC_2.2.5"), often "".  The address of an
    `indirect` one (STT_GNU_IFUNC) is not the function but what chooses it at run time.
    No probe can be put on the first instruction of a `refused` one.
    """

    name: str
    version: str
    address: int
    offset: int
    size: int
    indirect: bool = False
    refused: bool = False


def find(elf: Elf, patterns: Iterable[str]) -> dict[str, list[Function]]:
    """The functions that each pattern means.

    A pattern is a name, with or without "@VERSION", or has "*" for any characters, or
    is a `Matching`.
    Without a version all versions are meant: which of them runs depends on when the
    caller was linked.  Functions of one pattern at the same place are given once.
    """
    wanted = {pattern: _matcher(pattern) for pattern in patterns}
    found: dict[str, dict[int, Function]] = {pattern: {} for pattern in wanted}
    several = any(is_pattern(pattern) for pattern in wanted)
    names = None if several else {pattern.partition("@")[0] for pattern in wanted}
    for function in functions(elf, names):
        for pattern, (name, version) in wanted.items():
            if version not in ("", function.version):
                continue
            if name.fullmatch(function.name):
                known = found[pattern].get(function.offset)
                if known is None or _is_better(function.name, known.name):
                    found[pattern][function.offset] = function
    return {pattern: list(each.values()) for pattern, each in found.items()}


def _is_better(name: str, known: str) -> bool:
    """Whether callers rather use this one of two names of a function."""
    return known.startswith("_") and not name.startswith("_")


def _matcher(pattern: str) -> tuple[re.Pattern[str], str]:
    if isinstance(pattern, Matching):
        return matcher(pattern), ""
    name, _, version = pattern.partition("@")
    return matcher(name), version.lstrip("@")


def functions(elf: Elf, names: set[str] | None = None) -> Iterator[Function]:
    """All functions, or those with the given names; once for each symbol.

    Raises `BinaryError` for a malformed file.
    """
    for index, section in _tables(elf):
        yield from _functions(elf, index, section, names)


def addresses(elf: Elf, names: set[str]) -> dict[str, int]:
    """Where symbols of any kind are, as the file has it.

    A name that stands for several places, as local ones may, is left out.
    """
    found: dict[str, set[int]] = {}
    for _, section in _tables(elf):
        for symbol in _symbols(elf, section, names):
            found.setdefault(symbol.name, set()).add(symbol.address)
    return {name: places.pop() for name, places in found.items() if len(places) == 1}


def _tables(elf: Elf) -> Iterator[tuple[int, Section]]:
    """The symbol tables by number of section; ELF allows one of each kind."""
    left = {SHT_SYMTAB, SHT_DYNSYM}
    for index, section in enumerate(elf.sections):
        if section.kind in left:
            left.remove(section.kind)
            yield index, section


class _Symbol(NamedTuple):
    number: int
    kind: int
    name: str
    version: str
    address: int
    size: int


def _symbols(elf: Elf, section: Section, names: set[str] | None) -> Iterator[_Symbol]:
    """The symbols of a table that the file itself defines."""
    if section.entry_size != _SYMBOL.size:
        raise elf.error(f"symbols of {section.entry_size} bytes")
    strings = elf.linked(section.link)
    table = elf.content(section)
    table = table[: len(table) // _SYMBOL.size * _SYMBOL.size]
    places = None if names is None else _places(strings, names)
    for number, symbol in enumerate(_SYMBOL.iter_unpack(table)):
        place, info, _, defined_in, address, size = symbol
        if places is not None and place not in places:
            continue
        name = text(strings, place)
        if name and defined_in and address:
            # .symtab has the version in the name, "memcpy@@GLIBC_2.14".
            name, _, version = name.partition("@")
            version = version.lstrip("@")
            yield _Symbol(number, info & 0xF, name, version, address, size)


def _functions(
    elf: Elf, index: int, section: Section, names: set[str] | None
) -> Iterator[Function]:
    versions = _versions(elf, index) if section.kind == SHT_DYNSYM else _no_version
    for symbol in _symbols(elf, section, names):
        offset = elf.file_offset(symbol.address, PF_X)
        if symbol.kind in (_STT_FUNC, _STT_GNU_IFUNC) and offset is not None:
            yield Function(
                symbol.name,
                symbol.version or versions(symbol.number),
                symbol.address,
                offset,
                symbol.size,
                symbol.kind == _STT_GNU_IFUNC,
            )


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
