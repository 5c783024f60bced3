"""Reading what programs have counted out of their maps.

The counters of a histogram only ever grow; what is read is the difference to the last
time, so no count is lost between reading and clearing.  For a table programs add to one
of two maps.  Reading lets them turn to the other, waits until none is still adding to
the first, reads it and empties it: no count is lost in between, and keys that come once
do not fill the map for ever.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import Protocol

from skep.authoring.outputs import Histogram, Table
from skep.compiler.environment import HistogramObject, TableObject
from skep.runtime.quiescence import Quiescence
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import key_format
from skep.toolkit.session import Session
from skep.toolkit.snapshot import Rows, Snapshot
from skep.toolkit.stack_reader import StackReader


class HistogramReader:
    """Reads a histogram's counters."""

    def __init__(
        self, session: Session, binding: Binding, histogram: Histogram
    ) -> None:
        bound = binding.bind(histogram)
        assert isinstance(bound, HistogramObject)
        self.bound = bound
        self._session = session
        self._codes = key_format(bound.key)
        self._before: dict[bytes, Sequence[int]] = {}

    def read(self) -> Rows:
        """Keys and counters since the last call; keys without any are left out."""
        rows: Rows = []
        slots = self.bound.slots
        for key, counters in self._session.histogram(self.bound).items():
            before = self._before.get(key, (0,) * len(counters))
            new = [now - then for now, then in zip(counters, before)]
            self._before[key] = counters
            if any(new[:slots]):
                rows.append((*struct.unpack_from(self._codes, key), *new))
        return rows

    def close(self) -> None:
        """Nothing is to be freed; the map belongs to the session."""


class TableReader:
    """Reads and empties a table's sums."""

    def __init__(self, session: Session, binding: Binding, table: Table) -> None:
        bound = binding.bind(table)
        assert isinstance(bound, TableObject)
        self._maps = session.collection.maps
        self._bound = bound
        self._formats = key_format(bound.key), key_format(bound.value)
        self._stacks = StackReader(binding.visible(table.key), self._maps)
        self._epoch = 0
        self._quiescence = Quiescence()

    def read(self) -> Rows:
        """Keys and their sums since the last call."""
        full = self._maps.get(self._bound.maps[self._epoch].name)
        switch = self._maps.get(self._bound.epoch.name)
        if full is None or switch is None:
            return []  # no program adds anything in this run
        self._epoch = 1 - self._epoch
        switch.update(bytes(4), struct.pack("=II", self._epoch, 0))
        self._quiescence.wait()
        key_codes, value_codes = self._formats
        rows: Rows = [
            struct.unpack_from(key_codes, key) + struct.unpack_from(value_codes, value)
            for key, value in full.drain()
        ]
        if not self._bound.stacks:
            return rows
        return self._stacks.resolve(rows, self._bound.stacks[1 - self._epoch])

    def close(self) -> None:
        """Free what waiting needs; the maps belong to the session."""
        self._quiescence.close()


class _Reader(Protocol):
    def read(self) -> Rows: ...

    def close(self) -> None: ...


class SnapshotReader:
    """Reads all tables and histograms of a tool."""

    def __init__(self, session: Session, binding: Binding) -> None:
        self._readers: dict[str, _Reader] = {}
        for name, table in binding.tool.tables.items():
            self._readers[name] = TableReader(session, binding, table)
        for name, histogram in binding.tool.histograms.items():
            self._readers[name] = HistogramReader(session, binding, histogram)

    def read(self) -> Snapshot:
        """What was counted since the last call."""
        now = time.time_ns()
        return Snapshot(now, {n: each.read() for n, each in self._readers.items()})

    def close(self) -> None:
        """Free what reading needs."""
        for reader in self._readers.values():
            reader.close()
