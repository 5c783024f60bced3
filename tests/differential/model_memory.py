"""Memory in the model: what pointers and structures of the kernel's language read.

A read that fails gives zero and is counted.
"""

from __future__ import annotations

from typing import Any, cast

from tests.differential.model import U64, Number, Operand, Type, plain
from tests.differential.model_run import Run
from tests.differential.structures import (
    TARGETS,
    CArray,
    CPointer,
    CStruct,
    CType,
    size_of,
)

TRUSTED, KERNEL, USER = "trusted", "kernel", "user"


class Space:
    """All memory that programs can read, by address."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.regions: dict[int, bytes | bytearray] = {}
        self.sent: list[bytes] = []
        self.next = 0xFFFF_B000_0000_0000

    def place(self, data: bytearray) -> int:
        """The address of memory of the kernel, which it keeps."""
        for address, known in self.regions.items():
            if known is data:
                return address
        address = self.next
        self.next += 0x10000
        self.regions[address] = data
        return address

    def find(self, address: int, space: str) -> bytes | bytearray | None:
        """What lies at an address and behind it; None if there is nothing."""
        if (address >> 63 == 0) != (space == USER):
            return None
        for base, data in self.regions.items():
            if base <= address < base + len(data):
                return data[address - base :]
        return None

    def read(self, address: int, size: int, space: str) -> bytes:
        """Bytes of memory; zeros and a loss if they are not all there."""
        found = self.find(address, space)
        if found is None or len(found) < size:
            self.run.lose("failed read")
            return bytes(size)
        return bytes(found[:size])

    def string(self, address: int, space: str, size: int) -> bytes | None:
        """Text with its NUL, cut to `size` bytes; None if there is not that much."""
        found = self.find(address, space)
        text = b"" if found is None else bytes(found[:size])
        if b"\0" in text:
            return text[: text.index(0) + 1]
        return text[:-1] + b"\0" if len(text) == size else None


class Pointer:
    """An address of something."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, memory: Space, address: int, target: CType | None, space: str
    ) -> None:
        self._memory = memory
        self._address = address
        self._target = target
        self._space = space

    def __bool__(self) -> bool:
        return self._address != 0

    def __getattr__(self, name: str) -> Any:
        if name == "value" and not isinstance(self._target, CStruct):
            return self[0]
        assert isinstance(self._target, CStruct)
        return member(self._memory, self._address, self._target, name, self._space)

    def __getitem__(self, index: Operand) -> Any:
        assert self._target is not None
        position = U64.wrap(plain(index))
        address = U64.wrap(self._address + position * size_of(self._target))
        return load(self._memory, address, self._target, self._space)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes):
            return self._text(len(other) + 2) == other
        return bool(self._address == cast(Any, other).address)

    def __ne__(self, other: object) -> bool:
        return not self == other

    @property
    def address(self) -> int:
        return self._address

    @property
    def space(self) -> str:
        return self._space

    @property
    def target(self) -> CType | None:
        return self._target

    def copied(self, size: int) -> bytes:
        """The text for a field of an array, in which it may not end."""
        if not self._address:
            return b""
        text = self._memory.string(self._address, self._space, size)
        if text is None:
            self._memory.run.lose("failed read")
            return b""
        if len(text) == size:
            self._memory.run.lose("truncated")
        return text

    def _text(self, size: int) -> bytes:
        """The text, of which not more than `size` bytes are looked at."""
        text = self._memory.string(self._address, self._space, size)
        if text is None:
            self._memory.run.lose("failed read")
            return b""
        return text[:-1]


class Place:
    """A structure or an array that stays where it is until it is looked at."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, memory: Space, address: int, type_: CType, space: str) -> None:
        self._memory = memory
        self._address = address
        self._type = type_
        self._space = space

    def __getattr__(self, name: str) -> Any:
        assert isinstance(self._type, CStruct)
        return member(self._memory, self._address, self._type, name, self._space)

    def __getitem__(self, index: Operand) -> Any:
        assert isinstance(self._type, CArray)
        element, length = self._type
        position = U64.wrap(plain(index))
        if position >= length:
            assert isinstance(element, Type)
            return Number(0, element)
        address = self._address + position * size_of(element)
        return load(self._memory, address, element, self._space)

    def __bool__(self) -> bool:
        return bool(self[0])

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, bytes) and isinstance(self._type, CArray)
        if len(other) > self._type.length:
            return False
        size = min(len(other) + 1, self._type.length)
        read = self._memory.read(self._address, size, self._space)
        return read.ljust(len(other) + 1, b"\0") == other + b"\0"

    def __ne__(self, other: object) -> bool:
        return not self == other

    @property
    def address(self) -> int:
        return self._address

    @property
    def space(self) -> str:
        return self._space

    @property
    def target(self) -> CType:
        return self._type

    def bytes(self, size: int) -> bytes:
        """Its bytes, at most `size`."""
        length = min(size, size_of(self._type))
        return self._memory.read(self._address, length, self._space)


def load(memory: Space, address: int, type_: CType, space: str) -> Any:
    """What lies at an address."""
    if isinstance(type_, (CStruct, CArray)):
        return Place(memory, address, type_, space)
    raw = memory.read(address, size_of(type_), space)
    number = int.from_bytes(raw, "little")
    if isinstance(type_, Type):
        return Number(number, type_)
    return pointer(memory, number, type_, space)


def pointer(memory: Space, address: int, type_: CPointer, space: str) -> Pointer:
    """A pointer that was found in memory of a space."""
    name = type_.target
    target = TARGETS[name] if isinstance(name, str) else name
    if space == TRUSTED and not isinstance(target, CStruct):
        space = KERNEL
    return Pointer(memory, address, target, space)


def member(
    memory: Space, address: int, structure: CStruct, name: str, space: str
) -> Any:
    """A member of a structure."""
    field = structure.fields[name]
    if not field.bits:
        return load(memory, address + field.offset, field.type, space)
    assert isinstance(field.type, Type)
    start, end = field.shift // 8, (field.shift + field.bits + 7) // 8
    raw = memory.read(address + field.offset + start, end - start, space)
    number = int.from_bytes(raw, "little") >> (field.shift % 8)
    return Number(number & (1 << field.bits) - 1, field.type)
