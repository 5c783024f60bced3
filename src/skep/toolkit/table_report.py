"""Tables of sums, shown at every interval and at the end.

Programs add to one of two maps.  A report lets them turn to the other, waits until none
is still adding to the first, reads it and empties it: no count is lost in between, and
keys that come once do not fill the map for ever.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Table
from skep.compiler.environment import TableObject
from skep.fields import Member
from skep.output.aggregates import Table as TableSink
from skep.output.record_types import RecordType
from skep.runtime.quiescence import Quiescence
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import key_format, named_layout
from skep.toolkit.session import Session

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
        return [
            struct.unpack_from(key_codes, key) + struct.unpack_from(value_codes, value)
            for key, value in full.drain()
        ]

    def close(self) -> None:
        """Free what waiting needs; the maps belong to the session."""
        self._quiescence.close()


class TableReport:
    """Writes a tool's table; its options mean what they do for histograms."""

    def __init__(self, run: Run, table: Table) -> None:
        self.run = run
        self.reader = TableReader(run.session, run.binding, table)
        options = run.options
        members: list[Member] = [
            *run.binding.visible(table.key),
            *run.binding.visible(table.value),
        ]
        columns = options.columns.split(",") if options.columns else None
        schema = f"{run.tool.name}.table/1"
        record = RecordType(named_layout(members), members, schema, "table", columns)
        self.sink = TableSink(
            record,
            options.format,
            run.context,
            run.writer,
            options.sort,
            options.limit,
        )
        self.left = getattr(options, "count", None)

    def start(self) -> None:
        """Show the tool's banner."""
        banner = getattr(self.run.tool.module, "BANNER", "")
        if banner and self.run.options.format == "table":
            self.run.writer.text(f"{banner}\n")

    def records(self) -> None:
        """Tables have no records."""

    def interval(self) -> bool:
        """Show what the interval added."""
        self._show()
        if self.left is not None:
            self.left -= 1
        return not self.is_done

    def finish(self) -> None:
        """Show the last, unfinished interval."""
        if not self.is_done:
            self._show()
        self.reader.close()

    @property
    def is_done(self) -> bool:
        """Whether all reports that were asked for have been shown."""
        return self.left is not None and self.left <= 0

    def _show(self) -> None:
        rows = self.reader.read()
        if self.run.options.format == "table":
            self.run.writer.text("\n")
            if getattr(self.run.options, "timestamp", False):
                self.run.writer.text(f"{time.strftime('%H:%M:%S'):<8s}\n")
        self.sink.write(rows)
