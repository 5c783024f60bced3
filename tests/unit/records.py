"""Records like opensnoop's, and rings that hold them, for tests of output."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from skep.fields import (
    Column,
    Comm,
    Context,
    FdOrErrno,
    Field,
    Member,
    Pid,
    Text,
)
from skep.output.decode import format_function
from skep.output.decoder import Decoder
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.spec import FieldLayout, RecordLayout

SIZE = 31
"""The longest path that an `OPEN` record carries whole."""

OPEN = RecordType(
    RecordLayout(
        "open",
        1,
        [
            FieldLayout("pid", "I", 4, 4),
            FieldLayout("ret", "q", 8, 8),
            FieldLayout("comm", "16s", 16, 16),
        ],
        32,
        "path",
        "string",
        SIZE,
    ),
    [
        Member("pid", Pid, Column(width=6)),
        Member("comm", Comm),
        Member("ret", FdOrErrno),
        Member("path", Text, Column(size=SIZE)),
    ],
    "opensnoop.open/1",
)


def payload(pid: int, comm: bytes, ret: int, tail: bytes, type_id: int = 1) -> bytes:
    """What a program sends for an `OPEN`; `tail` includes its NUL."""
    return struct.pack("=IIq16s", type_id, pid, ret, comm) + tail


def framed(data: bytes, flags: int = 0) -> bytes:
    """A record of a ring: header, payload and padding."""
    return struct.pack("=II", len(data) | flags, 3) + data + bytes(-len(data) % 8)


class FakeRing:
    """A ring buffer of `size` bytes whose reader stands at `start`."""

    def __init__(self, records: bytes, size: int = 4096, start: int = 0) -> None:
        assert len(records) <= size
        data = bytearray(b"\xee" * size)  # what is left from earlier laps
        for index, byte in enumerate(records):
            data[(start + index) % size] = byte
        self.data = bytes(data)
        self.position = start
        self.end = start + len(records)

    def pending(self) -> tuple[bytes, int, int]:
        return self.data, self.position, self.end

    def release(self, position: int) -> None:
        self.position = position


def decoded(
    records: Sequence[bytes],
    form: str = "table",
    record: RecordType = OPEN,
    context: Context | None = None,
    filters: Sequence[Filter] = (),
) -> list[Any]:
    """The rows of these payloads."""
    rows: list[Any] = []
    decoder = Decoder([record], form, context or Context(), filters)
    decoder.drain(FakeRing(b"".join(map(framed, records))), rows.extend)
    return rows


def shown(
    field: type[Field],
    raw: Any,
    form: str = "csv",
    context: Context | None = None,
    column: Column | None = None,
    name: str = "x",
) -> str:
    """One raw value alone in a row of this form, without the end of the line."""
    layout = RecordLayout("one", 1, [], 0)
    record = RecordType(layout, [Member(name, field, column or Column())], "test.one/1")
    [row] = format_function(record, form, context or Context())([(raw,)])
    assert row.endswith("\n")
    return str(row[:-1])


def json_of(
    field: type[Field], raw: Any, context: Context | None = None, name: str = "x"
) -> dict[str, Any]:
    """The keys of a JSON line that stand for one raw value."""
    import json

    items = json.loads(shown(field, raw, "json", context, name=name))
    assert items.pop("type") == "event"
    assert items.pop("schema") == "test.one/1"
    items.pop("time_ns")
    return dict(items)
