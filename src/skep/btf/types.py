"""The types of BTF as plain data.

A type refers to others by type id; id 0 is void.  The fields are those of the kernel's
Documentation/bpf/btf.rst, decoded.
"""

from __future__ import annotations

from typing import Union

from skep.named_tuple import NamedTuple


class Void(NamedTuple):
    """The type with id 0."""


class Int(NamedTuple):
    """An integer, also char and bool; `size` in bytes, `bits` of them used."""

    name: str
    size: int
    bits: int
    signed: bool = False
    is_bool: bool = False
    is_char: bool = False


class Pointer(NamedTuple):
    """A pointer to the type `target`."""

    target: int


class Array(NamedTuple):
    """`count` elements of the type `element`; a flexible array has count 0."""

    element: int
    count: int  # type: ignore[assignment]  # hides tuple.count


class Member(NamedTuple):
    """A member of a struct or union.

    `bit_offset` counts from the start of the struct; `bitfield_size` is the width in
    bits, or 0 for a member that is no bit field.  Anonymous members have name "".
    """

    name: str
    type: int
    bit_offset: int
    bitfield_size: int = 0


class Struct(NamedTuple):
    """A struct or union (`kind`); `size` in bytes."""

    kind: str
    name: str
    size: int
    members: tuple[Member, ...]


class Enum(NamedTuple):
    """An enum of 1 to 8 bytes; `values` are (name, value) in order of declaration."""

    name: str
    size: int
    signed: bool
    values: tuple[tuple[str, int], ...]


class Forward(NamedTuple):
    """A struct or union (`kind`) of which only the name is known."""

    kind: str
    name: str


class Typedef(NamedTuple):
    """Another name for `type`."""

    name: str
    type: int


class Modifier(NamedTuple):
    """A "const", "volatile" or "restrict" (`kind`) form of `type`."""

    kind: str
    type: int


class FuncProto(NamedTuple):
    """The signature of a function; `params` are (name, type id).

    A variadic function ends with the parameter ("", 0).
    """

    ret: int
    params: tuple[tuple[str, int], ...]


class Func(NamedTuple):
    """A function; `proto` is the id of its FuncProto; linkage 0 is static."""

    name: str
    proto: int
    linkage: int


class Var(NamedTuple):
    """A variable, in the kernel's BTF a per-CPU one."""

    name: str
    type: int
    linkage: int


class Datasec(NamedTuple):
    """A section with variables: (type id of the Var, offset, size)."""

    name: str
    size: int
    variables: tuple[tuple[int, int, int], ...]


class Float(NamedTuple):
    """A floating-point number; `size` in bytes."""

    name: str
    size: int


class DeclTag(NamedTuple):
    """A tag `name` on the declaration `type`.

    `component` is the index of the tagged member or parameter, -1 for the whole.
    """

    name: str
    type: int
    component: int


class TypeTag(NamedTuple):
    """A tag on a type.  Tag "user" marks what lies in user memory."""

    name: str
    type: int


BtfType = Union[
    Void,
    Int,
    Pointer,
    Array,
    Struct,
    Enum,
    Forward,
    Typedef,
    Modifier,
    FuncProto,
    Func,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
]
