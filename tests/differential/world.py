"""The maps, records and streams that generated programs use, for skep and the model."""

from __future__ import annotations

import enum
import random
from types import SimpleNamespace
from typing import Any, NamedTuple

from skep.authoring.bpf import bpf
from skep.compiler.environment import (
    EmittedField,
    HistogramObject,
    MapObject,
    StackMaps,
    StreamObject,
    TableObject,
)
from skep.compiler.types import Layout, from_c, lay_out
from skep.spec import STACK_FRAMES, STACK_HEADER, FieldLayout, MapSpec, RecordLayout
from tests.differential import facts, user_page
from tests.differential import model_objects as model
from tests.differential.model import TYPES, U8
from tests.differential.model_intrinsics import Intrinsics
from tests.differential.model_memory import Space
from tests.differential.model_run import Run
from tests.differential.model_streams import Stream
from tests.differential.structures import CArray, CType

STACK = f"u8[{STACK_HEADER + 8 * STACK_FRAMES}]"
"""A stack in a record; the compiler knows it as what an intrinsic gives."""

RECORDS = {
    "Key": (("a", "u8"), ("b", "u32"), ("c", "s16")),
    "Cell": (
        ("a", "s8"),
        ("b", "u64"),
        ("c", "u16"),
        ("d", "s32"),
        ("text", "char[12]"),
    ),
    "Block": (("words", "u64[20]"), ("text", "char[24]"), ("odd", "u16[7]")),
    "Sums": (("n", "u64"), ("m", "u64")),
    "Stacked": (("a", "u8"), ("stack", "u64")),
    "Event": (("a", "u8"), ("b", "s64"), ("c", "s16"), ("d", "u32"), ("e", "u64")),
    "Named": (("a", "u8"), ("name", "char[16]"), ("path", "char[20]")),
    "Traced": (("a", "u32"), ("kernel", STACK), ("user", STACK)),
    "Tail": (("a", "u32"), ("b", "u64")),
}


class MapFact(NamedTuple):
    """A map of the world; key and value are C types or records."""

    kind: str
    key: str
    value: str
    entries: int


MAPS = {
    "counts": MapFact("hash", "u64", "u64", 4),
    "narrow": MapFact("hash", "s16", "s8", 8),
    "table": MapFact("hash", "Key", "u32", 6),
    "cells": MapFact("array", "u32", "Cell", 4),
    "blocks": MapFact("array", "u32", "Block", 2),
    "out": MapFact("array", "u32", "u64", 24),
    "recent": MapFact("lru_hash", "u32", "u64", 64),
    "here": MapFact("percpu_hash", "u16", "u64", 8),
    "lately": MapFact("lru_percpu_hash", "u64", "u64", 64),
    "slots": MapFact("percpu_array", "u32", "Sums", 4),
    "own": MapFact("task_storage", "s32", "Sums", 0),
    "stacks": MapFact("stack_trace", "u32", f"u64[{STACK_FRAMES}]", 64),
}
PER_CPU = ("percpu_hash", "lru_percpu_hash", "percpu_array")
HISTOGRAMS = {"sizes": None, "sizes_by": "Key"}
HISTOGRAM_ENTRIES = 4
TABLES = {"sums": "Key", "stack_sums": "Stacked"}
TABLE_ENTRIES = {"sums": 6, "stack_sums": 64}
SLOTS = 64
NO_PREALLOCATION = 1
"""Flag of a map (include/uapi/linux/bpf.h)."""

TEXTS = (b"", b"abc", b"abcdefgh", b"abcdefghijkl")
"""What is in the text of each cell at the start; the last has no NUL."""

RING = MapSpec("ring", "ringbuf", 0, 0, 1 << 18)


class StreamFact(NamedTuple):
    """A stream of the world; `tail` and `most` as in RecordLayout."""

    record: str
    number: int
    tail: str = ""
    most: int = 0


STREAMS = {
    "events": StreamFact("Event", 1),
    "names": StreamFact("Named", 2),
    "traces": StreamFact("Traced", 3),
    "texts": StreamFact("Tail", 4, "string", 20),
    "long_texts": StreamFact("Tail", 5, "string", 300),
    "lists": StreamFact("Tail", 6, "strings", 40),
    "chunks": StreamFact("Tail", 7, "bytes", 30),
    "long_chunks": StreamFact("Tail", 8, "bytes", 400),
}
FILLS = {"kernel": "kernel_stack", "user": "user_stack"}


class Color(enum.IntEnum):
    """Numbers with names."""

    RED = 1
    BLUE = 300


CONSTANTS: dict[str, Any] = {
    "Color": Color,
    "options": SimpleNamespace(limit=7, quiet=False, name="fox", ports=(80, 443)),
    "FEW": (1, 2, 3, 250),
    "LIST": [0, 1, 200],
    "SOME": range(2, 9),
    "SET": {5, 6, 65535},
}
"""Python objects that programs name."""


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
    flags = NO_PREALLOCATION if kind == "task_storage" else 0
    return MapSpec(name, kind, _size(key), _size(value), entries, flags)


