"""Writing BTF: blobs of our own for bpf(2), and small ones for tests."""

from __future__ import annotations

import struct
from array import array

from skep.btf import format as fmt
from skep.btf.encode import encode
from skep.btf.reader import Btf
from skep.btf.types import BtfType


class BtfWriter:
    """Collects types and strings and makes a BTF blob of them.

    With a `base` the result is split BTF: ids go on where the base's end, and strings
    that the base has are not repeated.
    """

    def __init__(self, base: Btf | None = None) -> None:
        self._base = base
        self._next_id = base.end_id if base else 1
        self._words = array("I")
        # Only a base-less string section starts with the empty string.
        self._strings = bytearray(b"" if base else b"\0")
        self._string_base = base.end_string if base else 0
        self._offsets = {"": 0}

    @property
    def next_id(self) -> int:
        """The id that the next added type will get."""
        return self._next_id

    def string(self, text: str) -> int:
        """The offset of a string, added if it is not there yet."""
        offset = self._offsets.get(text)
        if offset is None:
            offset = self._base.string_offset(text) if self._base else None
        if offset is None:
            offset = self._string_base + len(self._strings)
            self._strings += text.encode("utf-8", "surrogateescape") + b"\0"
        self._offsets[text] = offset
        return offset

    def add(self, described: BtfType) -> int:
        """Append a type, which may refer to ids yet to come, and return its id."""
        self._words.extend(encode(described, self.string))
        self._next_id += 1
        return self._next_id - 1

    def to_bytes(self) -> bytes:
        """The blob."""
        types = self._words.tobytes()
        size = struct.calcsize(fmt.HEADER)
        places = 0, len(types), len(types), len(self._strings)
        header = struct.pack(fmt.HEADER, fmt.MAGIC, fmt.VERSION, 0, size, *places)
        return header + types + self._strings
