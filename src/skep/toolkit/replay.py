"""`skep replay FILE`: the events of a recording, shown as if they came now.

From the ring buffer on, the code is that of a run.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from skep.authoring.annotations import own_annotations
from skep.authoring.options import Option
from skep.authoring.outputs import Stream
from skep.authoring.shared_options import RunOptions
from skep.errors import Incomplete, SkepError, UsageError
from skep.fields import OpenFlags
from skep.output.loss import LossReporter, sentence
from skep.output.record_types import RecordType
from skep.output.recording_file import (
    END,
    NAMES,
    RECORDS,
    ROWS,
    SNAPSHOT,
    Chunk,
    Damaged,
    chunks,
    content_of,
    damaged,
)
from skep.output.unpack import span
from skep.output.writer import OutputClosed, Writer, show
from skep.runtime.ledger import Reader, with_readers
from skep.standard_error import tell
from skep.toolkit.arguments import bind, values_of
from skep.toolkit.binding import Binding
from skep.toolkit.recorded import (
    Recorded,
    RowReader,
    check_records,
    losses_of,
    read_header,
    time_of,
)
from skep.toolkit.recorded_declarations import record_classes
from skep.toolkit.recorded_names import KnownNames
from skep.toolkit.reports import banner_of, record_type, report_of
from skep.toolkit.run import collect_garbage
from skep.toolkit.snapshot import Snapshot
from skep.toolkit.tool import Tool

USAGE = """usage: skep replay FILE [options]
       skep replay --info FILE [--json]

Show what a tool kept with --record FILE. The options are those of the tool that are
about what is shown: --format, --json, --columns, --sort, --limit, --count, --strict,
columns that were recorded, and filters such as opensnoop's --name. No privileges are
needed, and any machine will do. A FILE of - is standard input.