def table_specs(name: str) -> list[MapSpec]:
    """The two maps of a table."""
    key, value = _size(TABLES[name]), _size("Sums")
    most = TABLE_ENTRIES[name]
    return [MapSpec(f"{name}_{n}", "hash", key, value, most) for n in (0, 1)]


_FORMATS = {"u8": "B", "s64": "q", "s16": "h", "u32": "I", "u64": "Q"}


def stream(name: str) -> StreamObject:
    """A stream as the compiler has it."""
    fact = STREAMS[name]
    placed = layout(fact.record, 4)
    ctypes = dict(RECORDS[fact.record])
    fields = [
        FieldLayout(
            field,
            _FORMATS.get(ctypes[field], f"{m.type.size}s"),
            m.bit_offset // 8,
            m.type.size,
        )
        for field, m in placed.members.items()
    ]
    tail = "text" if fact.tail else None
    record = RecordLayout(
        name, fact.number, fields, placed.size, tail, fact.tail, fact.most
    )
    emitted = [EmittedField(f, ctype, FILLS.get(f)) for f, ctype in ctypes.items()]
    return StreamObject(RING, record, emitted, ["unseen"])


def _table(name: str) -> TableObject:
    stacks = []
    if TABLES[name] == "Stacked":
        first, second = (
            MapSpec(f"{name}_stacks_{n}", "stack_trace", 4, 8 * STACK_FRAMES, 64)
            for n in (0, 1)
        )
        stacks = [StackMaps(first, second), StackMaps(second, first)]
    fills = {"stack": "kernel_stack"}
    epoch = MapSpec(f"{name}_epoch", "array", 4, 8, 1)
    key, value = layout(TABLES[name]), layout("Sums")
    maps = table_specs(name)
    return TableObject(epoch, maps, key, value, ["unseen"], fills, stacks)


def skep_names() -> dict[str, Any]:
    """What the names in a generated program mean to the compiler."""
    names: dict[str, Any] = {"bpf": bpf, **CONSTANTS}
    names.update({name: stream(name) for name in STREAMS})
    names.update({name: layout(name) for name in RECORDS})
    names.update({name: _table(name) for name in TABLES})
    for name, (_, key, value, _) in MAPS.items():
        names[name] = MapObject(map_spec(name), _declared(key), _declared(value))
    for name, key in HISTOGRAMS.items():
        keyed = layout(key) if key else None
        hidden = ["unseen"] if key else []
        names[name] = HistogramObject(map_spec(name), keyed, SLOTS, True, hidden)
    return names


def _model_type(text: str) -> CType:
    name, _, count = text.rstrip("]").partition("[")
    element = U8 if name == "char" else TYPES[name]
    return CArray(element, int(count)) if count else element


def _model_record(memory: Space, text: str, start: int = 0) -> model.Record:
    if text not in RECORDS:
        type_ = _model_type(text)
        return model.Record(memory, _size(text), (model.Field("value", 0, type_),))
    placed = layout(text, start)
    fields = [
        model.Field(name, member.bit_offset // 8, _model_type(ctype))
        for (name, ctype), member in zip(RECORDS[text], placed.members.values())
    ]
    return model.Record(memory, placed.size, tuple(fields))


def model_names(run: Run) -> dict[str, Any]:
    """What the names in a generated program mean to the model."""
    memory = Space(run)
    memory.regions[user_page.ADDRESS] = user_page.content()
    memory.regions.update(facts.model_images())
    names: dict[str, Any] = {"bpf": Intrinsics(memory), **CONSTANTS}
    for name in RECORDS:
        names[name] = _model_record(memory, name)
    for name, fact in STREAMS.items():
        record = _model_record(memory, fact.record, 4)
        names[name] = Stream(record, fact.number, fact.tail, fact.most)
    for name, (kind, key, value, entries) in MAPS.items():
        records = (_model_record(memory, text) for text in (key, value))
        is_array = kind in ("array", "percpu_array")
        names[name] = model.Map(*records, entries or 1, is_array)
    for name, key in HISTOGRAMS.items():
        keyed = _model_record(memory, key or "u32")
        counters = model.Record(memory, 8 * (SLOTS + 1), ())
        entries = HISTOGRAM_ENTRIES if key else 1
        counts = model.Map(keyed, counters, entries, key is None)
        names[name] = model.Histogram(counts, keyed if key else None, True)
    for name, key in TABLES.items():
        keyed = _model_record(memory, key)
        sums = model.Map(keyed, _model_record(memory, "Sums"), TABLE_ENTRIES[name])
        names[name] = model.Table(sums, keyed)
    return names


def initial() -> dict[str, dict[bytes, bytes]]:
    """The elements of maps that are not all zeros at the start."""
    memory = Space(Run())
    cell, block = (_model_record(memory, name) for name in ("Cell", "Block"))
    zeros = {"a": 0, "b": 0, "c": 0, "d": 0}
    cells = [cell.pack({**zeros, "text": text}) for text in TEXTS]
    blocks = [random.Random(n).randbytes(block.size) for n in range(2)]
    return {
        name: {n.to_bytes(4, "little"): value for n, value in enumerate(values)}
        for name, values in (("cells", cells), ("blocks", blocks))
    }
