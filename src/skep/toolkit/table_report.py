"""Tables of sums, shown at every interval and at the end.

Programs add to one of two maps.  A report lets them turn to the other, waits until none
is still adding to the first, reads it and empties it: no count is lost in between, and
keys that come once do not fill the map for ever.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Table
from skep.compiler.environment import TableObject
from skep.fields import Member
from skep.output.aggregates import Table as TableSink
from skep.output.record_types import RecordType
from skep.runtime.quiescence import Quiescence
from skep.toolkit.binding import Binding
from skep.toolkit.interval_report import IntervalReport
from skep.toolkit.key_values import key_format, named_layout
from skep.toolkit.session import Session
from skep.toolkit.stack_reader import StackReader

if TYPE_CHECKING:
    from skep.toolkit.run import Run

Rows = list[Sequence[Any]]


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
        """Keys and their sums since the last call, as raw values in one tuple."""
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


class _Sums:
    """The sums of all intervals so far, by key; rows begin with `keys` values of it."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._sums: dict[Sequence[Any], Sequence[int]] = {}

    def added(self, rows: Rows) -> Rows:
        """The rows of an interval and of those before it."""
        for row in rows:
            key, new = row[: self._keys], row[self._keys :]
            before = self._sums.get(key, (0,) * len(new))
            self._sums[key] = tuple(map(sum, zip(before, new)))
        return [(*key, *sums) for key, sums in self._sums.items()]


class TableReport(IntervalReport):
    """Writes a tool's table.

    With the tool's option `top`, if it declares it, only so many rows of a ranked one.
    """

    def __init__(self, run: Run, table: Table) -> None:
        options = run.options
        super().__init__(run, options.format)
        self._reader = TableReader(run.session, run.binding, table)
        self._table = table
        self._keys = len(run.binding.visible(table.key))
        self._sums = _Sums(self._keys)
        self.members: list[Member] = [
            *run.binding.visible(table.key),
            *run.binding.visible(table.value),
        ]
        columns = options.columns.split(",") if options.columns else None
        has_stacks = any(member.field.is_stack for member in self.members)
        kind = "stacks" if has_stacks else "table"
        layout, schema = named_layout(self.members), f"{run.tool.name}.{kind}/1"
        record = RecordType(layout, self.members, schema, kind, columns)
        self._sink = TableSink(
            record,
            options.format,
            run.context,
            run.writer,
            options.sort,
            options.limit,
            table.title,
        )

    def write(self) -> None:
        """Write the rows of the interval, or of all so far."""
        self.show(self.read())

    def read(self) -> Rows:
        """The rows of the interval or of all so far, as raw values of `members`."""
        rows = self._reader.read()
        return self._sums.added(rows) if self.is_cumulative else rows

    def show(self, rows: Rows) -> None:
        """Write rows as a table."""
        self._sink.write(self._ranked(rows) if self._table.ranked else rows)

    def _ranked(self, rows: Rows) -> Rows:
        """The rows by their first sum, ascending; of equal ones by their key."""
        keys = self._keys
        ordered = sorted(rows, key=lambda row: (row[keys], row[:keys]))
        top = getattr(self.run.options, "top", None)
        return ordered[-top:] if top else ordered

    def close(self) -> None:
        """Free what reading needs."""
        self._reader.close()