With --info, tell what the recording is of: tool, options, host, kernel, time, losses.
"""

INFO = "--info"

STANDARD_INPUT = "-"
"""Stands for a recording that is read from there."""

OUTPUT = ("format", "json", "columns", "sort", "limit", "count", "strict")
"""Options of all tools that a replay takes."""


def replay(arguments: Sequence[str]) -> int:
    """Run `skep replay` with these arguments; the exit status.  Raises SkepError."""
    words = [word for word in arguments if word != INFO]
    if not words or words[0] in ("-h", "--help"):
        if words:
            show(USAGE)
            return 0
        raise UsageError("which file?", hint="skep replay FILE")
    path, rest = words[0], words[1:]
    if path.startswith("-") and path != STANDARD_INPUT:
        raise UsageError(f"'{path}' is no file", hint="skep replay FILE [options]")
    try:
        with _opened(path) as file:
            parts = chunks(file)
            if INFO in arguments:
                from skep.toolkit.recording_info import show_info

                return show_info(parts, rest)
            recorded = read_header(next(parts, None))
            return Replay(recorded, rest).show(parts)
    except Damaged as error:
        diagnostic = error.diagnostic
        message = f"cannot replay {path!r}: {diagnostic.message}"
        raise SkepError(message, hint=diagnostic.hint) from None
    except OSError as error:
        raise SkepError(f"cannot read {path!r}: {error.strerror}") from error


def _opened(path: str) -> BinaryIO:
    if path != STANDARD_INPUT:
        return open(path, "rb")
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def shown_options(tool: Tool) -> set[str]:
    """The tool's options that only choose what is shown: those of columns and times
    (TIMES), which stay, and those in its SHOWN, which are said anew."""
    records = record_classes(tool).values()
    columns = [member.column.when for record in records for member in record.members]
    names = {when.name for when in columns if isinstance(when, Option)}
    own = [each for n in ("TIMES", "SHOWN") for each in getattr(tool.module, n, ())]
    return {*names, "show_cgroup", *own}


def _options(recorded: Recorded, arguments: Sequence[str]) -> Any:
    """The options of the run, with the way of showing that is asked for now."""
    tool = recorded.tool
    given = values_of(tool, arguments)
    for name in given:
        if name not in OUTPUT and name not in shown_options(tool):
            declared = tool.options.options[name]
            raise UsageError(
                f"{'/'.join(declared.flags) or declared.name} cannot be changed in a"
                " replay: it is about what was recorded, not about what is shown",
                hint="see 'skep replay --help'",
            )
    anew = {*own_annotations(RunOptions), *getattr(tool.module, "SHOWN", ())}
    kept = {n: value for n, value in recorded.values.items() if n not in anew}
    return bind(tool, {**kept, **given})


class _Losses:
    """The ledger: what was recorded, and what is noticed in showing it."""

    def __init__(self) -> None:
        self.recorded: Mapping[str, int | None] = {}
        self._readers: list[Reader] = []

    def follow(self, reader: Reader) -> None:
        """Add what this reader counts, now and later."""
        self._readers.append(reader)

    def losses(self) -> dict[str, int | None]:
        """All of them by cause."""
        return with_readers(self.recorded, self._readers)


class _Chunk:
    """The records of a chunk as a ring buffer."""

    def __init__(self) -> None:
        self._data, self._start, self._end = b"", 0, 0

    def load(self, records: bytes, room: int) -> None:
        """Take records; a ring has a size that is a power of two."""
        size = 1 << (len(records) + room).bit_length()
        self._data = records + bytes(size - len(records))
        self._start, self._end = 0, len(records)

    def pending(self) -> tuple[Any, int, int]:
        """What has not been read."""
        return self._data, self._start, self._end

    def release(self, position: int) -> None:
        """Everything before `position` has been read."""
        self._start = position


class Replay:
    """One replay, a source of events.  Raises SkepError for impossible options."""

    def __init__(self, recorded: Recorded, arguments: Sequence[str]) -> None:
        self.tool = recorded.tool
        self.options = _options(recorded, arguments)
        is_json = self.options.format == "json"
        self.binding = Binding(self.tool, self.options, with_time=is_json)
        self.names = KnownNames()
        self.context = self.names.context(recorded.context)
        self.writer = Writer(1)
        self.ring = _Chunk()
        self.ledger = _Losses()
        self._recorded = recorded
        layouts = map(recorded.layout, self.tool.streams.values())
        self._layouts = {layout.type_id: layout for layout in layouts}
        self._row_reader = RowReader(recorded.binding)
        self._rows = self._row_reader.none()
        self._snapshot: Snapshot | None = None
        self._report = report_of(self)

    def record_type(self, stream: Stream) -> RecordType:
        """A stream's records: as they were recorded, with the members to be shown."""
        layout = self._recorded.layout(stream)
        sent = {layout.tail, *(field.name for field in layout.fields)}
        for member in self.binding.stream_members(stream):
            if member.name not in sent:
                raise UsageError(
                    f"the recording has no {member.name}",
                    hint="record it with the option that shows it",
                )
            there, here = self._recorded.architecture, os.uname().machine
            if issubclass(member.field, OpenFlags) and there != here:
                raise UsageError(
                    f"flags of open(2) have other names on {there[:20]!r} than on"
                    f" {here!r}, so they cannot be shown here"
                )
        return record_type(self.binding, stream)._replace(layout=layout)

    def snapshot(self) -> Snapshot:
        """The last one that was read."""
        found, self._snapshot = self._snapshot, None
        assert found is not None
        return found

    def show_banner(self) -> None:
        """Write what the tool says at its start."""
        self.writer.text(banner_of(self.binding, self._recorded.attached))

    def show(self, parts: Iterator[Chunk]) -> int:
        """Show the chunks behind the header; the exit status.  Raises SkepError."""
        is_json = self.options.format == "json"
        losses = LossReporter(tell, self.writer.text if is_json else None)
        end: Mapping[str, Any] | None = None
        collect_garbage()
        try:
            self._report.start()
            end = self._read(parts)
            if self._snapshot is not None or self.tool.streams or self._report.is_done:
                self._report.finish()
            found = (end or {}).get("time_ns")
            time_ns = found if type(found) is int else time.time_ns()
            losses.finish(self.ledger.losses(), time_ns)
        except OutputClosed:
            return 0
        if end is None:
            raise Incomplete(
                "the recording was cut short: what is whole has been shown, and what"
                " the run lost is not known"
            )
        lost = sentence(self.ledger.losses())
        if self.options.strict and lost:
            raise Incomplete(f"the output is not complete: {lost}")
        return 0

    def _read(self, parts: Iterator[Chunk]) -> Mapping[str, Any] | None:
        """Show the chunks; what the file says at its end, None if it has none."""
        for chunk in parts:
            if chunk.kind == END:
                end = content_of(chunk)
                self.ledger.recorded = losses_of(chunk)
                if next(parts, None) is not None:
                    raise Damaged("it goes on behind its end")
                return end
            # With names as they were: those of the next snapshot may be others.
            self._show_snapshot()
            if chunk.kind == NAMES:
                self.names.read(chunk)
            elif chunk.kind == RECORDS:
                self._show_records(chunk)
            elif chunk.kind == ROWS:
                name, rows = self._row_reader.read(chunk)
                self._rows[name] += rows
            elif chunk.kind == SNAPSHOT:
                self._snapshot = Snapshot(time_of(chunk), self._rows)
                self._rows = self._row_reader.none()
            else:
                raise Damaged(f"it has a second header at byte {chunk.offset}")
        self._show_snapshot()
        return None

    def _show_records(self, chunk: Chunk) -> None:
        if not self._layouts:
            raise damaged(chunk)
        check_records(chunk, self._layouts)
        if not self._report.is_done:
            self.ring.load(chunk.payload, max(map(span, self._layouts.values())))
            self._report.records()

    def _show_snapshot(self) -> None:
        """Show a snapshot that was not the last."""
        if self._snapshot is not None and not self._report.is_done:
            self._report.interval()
