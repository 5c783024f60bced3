"""Words of a BTF type to the classes of `skep.btf.types`, one function per kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from skep.btf import format as fmt
from skep.btf.types import (
    Array,
    BtfType,
    Datasec,
    DeclTag,
    Enum,
    Float,
    Forward,
    Func,
    FuncProto,
    Int,
    Member,
    Modifier,
    Pointer,
    Struct,
    Typedef,
    TypeTag,
    Var,
    Void,
)
from skep.named_tuple import NamedTuple


class Record(NamedTuple):
    """One undecoded type.

    `last` is the third word, a size or a type id; `words` are those after the head.
    `string` maps a string's offset to its text.
    """

    name: str
    kind: int
    flag: bool
    vlen: int
    last: int
    words: Sequence[int]
    string: Callable[[int], str]


def _int(record: Record) -> Int:
    encoding = record.words[0] >> 24 & 0xF
    return Int(
        record.name,
        record.last,
        record.words[0] & 0xFF,
        bool(encoding & fmt.INT_SIGNED),
        bool(encoding & fmt.INT_BOOL),
        bool(encoding & fmt.INT_CHAR),
    )


def _array(record: Record) -> Array:
    element, _, count = record.words
    return Array(element, count)


def _struct(record: Record) -> Struct:
    words, string = record.words, record.string
    members = []
    for index in range(0, len(words), 3):
        name, type_id, place = words[index : index + 3]
        bits = 0
        if record.flag:  # then the top byte is the width of a bit field
            bits, place = place >> 24, place & 0xFFFFFF
        members.append(Member(string(name), type_id, place, bits))
    kind = fmt.KIND_NAMES[record.kind]
    return Struct(kind, record.name, record.last, tuple(members))


def _enum(record: Record) -> Enum:
    # Kernels before 6.0 do not set the flag; their negative values read as unsigned.
    words, values = record.words, []
    for index in range(0, len(words), 2):
        name, value = words[index : index + 2]
        values.append((record.string(name), signed(value, 32, record.flag)))
    return Enum(record.name, record.last, record.flag, tuple(values))


def _enum64(record: Record) -> Enum:
    words, values = record.words, []
    for index in range(0, len(words), 3):
        name, low, high = words[index : index + 3]
        value = signed(high << 32 | low, 64, record.flag)
        values.append((record.string(name), value))
    return Enum(record.name, record.last, record.flag, tuple(values))


def signed(value: int, bits: int, is_signed: bool) -> int:
    """`value`, taken as a signed number if it `is_signed`."""
    return value - (1 << bits) if is_signed and value >> bits - 1 else value


def _forward(record: Record) -> Forward:
    return Forward("union" if record.flag else "struct", record.name)


def _modifier(record: Record) -> Modifier:
    return Modifier(fmt.KIND_NAMES[record.kind], record.last)


def _func_proto(record: Record) -> FuncProto:
    words = record.words
    params = zip(map(record.string, words[::2]), words[1::2])
    return FuncProto(record.last, tuple(params))


def _datasec(record: Record) -> Datasec:
    words = iter(record.words)
    return Datasec(record.name, record.last, tuple(zip(words, words, words)))


def _decl_tag(record: Record) -> DeclTag:
    return DeclTag(record.name, record.last, signed(record.words[0], 32, True))


# At the numbers of the kinds; a func keeps its linkage where others have vlen.
DECODERS: Sequence[Callable[[Record], BtfType]] = (
    lambda record: Void(),
    _int,
    lambda record: Pointer(record.last),
    _array,
    _struct,
    _struct,
    _enum,
    _forward,
    lambda record: Typedef(record.name, record.last),
    _modifier,
    _modifier,
    _modifier,
    lambda record: Func(record.name, record.last, record.vlen),
    _func_proto,
    lambda record: Var(record.name, record.last, record.words[0]),
    _datasec,
    lambda record: Float(record.name, record.last),
    _decl_tag,
    lambda record: TypeTag(record.name, record.last),
    _enum64,
)
