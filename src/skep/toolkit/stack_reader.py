"""Stacks of a table: from ids in its keys to addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.compiler.environment import StackMaps
from skep.fields import Member
from skep.fields.stacks import missing, pack
from skep.runtime.maps import Map
from skep.spec import SECOND_STACK_MAP

Row = Sequence[Any]


class StackReader:
    """Replaces the stacks in a table's keys by what they consist of.

    `members` are those of the key, in the order of the rows.
    """

    def __init__(self, members: Sequence[Member], maps: Mapping[str, Map]) -> None:
        self._maps = maps
        self._places = [i for i, m in enumerate(members) if m.field.is_stack]

    def resolve(self, rows: Sequence[Row], stacks: StackMaps) -> list[Row]:
        """The rows with the stacks of an epoch, whose maps are emptied."""
        if not self._places:
            return list(rows)
        known = self._drained(stacks)
        resolved: list[Row] = []
        for row in rows:
            values = list(row)
            for place in self._places:
                values[place] = _stack(values[place], known)
            resolved.append(tuple(values))
        return resolved

    def _drained(self, stacks: StackMaps) -> dict[int, bytes]:
        """All stacks by id."""
        found = {}
        for spec, mark in ((stacks.first, 0), (stacks.second, SECOND_STACK_MAP)):
            map_ = self._maps.get(spec.name)
            for key, addresses in map_.drain() if map_ is not None else ():
                found[int.from_bytes(key, "little") | mark] = addresses
        return found


def _stack(key: int, known: Mapping[int, bytes]) -> bytes:
    """The stack that a part of a key means: an id or error below, above the process."""
    process, number = key >> 32, key & 0xFFFFFFFF
    if number >> 31:
        return missing(number - (1 << 32), process)
    return pack(known[number], process)
