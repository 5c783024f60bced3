"""The classes of `skep.btf.types` to words of BTF: the inverse of `skep.btf.decode`."""

from __future__ import annotations

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
    Modifier,
    Pointer,
    Struct,
    Typedef,
    TypeTag,
    Var,
)
from skep.named_tuple import NamedTuple

Strings = Callable[[str], int]


class Words(NamedTuple):
    """An encoded type without its name.

    `last` is the third word, a size or a type id; `more` are those after the head.
    """

    info: int
    last: int
    more: tuple[int, ...] = ()


def encode(described: BtfType, strings: Strings) -> list[int]:
    """The words of a type; `strings` maps a text to its offset."""
    words = _ENCODERS[type(described)](described, strings)
    name = strings(getattr(described, "name", ""))
    return [name, words.info, words.last & 0xFFFFFFFF, *words.more]


def _info(kind: str, vlen: int = 0, flag: bool = False) -> int:
    return fmt.KINDS[kind] << 24 | vlen | (fmt.KIND_FLAG if flag else 0)


def _int(described: Int, strings: Strings) -> Words:
    encoding = (
        described.signed * fmt.INT_SIGNED
        | described.is_bool * fmt.INT_BOOL
        | described.is_char * fmt.INT_CHAR
    )
    more = (encoding << 24 | described.bits,)
    return Words(_info("int"), described.size, more)


def _array(described: Array, strings: Strings) -> Words:
    # An index type is required and never used.
    more = (described.element, described.element, described.count)
    return Words(_info("array"), 0, more)


def _struct(described: Struct, strings: Strings) -> Words:
    flag = any(member.bitfield_size for member in described.members)
    more: list[int] = []
    for member in described.members:
        place = member.bitfield_size << 24 | member.bit_offset
        more += strings(member.name), member.type, place
    info = _info(described.kind, len(described.members), flag)
    return Words(info, described.size, tuple(more))


def _enum(described: Enum, strings: Strings) -> Words:
    wide = described.size == 8
    more: list[int] = []
    for name, value in described.values:
        more += strings(name), value & 0xFFFFFFFF
        if wide:
            more.append(value >> 32 & 0xFFFFFFFF)
    kind = "enum64" if wide else "enum"
    info = _info(kind, len(described.values), described.signed)
    return Words(info, described.size, tuple(more))


def _forward(described: Forward, strings: Strings) -> Words:
    return Words(_info("forward", flag=described.kind == "union"), 0)


def _func_proto(described: FuncProto, strings: Strings) -> Words:
    more: list[int] = []
    for name, type_id in described.params:
        more += strings(name), type_id
    return Words(_info("func_proto", len(described.params)), described.ret, tuple(more))


def _datasec(described: Datasec, strings: Strings) -> Words:
    more = tuple(word for variable in described.variables for word in variable)
    return Words(_info("datasec", len(described.variables)), described.size, more)


_ENCODERS: dict[type, Callable[..., Words]] = {
    Int: _int,
    Pointer: lambda t, _: Words(_info("pointer"), t.target),
    Array: _array,
    Struct: _struct,
    Enum: _enum,
    Forward: _forward,
    Typedef: lambda t, _: Words(_info("typedef"), t.type),
    Modifier: lambda t, _: Words(_info(t.kind), t.type),
    FuncProto: _func_proto,
    Func: lambda t, _: Words(_info("func", t.linkage), t.proto),
    Var: lambda t, _: Words(_info("var"), t.type, (t.linkage,)),
    Datasec: _datasec,
    Float: lambda t, _: Words(_info("float"), t.size),
    DeclTag: lambda t, _: Words(_info("decl_tag"), t.type, (t.component & 0xFFFFFFFF,)),
    TypeTag: lambda t, _: Words(_info("type_tag"), t.type),
}
