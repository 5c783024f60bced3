"""Recording a run: what reports are made of goes to a file, too."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skep import __version__
from skep.authoring.outputs import Histogram, Stream, Table
from skep.errors import UsageError
from skep.fields import Context
from skep.output.decode import RowFormatter, format_function
from skep.output.decoder import Decoder, Ring
from skep.output.record_types import RecordType
from skep.output.recording_file import (
    END,
    HEADER,
    NAMES,
    RECORDS,
    ROWS,
    SNAPSHOT,
    FileWriter,
)
from skep.symbols.debug_files import build_id_note
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import members_of, named_layout, row_format
from skep.toolkit.recorded_declarations import written
from skep.toolkit.recorded_names import Notes
from skep.toolkit.snapshot import Rows, Snapshot
from skep.toolkit.tool import Tool

OF_TOOLS = "skep.tools."
"""The package of the tools whose recordings can be shown: its name in a file runs no
code but skep's."""

NUMBER = struct.Struct("<I")
"""Before the rows of a chunk: which of the outputs they are of."""

_BATCH = 1 << 20
"""Bytes of rows in a chunk."""


def check_recordable(tool: Tool) -> None:
    """Raise UsageError if the tool's output cannot be recorded."""
    if not tool.module.__name__.startswith(OF_TOOLS):
        reason = "only tools that come with skep can"
    elif tool.hook("listing"):
        reason = "it traces nothing"
    else:
        return
    raise UsageError(f"--record: {tool.name} cannot be recorded: {reason}")


def counted_outputs(tool: Tool) -> dict[str, Histogram | Table]:
    """What snapshots are of, by name, in the order of their numbers."""
    return {**tool.tables, **tool.histograms}


def formats_of(binding: Binding) -> dict[str, Any]:
    """How records and rows lie, as JSON has it."""
    tool = binding.tool
    return {
        "records": [_layout(binding, stream) for stream in tool.streams.values()],
        "rows": {
            name: row_format(binding, output).format
            for name, output in counted_outputs(tool).items()
        },
    }


def _layout(binding: Binding, stream: Stream) -> list[Any]:
    bound: Any = binding.bind(stream)
    layout = bound.layout
    return [*layout._replace(fields=[list(field) for field in layout.fields])]


class Recording:
    """The file of `--record` while a tool runs.  Raises SkepError.

    It is made before anything is attached.  A run that does not begin leaves no file.
    """

    def __init__(self, path: str) -> None:
        self._file = FileWriter(path)
        self._build_id = _build_id()
        self._has_begun = False
        self._notes: Notes
        self._looker: Decoder | None = None
        self._outputs: dict[str, _Output] = {}

    def begin(self, binding: Binding, context: Context, attached: int) -> None:
        """Record what the run is: everything is attached, to so many places."""
        self._notes = Notes(context)
        self._looker = _looker(binding, self._notes.context)
        self._outputs = {
            name: _Output(number, binding, output, self._notes.context)
            for number, (name, output) in enumerate(
                counted_outputs(binding.tool).items()
            )
        }
        options: Any = binding.options
        system = os.uname()
        self._file.add_json(
            HEADER,
            {
                "skep": __version__,
                "tool": binding.tool.name,
                "options": {n: getattr(options, n) for n in options.options},
                "typed": _typed(options),
                "declared": written(binding.tool),
                "formats": formats_of(binding),
                "clock": list(context.clock),
                "io_names": dict(context.io_names),
                "places": list(context.places),
                "attached": attached,
                "host": system.nodename,
                "kernel": system.release,
                "build_id": self._build_id,
                "architecture": system.machine,
            },
        )
        self._has_begun = True

    def tee(self, ring: Ring) -> Ring:
        """The same ring; what is taken from it is recorded."""
        return _Tee(ring, self)

    def add(self, ring: Ring, position: int) -> None:
        """Record what waits in a ring, up to a position."""
        data, start, _ = ring.pending()
        if self._looker is not None:
            reached = start
            while reached < position:
                reached = self._looker.read(data, reached, position, [])
            self._add_names()
        size = len(data)
        first, length = start & size - 1, position - start
        records = data[first : first + length]
        self._file.add(RECORDS, records + data[: length - len(records)])

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Record what tables and histograms have counted."""
        for name, rows in snapshot.rows.items():
            self._outputs[name].look_up(rows)
        self._add_names()
        for name, rows in snapshot.rows.items():
            for batch in self._outputs[name].batches(rows):
                self._file.add_packed(ROWS, batch)
        self._file.add_json(SNAPSHOT, {"time_ns": snapshot.time_ns})

    def _add_names(self) -> None:
        for names in self._notes.take():
            self._file.add_json(NAMES, names)

    def finish(self, losses: Mapping[str, int | None]) -> None:
        """Record the end of the run and what the programs lost."""
        self._file.add_json(END, {"losses": dict(losses), "time_ns": time.time_ns()})

    def close(self) -> None:
        """Close the file."""
        self._file.close(keep=self._has_begun)


def _typed(options: Any) -> Mapping[str, Sequence[str]]:
    """What was typed for values that are numbers, as only this machine knows."""
    names = {
        name: option.typed(getattr(options, name))
        for name, option in options.options.items()
    }
    return {name: texts for name, texts in names.items() if texts}


def _build_id() -> str:
    """What tells the kernel, and so its BTF, from all others."""
    try:
        with open("/sys/kernel/notes", "rb") as file:
            return build_id_note(file.read()).hex()
    except OSError:
        return ""


def _looker(binding: Binding, context: Context) -> Decoder | None:
    """What looks up all that records can show.

    JSON has it: a decoder of that form asks for everything.
    """
    records = []
    for stream in binding.tool.streams.values():
        bound: Any = binding.bind(stream)
        records.append(RecordType(bound.layout, binding.sent_members(stream), ""))
    members = [member for record in records for member in record.members]
    if not any(member.field.looks_up for member in members):
        return None
    return Decoder(records, "json", context)


class _Output:
    """A table or histogram of the run."""

    def __init__(
        self,
        number: int,
        binding: Binding,
        output: Histogram | Table,
        context: Context,
    ) -> None:
        members = members_of(binding, output)
        self._number = NUMBER.pack(number)
        self._row = row_format(binding, output)
        self._width = len(members)
        self._look_up: RowFormatter | None = None
        if any(member.field.looks_up for member in members):
            record = RecordType(named_layout(members), members, "")
            self._look_up = format_function(record, "json", context)

    def look_up(self, rows: Rows) -> None:
        """Look up all that these rows can show."""
        if self._look_up is not None:
            self._look_up(row[: self._width] for row in rows)

    def batches(self, rows: Rows) -> Iterator[bytes]:
        """The rows as bytes."""
        step = max(1, _BATCH // self._row.size)
        for start in range(0, len(rows), step):
            packed = (self._row.pack(*row) for row in rows[start : start + step])
            yield self._number + b"".join(packed)


class _Tee:
    """A ring buffer whose records are recorded when their space is given back."""

    def __init__(self, ring: Ring, recording: Recording) -> None:
        self._ring = ring
        self._recording = recording

    def pending(self) -> tuple[Any, int, int]:
        """What waits in the ring."""
        return self._ring.pending()

    def release(self, position: int) -> None:
        """Record what was read up to `position`, and give the space back."""
        self._recording.add(self._ring, position)
        self._ring.release(position)
