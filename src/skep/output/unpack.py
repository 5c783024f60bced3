"""Where the values of a record lie in its bytes, as generated source."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Callable

from skep.errors import InternalError
from skep.fields.text import Text, is_cut
from skep.output.code import Code, mentions
from skep.output.record_types import RecordType
from skep.spec import FieldLayout, RecordLayout

HEADER = 8
"""Bytes before a record's payload in the ring: its length, and a u32 of the kernel."""


def unpacker(
    record: RecordType, lines: Sequence[str], with_length: bool
) -> tuple[str, Callable[..., Any]]:
    """The variables that `lines` use, and the function that unpacks them.

    The function takes data and the offset of the record's header; the variables are
    spelled as the target of an assignment, "" if there are none.  `with_length` puts
    `length`, the header's first word, in front.
    """
    fields = [f for f in record.layout.fields if mentions(lines, f"raw_{f.name}")]
    variables = [f"raw_{field.name}, " for field in fields]
    if with_length:
        variables.insert(0, "length, ")
        fields.insert(0, FieldLayout("length", "I", -HEADER, 4))
    return "".join(variables).rstrip(), struct.Struct(_format(fields)).unpack_from


def _format(fields: Sequence[FieldLayout]) -> str:
    """The struct format of a header and these fields, with gaps as padding."""
    parts = ["="]
    position = -HEADER
    for field in fields:
        parts.append(f"{field.offset - position}x{field.format}")
        position = field.offset + field.size
    return "".join(parts)


def add_text_values(code: Code, record: RecordType) -> None:
    """Statements that give text members their raw values.

    They use `data`, `offset`, `length` and `counters`.
    """
    layout = record.layout
    for member in record.members:
        if member.name == layout.tail:
            _add_tail(code, layout, member.raw)
        elif issubclass(member.field, Text):
            # In the fixed part nothing is known of the bytes after the NUL.
            code.names["NUL"] = b"\0"
            code.add(f"{member.raw} = {member.raw}.split(NUL, 1)[0]")


def _add_tail(code: Code, layout: RecordLayout, raw: str) -> None:
    start = HEADER + layout.size
    tail = f"data[offset + {start}:offset + {HEADER} + length]"
    if layout.tail_kind == "string":
        longest = layout.size + layout.tail_max + 1
        code.add(
            f"if {layout.size} < length <= {longest}:",
            # without the NUL at its end
            f"    {raw} = data[offset + {start}:offset + {HEADER - 1} + length]",
            "else:",
            f"    {raw} = counters.irregular({tail}, {layout.tail_max})",
        )
    elif layout.tail_kind == "strings":
        code.names["is_cut"] = is_cut
        code.add(f"{raw} = {tail}", f"counters.truncated += is_cut({raw})")
    else:
        code.add(f"{raw} = {tail}")


def span(layout: RecordLayout) -> int:
    """The most bytes of the ring that a record of this layout may take.

    Raises InternalError for a layout that does not bound its tail.
    """
    if layout.tail is None:
        return HEADER + layout.size + 7 & -8
    if layout.tail_max <= 0:
        raise InternalError(f"the tail of record {layout.name} has no limit")
    # One byte for the NUL, one that tells a longer text.
    return HEADER + layout.size + layout.tail_max + 2 + 7 & -8
