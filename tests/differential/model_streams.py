"""Streams of the model: records as they arrive in the ring buffer."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from tests.differential import facts
from tests.differential.model_memory import Place, Pointer, Space
from tests.differential.model_objects import MEMORY, Record, store
from tests.differential.structures import size_of


class Stack(NamedTuple):
    """A stack trace, which is not the same twice."""

    user: bool


class Region(NamedTuple):
    """Bytes that go to a record's end as they are."""

    source: Pointer | Place
    length: int


class Stream:
    """Collects records.

    `tail` says what follows the fixed part: "string", "strings", "bytes" or nothing; of
    text at most `most` bytes.  `number` is the type id.
    """

    def __init__(
        self, record: Record, number: int, tail: str = "", most: int = 0
    ) -> None:
        self.record = record
        self.number = number
        self.tail = tail
        self.most = most
        self.sent: list[bytes] = record.memory.sent

    def begin(self) -> Row:
        return Row(self)

    def emit(self, **values: Any) -> None:
        self.begin().emit(**values)


class Row:
    """A record that grows."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.tail = b""
        self.memory: Space = stream.record.memory

    def append(self, text: Any) -> None:
        if isinstance(text, Region):
            self._append_region(text)
            return
        space = KERNEL_SIDE.get(text.space, text.space)
        several = self.stream.tail == "strings"
        limit = self.stream.most + 2
        if isinstance(text, Place):
            limit = min(limit, size_of(text.target) + 1)
        if several and len(self.tail) > self.stream.most + 1:
            return
        found = self.memory.string(text.address, space, limit)
        if found is not None:
            self.tail += found
        elif several:
            self.memory.run.lose("failed read")

    def _append_region(self, region: Region) -> None:
        most = self.stream.most + 1
        if len(self.tail) > most:
            return
        length = min(region.length, most)
        source = region.source
        space = KERNEL_SIDE.get(source.space, source.space)
        found = self.memory.find(source.address, space)
        if length and (found is None or len(found) < length):
            self.memory.run.lose("failed read")
        elif length:
            assert found is not None
            self.tail += bytes(found[:length])

    def emit(self, **values: Any) -> None:
        stream = self.stream
        text = values.pop("text", None)
        if stream.number == 3:
            values = {"kernel": Stack(False), "user": Stack(True), **values}
        data = bytearray(stream.record.size)
        data[:4] = stream.number.to_bytes(4, "little")
        for field in stream.record.fields:
            value = values[field.name]
            if not isinstance(value, Stack):
                store(data, field, value)
            elif value.user:
                pid = facts.current().pid
                struct.pack_into("<Q", data, field.offset + 8, pid)
        if text is not None:
            self.append(text)
        most = stream.most + 2 if stream.tail else 0
        stream.sent.append(bytes(data) + self.tail[:most])


KERNEL_SIDE = {"trusted": "kernel", MEMORY: "kernel"}
"""Where helpers find what programs may also load from directly."""
