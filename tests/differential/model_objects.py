"""Records, maps, histograms and tables of the model."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from tests.differential.model import (
    U32,
    U64,
    Number,
    Operand,
    Type,
    plain,
)
from tests.differential.model_memory import Place, Pointer, Space
from tests.differential.model_run import Ended
from tests.differential.structures import CArray, CField, CStruct, CType, size_of

MEMORY = "memory"


class Field(NamedTuple):
    """A number or an array at its place in a record."""

    name: str
    offset: int
    type: CType


class Record(NamedTuple):
    """The bytes of a record: fields at their offsets, zeros between them."""

    memory: Space
    size: int
    fields: tuple[Field, ...]

    def pack(self, values: Mapping[str, Any]) -> bytes:
        data = bytearray(self.size)
        for field in self.fields:
            store(data, field, values[field.name])
        return bytes(data)

    def __call__(self, **values: Any) -> Memory:
        return Memory(self, bytearray(self.pack(values)))

    @property
    def target(self) -> CType:
        """What a pointer to it leads to."""
        if len(self.fields) == 1 and self.fields[0].name == "value":
            return self.fields[0].type
        fields = {f.name: CField(f.offset, f.type) for f in self.fields}
        return CStruct("record", self.size, fields)


def store(data: bytearray, field: Field, value: Any) -> None:
    """Put a value into its field: a number, known text, an array, or the text that a
    pointer leads to."""
    size = size_of(field.type)
    if isinstance(field.type, CArray):
        raw = _text(value, size)
    else:
        assert isinstance(field.type, Type)
        number = value.address if isinstance(value, Pointer) else plain(value)
        wrapped = field.type.wrap(number)
        raw = wrapped.to_bytes(size, "little", signed=field.type.signed)
    data[field.offset : field.offset + size] = raw


def _text(value: Any, size: int) -> bytes:
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, Place):
        value = value.bytes(size)
    elif isinstance(value, Pointer):
        value = value.copied(size)
    assert isinstance(value, bytes)
    return value[:size].ljust(size, b"\0")


class Memory:
    """A record in the program's own memory, whose fields are attributes."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, record: Record, data: bytearray) -> None:
        self.__dict__["record"] = record
        self.__dict__["data"] = data

    def _field(self, name: str) -> Field:
        return next(f for f in self.record.fields if f.name == name)

    def __getattr__(self, name: str) -> Number | Place:
        field = self._field(name)
        if isinstance(field.type, CArray):
            memory = self.record.memory
            address = memory.place(self.data) + field.offset
            return Place(memory, address, field.type, MEMORY)
        assert isinstance(field.type, Type)
        raw = bytes(self.data[field.offset : field.offset + size_of(field.type)])
        return Number(int.from_bytes(raw, "little"), field.type)

    def __setattr__(self, name: str, value: Any) -> None:
        store(self.data, self._field(name), value)

    def __eq__(self, other: object) -> bool:
        """Whether both are the same place, as pointers to them are."""
        return bool(self.address == cast(Any, other).address)

    @property
    def address(self) -> int:
        return self.record.memory.place(self.data)

    @property
    def target(self) -> CType:
        return self.record.target

    @property
    def space(self) -> str:
        return MEMORY


def scalar(memory: Space, type_: Type) -> Record:
    """A record that is one number, called `value`."""
    return Record(memory, type_.bits // 8, (Field("value", 0, type_),))


class Map:
    """A hash or, with `array`, an array of records."""

    def __init__(
        self, key: Record, value: Record, entries: int, array: bool = False
    ) -> None:
        self.run, self.key, self.value = value.memory.run, key, value
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
        if at in self.elements:
            self.elements[at][:] = new
        elif self.array or self._full():
            self.run.lose("map full")
        else:
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

    def of_task(self, task: object) -> Memory:
        """The one element of a map of tasks, as there is one task."""
        return Memory(self.value, self.find_or_create(b"task"))

    def stack_id(self, user: bool = False) -> Number:
        """Nothing that a program may depend on."""
        return Number(0, Type(32, True))


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


class Table:
    """Sums by key, in one map: the model's programs never see the other."""

    def __init__(self, sums: Map, key: Record) -> None:
        self.sums, self.key = sums, key

    def add(self, **values: Any) -> None:
        names = [field.name for field in self.sums.value.fields]
        addends = {name: plain(values.pop(name)) for name in names}
        key = self.key.pack({"stack": 0, **values})
        entry = self.sums.find_or_create(key)
        for field in self.sums.value.fields:
            add(entry, field.offset, addends[field.name])
