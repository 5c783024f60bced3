"""Generated functions: from bytes of a ring buffer, or raw values, to rows.

The ring holds records one after the other: a u32 length with two flags, a u32 that only
the kernel uses, the payload of that length (`skep.spec.RecordLayout`), and padding to
eight bytes.

For one set of record classes and one form of output, one function is generated.  It
unpacks, filters and formats in a single loop without a call per record.  Opensnoop's
table, shortened:

    def decode(data, offset, stop, rows, counters):
        append = rows.append
        while offset < stop:
            length, raw_pid, raw_comm, raw_ret, = unpack(data, offset)
            if length >= 1 << 30: ...
            if 36 < length <= 292:
                raw_path = data[offset + 44:offset + 7 + length]
            else:
                raw_path = counters.irregular(data[offset + 44:...], 255)
            shown = raw_path.decode('utf-8', 'surrogateescape')
            if not shown.isprintable():
                shown = clean(shown)
            append(f'{text_0[raw_pid]}{text_1[raw_comm]}{text_2[raw_ret]}{shown}\\n')
            offset += length + 15 & -8
        return offset
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Callable, NoReturn

from skep.errors import InternalError
from skep.fields.base import Context
from skep.output.code import Code, define, indented
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.output.text_rows import cell_texts, csv_row, list_row, table_row
from skep.output.unpack import add_text_values, unpacker
from skep.output.value_rows import json_row, raw_row, value_row

FORMS: dict[str, Callable[[Code, RecordType, Context], str]] = {
    "table": table_row,
    "csv": csv_row,
    "list": list_row,
    "texts": cell_texts,
    "json": json_row,
    "values": value_row,
    "raw": raw_row,
}
"""Forms of output: lines of text, the texts of columns, or tuples in the order of the
members."""

FLAGS_CHECK = (
    "if length >= 1 << 30:",
    "    if length >= 1 << 31:  # still being written",
    "        break",
    "    offset += (length & (1 << 30) - 1) + 15 & -8  # discarded",
    "    continue",
)

RowFormatter = Callable[[Iterable[Sequence[Any]]], list[Any]]
"""From tuples of raw values to rows of another form."""


def decode_function(
    records: Sequence[RecordType],
    form: str,
    context: Context,
    filters: Sequence[Filter] = (),
    ordered: bool | None = None,
) -> Callable[..., int]:
    """The function decode(data, offset, stop, rows, counters) -> offset.

    It decodes the records of `data` that start in offset..stop, appends their rows to
    the list `rows`, and returns where the first record starts that it did not decode:
    `stop` or a little more, or less where it met one that is still being written.
    `filters` apply to every record class.

    `ordered` says that this CPU does loads in program order, so that a header may be
    unpacked together with what follows it; None: find out.
    """
    if ordered is None:
        ordered = os.uname().machine == "x86_64"
    code = _new_code(context)
    bodies = [_row(code, record, form, context, filters) for record in records]
    if len(records) == 1 and ordered:
        body = _one_unpacking(code, records[0], bodies[0])
    else:
        body = _by_type(code, records, bodies)
    lines = [
        "append = rows.append",
        "while offset < stop:",
        *indented([*body, "offset += length + 15 & -8"]),
        "return offset",
    ]
    parameters = "data, offset, stop, rows, counters"
    decode: Callable[..., int] = define("decode", parameters, lines, code.names)
    return decode


def format_function(record: RecordType, form: str, context: Context) -> RowFormatter:
    """The function format(raw_rows) -> rows, for tuples of the form "raw"."""
    code = _new_code(context)
    row = FORMS[form](code, record, context)
    variables = "".join(f"{member.raw}, " for member in record.members)
    lines = [
        "rows = []",
        "append = rows.append",
        f"for ({variables}) in raw_rows:",
        *indented([*code.take(), f"append({row})"]),
        "return rows",
    ]
    format_rows: RowFormatter = define("format_rows", "raw_rows", lines, code.names)
    return format_rows


def _new_code(context: Context) -> Code:
    code = Code()
    code.names["now_ns"] = context.now_ns
    return code


def _row(
    code: Code,
    record: RecordType,
    form: str,
    context: Context,
    filters: Sequence[Filter],
) -> list[str]:
    """The lines that make a record's row from its fixed part's raw values."""
    add_text_values(code, record)
    values = code.take()
    conditions = []
    if filters:
        from skep.output.conditions import condition

        conditions = [f"({condition(code, rule, record, context)})" for rule in filters]
    row = FORMS[form](code, record, context)
    show = [*code.take(), f"append({row})"]
    if not filters:
        return [*values, *show]
    return [
        *values,
        f"if {' and '.join(conditions)}:",
        *indented(show),
        "else:",
        "    counters.filtered += 1",
    ]


def _one_unpacking(code: Code, record: RecordType, body: Sequence[str]) -> list[str]:
    """The loop's body where all records are of one class."""
    variables, unpack = unpacker(record, body, with_length=True)
    name = code.bind("unpack", unpack)
    return [f"{variables} = {name}(data, offset)", *FLAGS_CHECK, *body]


def _by_type(
    code: Code, records: Sequence[RecordType], bodies: Sequence[Sequence[str]]
) -> list[str]:
    """The loop's body with the length read first, then the type, then the rest."""
    code.names["length_at"] = struct.Struct("=I").unpack_from
    code.names["unknown"] = _unknown_type
    # Type ids are small and the machine is little-endian, so one byte tells.
    lines = ["length, = length_at(data, offset)", *FLAGS_CHECK]
    lines.append("type_id = data[offset + 8]")
    word = "if"
    for record, body in zip(records, bodies):
        lines.append(f"{word} type_id == {record.layout.type_id}:")
        variables, unpack = unpacker(record, body, with_length=False)
        if variables:
            name = code.bind("unpack", unpack)
            lines.append(f"    {variables} = {name}(data, offset)")
        lines += indented(body)
        word = "elif"
    return [*lines, "else:", "    unknown(type_id)"]


def _unknown_type(type_id: int) -> NoReturn:
    raise InternalError(f"a record in the ring has the unknown type {type_id}")
