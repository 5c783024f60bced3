"""Byte-addressed memory of made-up addresses in which every access is checked."""

from __future__ import annotations

import bisect
from typing import NamedTuple


class Fault(Exception):
    """The program did what the kernel's verifier should never have let it do."""


class Region(NamedTuple):
    """A piece of memory; `name` is for messages."""

    name: str
    base: int
    data: bytearray
    writable: bool


class Memory:
    """Regions far enough apart that running off one never reaches another.

    Kernel memory is in the upper half of the address space, so that code which takes a
    pointer for a signed number or cuts it to 32 bits is found out.  User memory is in
    the lower half; programs reach it only by helpers that say so.
    """

    def __init__(self) -> None:
        self._regions: list[Region] = []
        self._bases: list[int] = []
        self._next = {False: 0xFFFF_9000_0000_0000, True: 0x7F00_0000_0000}

    def map(
        self, name: str, data: bytearray, writable: bool = True, user: bool = False
    ) -> int:
        """Give `data` an address and return it; the bytes are shared, not copied."""
        base = self._next[user]
        self._next[user] += (len(data) & ~0xFFF) + 0x2000
        return self.map_at(base, name, data, writable)

    def map_at(
        self, base: int, name: str, data: bytearray, writable: bool = False
    ) -> int:
        """Give `data` this address, which it returns."""
        index = bisect.bisect(self._bases, base)
        self._regions.insert(index, Region(name, base, data, writable))
        self._bases.insert(index, base)
        return base

    def read(self, address: int, size: int, user: bool = False) -> bytes:
        """`size` bytes at `address`; Fault unless all lie in one region."""
        if (address >> 63 == 0) != user:
            raise Fault(f"{address:#x} is in the wrong half of the address space")
        region, offset = self._find(address, size)
        return bytes(region.data[offset : offset + size])

    def write(self, address: int, data: bytes) -> None:
        """Store at `address`; Fault unless all lies in one writable region."""
        region, offset = self._find(address, len(data))
        if address >> 63 == 0:
            raise Fault(f"write to user memory at {address:#x}")
        if not region.writable:
            raise Fault(f"write to read-only {region.name} at offset {offset}")
        region.data[offset : offset + len(data)] = data

    def load(self, address: int, size: int) -> int:
        """The unsigned little-endian number of `size` bytes at `address`."""
        return int.from_bytes(self.read(address, size), "little")

    def store(self, address: int, value: int, size: int) -> None:
        """Store the low `size` bytes of `value`."""
        mask = (1 << 8 * size) - 1
        self.write(address, (value & mask).to_bytes(size, "little"))

    def _find(self, address: int, size: int) -> tuple[Region, int]:
        index = bisect.bisect_right(self._bases, address) - 1
        if index >= 0:
            region = self._regions[index]
            offset = address - region.base
            if offset + size <= len(region.data):
                return region, offset
        raise Fault(f"access to {size} bytes at {address:#x}, which is nowhere")
