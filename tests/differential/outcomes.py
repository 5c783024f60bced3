"""What running a program left behind, without what is not the same twice."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from skep.compiler.types import Array
from skep.spec import LEDGER, LEDGER_CAUSES, STACK_HEADER, MapSpec
from tests.differential import world

Value = TypeVar("Value", bytes, bytearray)


class Outcome(NamedTuple):
    """What running a program several times gave and left.

    `results` has the low 32 bits of each return value.  Elements of arrays that are
    all zeros are left out, and maps that nothing changed.
    """

    results: list[int]
    maps: dict[str, dict[bytes, bytes]]
    records: list[bytes]


def outcome(
    results: list[int],
    maps: Mapping[MapSpec, Mapping[bytes, bytes | bytearray]],
    records: list[bytes],
) -> Outcome:
    """What can be compared."""
    kept = {}
    initial = world.initial()
    for spec, elements in maps.items():
        if spec.kind in ("array", "percpu_array"):
            elements = _filled(elements)
        if elements == _filled(initial.get(spec.name, {})):
            continue  # also of programs that never ask for the map
        if spec.name in _STACK_TABLES:
            elements = _without_stacks(elements)
        if spec == LEDGER:
            elements = _certain_losses(elements)
        if elements:
            kept[spec.name] = {k: bytes(v) for k, v in sorted(elements.items())}
    return Outcome(results, kept, [_without_frames(record) for record in records])


def _filled(elements: Mapping[bytes, Value]) -> dict[bytes, Value]:
    return {key: value for key, value in elements.items() if any(value)}


_STACK_TABLES = {spec.name for spec in world.table_specs("stack_sums")}


def _without_stacks(
    elements: Mapping[bytes, bytes | bytearray],
) -> dict[bytes, bytes]:
    """The rows of a table added up over the stacks in its keys."""
    rows: dict[bytes, bytes] = {}
    for key, value in elements.items():
        short = key[:8] + bytes(8)
        sums = zip(
            struct.unpack("<2Q", value),
            struct.unpack("<2Q", rows.get(short, bytes(16))),
        )
        rows[short] = struct.pack("<2Q", *((a + b) % (1 << 64) for a, b in sums))
    return rows


def _certain_losses(
    elements: Mapping[bytes, bytes | bytearray],
) -> dict[bytes, bytes]:
    """The ledger without collisions of stacks, which are up to the kernel."""
    at = 8 * LEDGER_CAUSES.index("stack collision")
    rows = {key: bytes(v[:at] + bytes(8) + v[at + 8 :]) for key, v in elements.items()}
    return {key: value for key, value in rows.items() if any(value)}


def _without_frames(record: bytes) -> bytes:
    """A record with nothing of its stacks but whose they are."""
    if record[:4] != world.STREAMS["traces"].number.to_bytes(4, "little"):
        return record
    cut = bytearray(record)
    for member in world.layout("Traced", 4).members.values():
        if isinstance(member.type, Array):
            at, size = member.bit_offset // 8, member.type.size
            process = record[at + 8 : at + STACK_HEADER]
            cut[at : at + size] = bytes(8) + process + bytes(size - STACK_HEADER)
    return bytes(cut)
