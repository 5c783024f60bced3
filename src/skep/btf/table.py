"""Where each type and string of a BTF blob is.

Speed matters here: a kernel has 130,000 types in 3 MB and 2 MB of names, and a tool
looks up a dozen of them within a budget of 25 ms and a few MB.  So there is no index by
name: a name's offset is found by searching the strings, and its types by searching the
type section for that offset, which takes about 1 ms.  Type ids need the place of every
type before them; places are collected as far as they are needed.
"""

from __future__ import annotations

import mmap
import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Union

from skep.btf import format as fmt
from skep.errors import TargetError

Buffer = Union[bytes, bytearray, mmap.mmap]

# Words scanned at a time when looking for a type id.
_STRIDE = 1 << 16


class _WordCounts(dict[int, int]):
    """Words of a type, by its info word: there are only a few hundred distinct ones."""

    def __missing__(self, info: int) -> int:
        kind = fmt.kind_of(info)
        if not 0 < kind < len(fmt.KIND_NAMES):
            raise TargetError(f"malformed BTF: unknown kind of type {kind}")
        count = fmt.TYPE_WORDS + fmt.EXTRA_WORDS[kind]
        count += fmt.ELEMENT_WORDS[kind] * fmt.vlen_of(info)
        self[info] = count
        return count


class TypeTable:
    """The type and string sections of one BTF blob.

    `first_id` and `string_base` are 1 and 0, except in split BTF, whose ids and string
    offsets go on where those of its base end.  The buffer is used in place.
    """

    __slots__ = (
        "_buffer",
        "_counts",
        "_next",
        "_offsets",
        "_strings",
        "first_id",
        "string_base",
        "string_size",
        "words",
    )

    def __init__(self, buffer: Buffer, first_id: int = 1, string_base: int = 0) -> None:
        types, strings = _sections(buffer)
        self._buffer = buffer
        self._strings = strings
        self.words = memoryview(buffer)[types.start : types.stop].cast("I")
        self.first_id = first_id
        self.string_base = string_base
        self.string_size = len(strings)
        self._offsets = array("I")  # of the types known so far, in words
        self._next = 0  # where the scan has come to
        self._counts = _WordCounts()

    def end_id(self) -> int:
        """One more than the last type id.  Scans the whole section."""
        self._scan(len(self.words))
        return self.first_id + len(self._offsets)

    def offset(self, type_id: int) -> int | None:
        """Word offset of a type, None past the end."""
        index = type_id - self.first_id
        while index >= len(self._offsets):
            if self._next >= len(self.words):
                return None
            self._scan(self._next + _STRIDE)
        return self._offsets[index]

    def enclosing(self, word: int) -> tuple[int, int]:
        """The id and the word offset of the type that `word` is part of."""
        self._scan(word + 1)
        index = bisect_right(self._offsets, word) - 1
        return self.first_id + index, self._offsets[index]

    def size(self, info: int) -> int:
        """Words of a type with this info word."""
        return self._counts[info]

    def _scan(self, stop: int) -> None:
        """Collect the offsets of all types that start before `stop`."""
        stop = min(stop, len(self.words))
        position = self._next
        words, counts, append = self.words, self._counts, self._offsets.append
        try:
            while position < stop:
                append(position)
                position += counts[words[position + 1]]
        except IndexError:
            position = len(words) + 1
        if position > len(words):
            raise TargetError("malformed BTF: the last type is cut off")
        self._next = position

    def string(self, offset: int) -> str:
        """The string at an offset of this blob's own string section."""
        start = self._strings.start + offset - self.string_base
        end = self._buffer.find(b"\0", start, self._strings.stop)
        if start < self._strings.start or end < 0:
            raise TargetError(f"malformed BTF: no string at offset {offset}")
        return bytes(self._buffer[start:end]).decode("utf-8", "replace")

    def string_offset(self, text: str) -> int | None:
        """The offset of a whole string.

        Strings are unique and none is kept as the tail of another: libbpf's
        btf__dedup(), which pahole applies to every kernel, sees to that.
        """
        pattern = b"\0%b\0" % text.encode("utf-8", "surrogateescape")
        start, stop = self._strings.start, self._strings.stop
        found = self._buffer.find(pattern, start, stop)
        if found >= 0:
            return self.string_base + found + 1 - start
        # The string section of split BTF need not start with an empty string.
        if bytes(self._buffer[start : start + len(pattern) - 1]) == pattern[1:]:
            return self.string_base
        return None

    def strings(self, prefix: str) -> list[str]:
        """All strings that begin with `prefix`; a few milliseconds."""
        view = memoryview(self._buffer)[self._strings.start : self._strings.stop]
        found = re.findall(
            b"\0(%b[^\0]*)" % re.escape(prefix.encode("utf-8", "surrogateescape")), view
        )
        return [each.decode("utf-8", "replace") for each in found]

    def occurrences(self, value: int, then: bytes = b"") -> Iterator[int]:
        """Word offsets at which `value` occurs, followed by the byte regex `then`.

        `re` searches any buffer in place and, unlike mmap.find in Python 3.11, fast.
        """
        search = re.compile(re.escape(struct.pack("=I", value)) + then, re.S).search
        view = self.words.cast("B")
        match = search(view)
        while match:
            if match.start() % 4 == 0:
                yield match.start() // 4
            match = search(view, match.start() + 1)


def _sections(buffer: Buffer) -> tuple[range, range]:
    """Byte ranges of the type and string sections, from the header."""
    try:
        fields = struct.unpack_from(fmt.HEADER, buffer)
    except struct.error:
        raise TargetError("malformed BTF: shorter than its header") from None
    magic, version, _, header, type_at, type_size, string_at, string_size = fields
    if magic != fmt.MAGIC:
        raise TargetError(
            "malformed BTF: wrong magic number",
            notes=[f"found {magic:#x}; BTF of the other byte order is not supported"],
        )
    if version != fmt.VERSION:
        raise TargetError(f"BTF version {version} is not supported")
    types = range(header + type_at, header + type_at + type_size)
    strings = range(header + string_at, header + string_at + string_size)
    if max(types.stop, strings.stop) > len(buffer) or type_size % 4:
        raise TargetError("malformed BTF: a section is cut off")
    return types, strings
