"""Maps, records, streams and intrinsics of the model."""

from __future__ import annotations

import struct
from typing import Any, Callable, NamedTuple

from tests.differential.model import (
    TYPES,
    U16,
    U32,
    U64,
    Number,
    Operand,
    Type,
    plain,
)
from tests.differential.model_run import Ended, Run


class Field(NamedTuple):
    """A number, or text where `length` is not 0."""

    name: str
    offset: int
    type: Type
    length: int = 0


class Record(NamedTuple):
    """The bytes of a record: fields at their offsets, zeros between them."""

    size: int
    fields: tuple[Field, ...]

    def pack(self, values: dict[str, Any]) -> bytes:
        data = bytearray(self.size)
        for field in self.fields:
            store(data, field, values[field.name])
        return bytes(data)

    def __call__(self, **values: Any) -> Memory:
        return Memory(self, bytearray(self.pack(values)))


def store(data: bytearray, field: Field, value: Any) -> None:
    size = field.length or field.type.bits // 8
    if isinstance(value, Text):
        raw = value.data[:size].ljust(size, b"\0")
    else:
        wrapped = field.type.wrap(plain(value))
        raw = wrapped.to_bytes(size, "little", signed=field.type.signed)
    data[field.offset : field.offset + size] = raw


class Text(NamedTuple):
    """Bytes that compare as text up to the NUL."""

    data: bytes

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, (str, bytes))
        wanted = other.encode() if isinstance(other, str) else other
        return self.data.partition(b"\0")[0] == wanted

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return self.data[:1] not in (b"", b"\0")


class Memory:
    """A record in memory, whose fields are attributes."""

    def __init__(self, record: Record, data: bytearray) -> None:
        self.__dict__["record"] = record
        self.__dict__["data"] = data

    def _field(self, name: str) -> Field:
        return next(f for f in self.record.fields if f.name == name)

    def __getattr__(self, name: str) -> Number | Text:
        field = self._field(name)
        size = field.length or field.type.bits // 8
        raw = bytes(self.data[field.offset : field.offset + size])
        if field.length:
            return Text(raw)
        return Number(int.from_bytes(raw, "little"), field.type)

    def __setattr__(self, name: str, value: Any) -> None:
        store(self.data, self._field(name), value)


def scalar(type_: Type) -> Record:
    """A record that is one number, called `value`."""
    return Record(type_.bits // 8, (Field("value", 0, type_),))


class Map:
    """A hash or, with `array`, an array of records."""

    def __init__(
        self, run: Run, key: Record, value: Record, entries: int, array: bool = False
    ) -> None:
        self.run, self.key, self.value = run, key, value
        self.entries, self.array = entries, array
        self.elements: dict[bytes, bytearray] = {}
        if array:
            for index in range(entries):
                self.elements[index.to_bytes(4, "little")] = bytearray(value.size)

    def _bytes(self, record: Record, value: Any) -> bytes:
        if isinstance(value, Memory):
            return bytes(value.data)
        return record.pack({"value": value})

    def lookup(self, key: Any) -> Memory | None:
        data = self.elements.get(self._bytes(self.key, key))
        return None if data is None else Memory(self.value, data)

    def update(self, key: Any, value: Any) -> None:
        at, new = self._bytes(self.key, key), self._bytes(self.value, value)
        if at not in self.elements and (self.array or self._full()):
            self.run.lose("map full")
            return
        self.elements[at] = bytearray(new)

    def _full(self) -> bool:
        return len(self.elements) == self.entries

    def delete(self, key: Any) -> None:
        if not self.array:
            self.elements.pop(self._bytes(self.key, key), None)

    def increment(self, key: Any) -> None:
        add(self.find_or_create(self._bytes(self.key, key)), 0, 1)

    def find_or_create(self, key: bytes) -> bytearray:
        if key not in self.elements:
            if self.array:
                raise Ended
            if self._full():
                self.run.lose("map full")
                raise Ended
            self.elements[key] = bytearray(self.value.size)
        return self.elements[key]


def add(data: bytearray, offset: int, amount: int) -> None:
    """Add to the u64 at `offset`."""
    (old,) = struct.unpack_from("<Q", data, offset)
    struct.pack_into("<Q", data, offset, U64.wrap(old + amount))


def log2(value: Operand) -> Number:
    """The highest set bit of the number's own width; the lowest for 0."""
    unsigned = Type(value.type.bits, False) if isinstance(value, Number) else U64
    return Number(max(unsigned.wrap(plain(value)).bit_length() - 1, 0), U32)


class Histogram:
    """A map of counters, one per highest bit, and their sum behind them."""

    def __init__(self, counts: Map, key: Record | None, total: bool) -> None:
        self.counts, self.key, self.total = counts, key, total
        self.slots = counts.value.size // 8 - total

    def record(self, value: Operand, **key: Any) -> None:
        at = self.key.pack(key) if self.key else bytes(4)
        entry = self.counts.find_or_create(at)
        add(entry, 8 * (log2(value).value & (self.slots - 1)), 1)
        if self.total:
            add(entry, 8 * self.slots, plain(value))


class Stream:
    """Collects records; type id 1."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.records: list[bytes] = []

    def emit(self, **values: Any) -> None:
        data = bytearray(self.record.pack(values))
        data[:4] = (1).to_bytes(4, "little")
        self.records.append(bytes(data))


def _swap(type_: Type) -> Callable[[Operand], Number]:
    def swap(value: Operand) -> Number:
        raw = type_.wrap(plain(value)).to_bytes(type_.bits // 8, "little")
        return Number(int.from_bytes(raw, "big"), type_)

    return swap


def _cast(type_: Type) -> Callable[[Operand], Number]:
    return lambda value: Number(plain(value), type_)


class Intrinsics:
    """`bpf` in the model."""

    def __init__(self) -> None:
        for name, type_ in TYPES.items():
            setattr(self, name, _cast(type_))
        self.log2 = log2
        self.ntohs, self.ntohl, self.ntohll = map(_swap, (U16, U32, U64))
