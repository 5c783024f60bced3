"""Numbers of the BTF format (include/uapi/linux/btf.h)."""

from __future__ import annotations

MAGIC = 0xEB9F
VERSION = 1
HEADER = "=HBBIIIII"
"""magic, version, flags, hdr_len, then offset and length of types and of strings."""

TYPE_WORDS = 3
"""Words of the common head of every type: name offset, info, size or type id."""

KIND_NAMES = (
    "void",
    "int",
    "pointer",
    "array",
    "struct",
    "union",
    "enum",
    "forward",
    "typedef",
    "volatile",
    "const",
    "restrict",
    "func",
    "func_proto",
    "var",
    "datasec",
    "float",
    "decl_tag",
    "type_tag",
    "enum64",
)
"""Names of the kinds, at their numbers."""

KINDS = {name: number for number, name in enumerate(KIND_NAMES)}

EXTRA_WORDS = (0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0)
"""Words that follow a type's head, by kind."""

ELEMENT_WORDS = (0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3)
"""Words of each of a type's `vlen` elements, by kind."""

KIND_FLAG = 1 << 31
"""In info: bit fields in a struct, a union in a forward, signed values in an enum."""

INT_SIGNED = 1
INT_CHAR = 2
INT_BOOL = 4


def kind_of(info: int) -> int:
    """The kind in a type's info word."""
    return info >> 24 & 0x7F


def vlen_of(info: int) -> int:
    """The number of elements in a type's info word.

    16 bits; the 8 above them are reserved and zero in kernels that do not use them.
    """
    return info & 0xFFFFFF
