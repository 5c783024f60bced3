"""Keys and values of maps, from bytes to tuples."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from skep.authoring.outputs import Histogram, Table
from skep.compiler.types import Layout
from skep.fields import Member
from skep.spec import FieldLayout, RecordLayout
from skep.toolkit.binding import Binding, struct_code

_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES.update({(size, True): code.lower() for (size, _), code in list(_CODES.items())})


def key_format(key: Layout | None) -> str:
    """The struct format of a key, padding included."""
    codes, position = "<", 0
    for member in key.members.values() if key else ():
        offset, size = member.bit_offset // 8, member.type.size
        codes += f"{offset - position}x"
        signed = getattr(member.type, "signed", None)
        codes += f"{size}s" if signed is None else _CODES[size, signed]
        position = offset + size
    return codes


def named_layout(members: Sequence[Member]) -> RecordLayout:
    """A layout that only names the key's members: keys are unpacked here."""
    fields = [FieldLayout(member.name, "Q", 0, 8) for member in members]
    return RecordLayout("Key", 0, fields, 0)


def members_of(binding: Binding, output: Histogram | Table) -> list[Member]:
    """What the rows of a snapshot have values of: a key and, of a table, its sums."""
    members = binding.visible(output.key) if output.key else []
    if isinstance(output, Table):
        members += binding.visible(output.value)
    return members


def row_format(binding: Binding, output: Histogram | Table) -> struct.Struct:
    """A row of a snapshot as bytes."""
    codes = [struct_code(m.field.ctype) for m in members_of(binding, output)]
    if isinstance(output, Histogram):
        bound: Any = binding.bind(output)
        codes.append(f"{bound.slots + bound.total}Q")
    return struct.Struct(f"={''.join(codes)}")
