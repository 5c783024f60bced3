"""The maps, records and streams that generated programs use, for skep and the model."""

from __future__ import annotations

from typing import Any

from skep.authoring.bpf import bpf
from skep.compiler.environment import (
    EmittedField,
    HistogramObject,
    MapObject,
    StreamObject,
)
from skep.compiler.types import Array, Layout, from_c, lay_out
from skep.spec import FieldLayout, MapSpec, RecordLayout
from tests.differential import model_objects as model
from tests.differential.model import TYPES, U8
from tests.differential.model_run import Run

RECORDS = {
    "Key": (("a", "u8"), ("b", "u32"), ("c", "s16")),
    "Cell": (
        ("a", "s8"),
        ("b", "u64"),
        ("c", "u16"),
        ("d", "s32"),
        ("text", "char[12]"),
    ),
    "Event": (("a", "u8"), ("b", "s64"), ("c", "s16"), ("d", "u32"), ("e", "u64")),
}
MAPS = {
    # name: kind, key, value, entries
    "counts": ("hash", "u64", "u64", 4),
    "narrow": ("hash", "s16", "s8", 8),
    "table": ("hash", "Key", "u32", 6),
    "cells": ("array", "u32", "Cell", 4),
    "out": ("array", "u32", "u64", 24),
}
HISTOGRAMS = {"sizes": None, "sizes_by": "Key"}
HISTOGRAM_ENTRIES = 4
SLOTS = 64
TEXTS = (b"", b"abc", b"abcdefgh", b"abcdefghijkl")
"""What is in the text of each cell at the start; the last has no NUL."""

RING = MapSpec("ring", "ringbuf", 0, 0, 1 << 16)


def layout(name: str, start: int = 0) -> Layout:
    """A record as the compiler has it."""
    members = [(field, from_c(ctype, None)) for field, ctype in RECORDS[name]]
    return lay_out(name, members, start)


def _declared(text: str) -> str | Layout:
    return layout(text) if text in RECORDS else text


def _size(text: str) -> int:
    found = _declared(text)
    return found.size if isinstance(found, Layout) else from_c(found, None).size


def map_spec(name: str) -> MapSpec:
    """A map of MAPS or HISTOGRAMS."""
    if name in HISTOGRAMS:
        key = HISTOGRAMS[name]
        size = 8 * (SLOTS + 1)
        if key is None:
            return MapSpec(name, "array", 4, size, 1)
        return MapSpec(name, "hash", _size(key), size, HISTOGRAM_ENTRIES)
    kind, key, value, entries = MAPS[name]
    return MapSpec(name, kind, _size(key), _size(value), entries)


def stream() -> StreamObject:
    """`events`."""
    placed = layout("Event", 4)
    formats = {"u8": "B", "s64": "q", "s16": "h", "u32": "I", "u64": "Q"}
    ctypes = dict(RECORDS["Event"])
    fields = [
        FieldLayout(name, formats[ctypes[name]], m.bit_offset // 8, m.type.size)
        for name, m in placed.members.items()
    ]
    record = RecordLayout("Event", 1, fields, placed.size)
    emitted = [EmittedField(name, ctype, None) for name, ctype in ctypes.items()]
    return StreamObject(RING, record, emitted, [])


def skep_names() -> dict[str, Any]:
    """What the names in a generated program mean to the compiler."""
    names: dict[str, Any] = {"bpf": bpf, "events": stream()}
    names.update({name: layout(name) for name in ("Key", "Cell")})
    for name, (_, key, value, _) in MAPS.items():
        names[name] = MapObject(map_spec(name), _declared(key), _declared(value))
    for name, key in HISTOGRAMS.items():
        keyed = layout(key) if key else None
        names[name] = HistogramObject(map_spec(name), keyed, SLOTS, True)
    return names


def _model_record(text: str, start: int = 0) -> model.Record:
    if text not in RECORDS:
        return model.scalar(TYPES[text])
    placed = layout(text, start)
    fields = []
    for (name, ctype), member in zip(RECORDS[text], placed.members.values()):
        length = member.type.count if isinstance(member.type, Array) else 0
        type_ = TYPES.get(ctype, U8)
        fields.append(model.Field(name, member.bit_offset // 8, type_, length))
    return model.Record(placed.size, tuple(fields))


def model_names(run: Run) -> dict[str, Any]:
    """What the names in a generated program mean to the model."""
    names: dict[str, Any] = {"bpf": model.Intrinsics()}
    names["events"] = model.Stream(_model_record("Event", 4))
    names.update({name: _model_record(name) for name in ("Key", "Cell")})
    for name, (kind, key, value, entries) in MAPS.items():
        names[name] = model.Map(
            run, _model_record(key), _model_record(value), entries, kind == "array"
        )
    for name, key in HISTOGRAMS.items():
        record = _model_record(key) if key else model.scalar(TYPES["u32"])
        counters = model.Record(8 * (SLOTS + 1), ())
        entries = HISTOGRAM_ENTRIES if key else 1
        counts = model.Map(run, record, counters, entries, key is None)
        names[name] = model.Histogram(counts, _model_record(key) if key else None, True)
    return names


def initial_cells() -> dict[bytes, bytes]:
    """The elements of `cells` at the start."""
    record = _model_record("Cell")
    zeros = {"a": 0, "b": 0, "c": 0, "d": 0}
    return {
        index.to_bytes(4, "little"): record.pack({**zeros, "text": model.Text(text)})
        for index, text in enumerate(TEXTS)
        if text
    }
