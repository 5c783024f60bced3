"""A page of this process's memory for programs to read; behind it there is none.

It lies at the same address in every process and for the interpreter, so that pointers
into it are numbers like others.
"""

from __future__ import annotations

import ctypes
import mmap
import random
import struct
from functools import cache

ADDRESS = 0x6E00_0000_0000
SIZE = mmap.PAGESIZE
UNMAPPED = ADDRESS + SIZE

_MAP_FIXED_NOREPLACE = 0x100000
"""Flag of mmap(2) from 4.17 (include/uapi/asm-generic/mman-common.h)."""

TEXTS = {
    0x100: b"",
    0x110: b"abc",
    0x120: b"abcdefgh",
    0x130: b"abcdefghijkl",
    0x150: b"a text that is longer than most fields have room for, by far",
    0x1A0: b"\x1b[31m\xff\xfe",
}
"""Texts in the page, by their offset."""

POINTERS = (0, ADDRESS, ADDRESS + 16, ADDRESS + 0x110, UNMAPPED, 16, 1 << 63, ADDRESS)
"""What the first words of the page are: addresses, some of them of nothing."""


@cache
def content() -> bytes:
    """The bytes of the page: pointers, texts, numbers, and at the end no NUL."""
    data = bytearray(random.Random("page").randbytes(SIZE))
    struct.pack_into(f"<{len(POINTERS)}Q", data, 0, *POINTERS)
    for offset, text in TEXTS.items():
        data[offset : offset + len(text) + 1] = text + b"\0"
    data[-24:] = b"the page ends without ..."[:24]
    return bytes(data)


@cache
def provide() -> int:
    """Map the page, if it is not there, and return its address."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3]
    libc.mmap.argtypes += [ctypes.c_long]
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED_NOREPLACE
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    found = libc.mmap(ADDRESS, SIZE, protection, flags, -1, 0)
    if found != ADDRESS:
        raise OSError(ctypes.get_errno(), "cannot map the page of the tests")
    ctypes.memmove(ADDRESS, content(), SIZE)
    return ADDRESS
