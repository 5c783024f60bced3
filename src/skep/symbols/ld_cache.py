"""/etc/ld.so.cache: which file the dynamic linker takes for a library's name.

Source: sysdeps/generic/dl-cache.h of glibc, struct cache_file_new.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from skep.symbols.elf import text

PATH = "/etc/ld.so.cache"

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sIIB3xI12x")
_ENTRY = struct.Struct("<iIIIQ")

# FLAG_ELF_LIBC6 with FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64: not those of 32 bits.
_FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03}


def lookup(cache: bytes, name: str, machine: str) -> str | None:
    """The path of lib<name>.so or lib<name>.so.<version>; None if there is none.

    ldconfig sorts the highest version first.  Variants for certain processors (hwcap)
    come second.
    """
    pattern = re.compile(rf"lib{re.escape(name)}\.so(\.[\w.]+)?")
    variant = None
    for soname, path, hwcap in _entries(cache, machine):
        if pattern.fullmatch(soname):
            if not hwcap:
                return path
            variant = variant or path
    return variant


def _entries(cache: bytes, machine: str) -> Iterator[tuple[str, str, int]]:
    """Names, paths and processor requirements of the libraries of one ABI.

    Older files have an older table in front.  A malformed file has fewer entries.
    """
    start = cache.find(_MAGIC)
    if start < 0 or len(cache) < start + _HEADER.size:
        return
    cache = cache[start:]
    count = _HEADER.unpack_from(cache)[1]
    end = _HEADER.size + count * _ENTRY.size
    table = cache[_HEADER.size : end]
    table = table[: len(table) // _ENTRY.size * _ENTRY.size]
    for flags, key, value, _, hwcap in _ENTRY.iter_unpack(table):
        if flags == _FLAGS.get(machine):
            yield text(cache, key), text(cache, value), hwcap
