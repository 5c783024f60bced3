"""The file of a recording: chunks of bytes with checksums, one after the other.

    file   magic, chunks
    chunk  kind (1 byte), length of the payload, its CRC-32 (u32 each), payload

Numbers are little-endian.  Kinds:

    H  the header (JSON)
    N  names that were looked up to show what comes behind (JSON)
    R  records as they lay in the ring buffer
    T  rows of a table or histogram, compressed
    S  the end of a snapshot, whose rows came before (JSON)
    E  the end, with what was lost (JSON)

A file without its end was cut short.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from skep.errors import SkepError

_ANY_MAGIC = b"skep recording "
MAGIC = _ANY_MAGIC + b"2\n"
"""What a file starts with; the number is that of its form."""

HEADER, NAMES, RECORDS, ROWS, SNAPSHOT, END = (bytes((kind,)) for kind in b"HNRTSE")
KINDS = (HEADER, NAMES, RECORDS, ROWS, SNAPSHOT, END)

LONGEST = 1 << 26
"""Bytes of a payload, also of rows that were compressed.  All that is written is far
below."""

_HEAD = struct.Struct("<cII")


class Chunk(NamedTuple):
    """A part of the file, and where it starts."""

    kind: bytes
    payload: bytes
    offset: int


class Damaged(SkepError):
    """A file is no recording, or not as it was written."""


def damaged(chunk: Chunk) -> Damaged:
    """The error that a chunk is not as it was written."""
    return Damaged(f"it is damaged at byte {chunk.offset}")


class FileWriter:
    """Writes a new file that only its owner can read.  Raises SkepError."""

    def __init__(self, path: str) -> None:
        self._path = path
        # O_EXCL follows no link and touches nothing that exists.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._fd = os.open(path, flags, 0o600)
        except FileExistsError:
            raise SkepError(
                f"cannot record to {path!r}: it exists",
                hint="choose another name, or remove it",
            ) from None
        except OSError as error:
            reason = error.strerror
            raise SkepError(f"cannot record to {path!r}: {reason}") from error
        self._write(MAGIC)

    def add(self, kind: bytes, payload: bytes) -> None:
        """Write a chunk."""
        self._write(_HEAD.pack(kind, len(payload), zlib.crc32(payload)) + payload)

    def add_json(self, kind: bytes, content: Any) -> None:
        """Write a chunk of JSON."""
        self.add(kind, json.dumps(content).encode())

    def add_packed(self, kind: bytes, payload: bytes) -> None:
        """Write a chunk of what is mostly zeros."""
        self.add(kind, zlib.compress(payload, 1))

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            reason = error.strerror
            raise SkepError(f"cannot record to {self._path!r}: {reason}") from error

    def close(self, keep: bool = True) -> None:
        """Close the file, or remove it again."""
        os.close(self._fd)
        if not keep:
            try:
                os.unlink(self._path)
            except OSError:
                pass  # somebody else has removed it


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """The whole chunks of a file; one that is cut short at the end is left out.

    Raises Damaged for a file of another kind and for damage within it.
    """
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        if magic and MAGIC.startswith(magic):
            raise Damaged("it ends before its header")
        if magic.startswith(_ANY_MAGIC):
            raise Damaged(
                "it has the form of another version of skep",
                hint="replay it with the version that recorded it",
            )
        raise Damaged("it is no recording of skep")
    offset = len(MAGIC)
    while True:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        kind, length, checksum = _HEAD.unpack(head)
        if kind not in KINDS or length > LONGEST:
            raise Damaged(f"it is damaged at byte {offset}")
        payload = file.read(length)
        if len(payload) < length:
            return
        if zlib.crc32(payload) != checksum:
            raise Damaged(f"it is damaged at byte {offset}")
        yield Chunk(kind, payload, offset)
        offset += _HEAD.size + length


def content_of(chunk: Chunk) -> dict[str, Any]:
    """The object that a chunk of JSON has.  Raises Damaged."""
    try:
        content = json.loads(chunk.payload)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise damaged(chunk)
    return content


def unpacked(chunk: Chunk) -> bytes:
    """What a compressed chunk has.  Raises Damaged."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(chunk.payload, LONGEST)
    except zlib.error:
        raise damaged(chunk) from None
    if not unpacker.eof or unpacker.unused_data:
        raise damaged(chunk)
    return content
