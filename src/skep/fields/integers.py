"""Plain integers."""

from __future__ import annotations

from skep.fields.base import Field


class Integer(Field):
    """Base of the plain integers, which take any value."""

    varied = True
    align = ">"
    width = 8


class U8(Integer):
    """An unsigned integer of 8 bits."""

    ctype = "u8"


class U16(Integer):
    """An unsigned integer of 16 bits."""

    ctype = "u16"


class U32(Integer):
    """An unsigned integer of 32 bits."""

    ctype = "u32"


class U64(Integer):
    """An unsigned integer of 64 bits."""

    ctype = "u64"


class S32(Integer):
    """A signed integer of 32 bits."""

    ctype = "s32"


class S64(Integer):
    """A signed integer of 64 bits."""

    ctype = "s64"


class Hex(Integer):
    """A u64 shown in hexadecimal with 0x; a number in JSON."""

    spec = "#x"
    width = 18
