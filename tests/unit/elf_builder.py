"""Small ELF files, put together byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LOAD_ADDRESS = 0x400000
CODE = 0x1000
"""Where code starts in the file; in memory it is at LOAD_ADDRESS + CODE."""

FUNCTION, INDIRECT, OBJECT, LABEL = 2, 10, 1, 0
GLOBAL = 1
_TEXT = 8  # the section of code


class Symbol(NamedTuple):
    """A symbol; `version` is a number of the versions given."""

    name: str
    address: int
    kind: int = FUNCTION
    version: int = 0
    size: int = 8
    binding: int = 0


class _Section(NamedTuple):
    name: str
    kind: int
    content: bytes
    link: int = 0
    info: int = 0
    entry_size: int = 0
    address: int = 0
    flags: int = 0


def strings(names: Sequence[str]) -> tuple[bytes, dict[str, int]]:
    """A string table, and where each string is."""
    table, places = b"\0", {"": 0}
    for name in names:
        places.setdefault(name, len(table))
        table += name.encode() + b"\0"
    return table, places


def elf(
    symbols: Sequence[Symbol] = (),
    dynamic: Sequence[Symbol] = (),
    versions: Sequence[str] = (),
    notes: bytes = b"",
    base: int = 0,
    code: bytes = b"\x55" * 0x1000,
    machine: int = 62,
    more: Mapping[str, bytes] = {},
    build: bytes = b"",
) -> bytes:
    """A program with one segment that has the whole file.

    `more` are further sections, `build` is the id of the build.
    """
    texts, places = strings([s.name for s in (*symbols, *dynamic)] + list(versions))
    sections = [
        _Section("", 0, b""),
        _Section(".strtab", 3, texts),
        _Section(".symtab", 2, _table(symbols, places), 1, 0, 24),
        _Section(".dynsym", 11, _table(dynamic, places), 1, 0, 24),
        _Section(".gnu.version", 0x6FFFFFFF, _numbers(dynamic), 3),
        _Section(".gnu.version_d", 0x6FFFFFFD, _definitions(versions, places), 1),
        _Section(".note.stapsdt", 7, notes),
        _Section(".stapsdt.base", 1, b"\0", address=base),
        _Section(".text", 1, code, address=LOAD_ADDRESS + CODE, flags=6),
        _Section(".note.gnu.build-id", 7, _build_note(build)),
        *(_Section(name, 1, content) for name, content in more.items()),
    ]
    names, name_places = strings([s.name for s in sections] + [".shstrtab"])
    sections.append(_Section(".shstrtab", 3, names))
    body, headers = code, b""
    for each in sections:
        offset = 0 if each.name == ".text" else len(body)
        headers += struct.pack(
            "<IIQQQQIIQQ",
            name_places[each.name],
            each.kind,
            each.flags,
            each.address,
            CODE + offset,
            len(each.content),
            each.link,
            each.info,
            1,
            each.entry_size,
        )
        if each.name != ".text":
            body += each.content
    size = CODE + len(body) + len(headers)
    segment = struct.pack(
        "<IIQQQQQQ", 1, 5, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 4096
    )
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        *(3, machine, 1, LOAD_ADDRESS + CODE, 64, CODE + len(body), 0),
        *(64, 56, 1, 64, len(sections), len(sections) - 1),
    )
    return (header + segment).ljust(CODE, b"\0") + body + headers


def _table(symbols: Sequence[Symbol], places: dict[str, int]) -> bytes:
    entries = [bytes(24)]
    for each in symbols:
        defined_in = _TEXT if each.address else 0
        info = each.binding << 4 | each.kind
        entries.append(
            struct.pack(
                "<IBBHQQ",
                *(places[each.name], info, 0, defined_in, each.address, each.size),
            )
        )
    return b"".join(entries)


def _build_note(build: bytes) -> bytes:
    head = struct.pack("<III", 4, len(build), 3)
    return head + b"GNU\0" + build if build else b""


def _numbers(symbols: Sequence[Symbol]) -> bytes:
    return struct.pack(f"<{len(symbols) + 1}H", 0, *(s.version for s in symbols))


def _definitions(versions: Sequence[str], places: dict[str, int]) -> bytes:
    """Version 1 is the file itself; those of the names are 2, 3 and so on."""
    parts = []
    for index, name in enumerate(("", *versions)):
        following = 28 if index < len(versions) else 0
        flags = 0 if index else 1
        parts.append(
            struct.pack(
                "<HHHHIIIII", 1, flags, index + 1, 1, 0, 20, following, places[name], 0
            )
        )
    return b"".join(parts)


def note(
    provider: str,
    name: str,
    arguments: str,
    address: int,
    base: int = 0,
    semaphore: int = 0,
) -> bytes:
    """A note of a USDT probe."""
    content = struct.pack("<QQQ", address, base, semaphore)
    content += b"".join(t.encode() + b"\0" for t in (provider, name, arguments))
    owner = b"stapsdt\0"
    padded = content.ljust(-(-len(content) // 4) * 4, b"\0")
    return struct.pack("<III", len(owner), len(content), 3) + owner + padded
