"""`skep replay FILE`: the events of a recording, shown as if they came now.

From the ring buffer on, the code is that of a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skep.authoring.annotations import own_annotations
from skep.authoring.options import Option
from skep.authoring.outputs import Stream
from skep.authoring.shared_options import RunOptions
from skep.errors import Incomplete, SkepError, UsageError
from skep.fields import Context, OpenFlags
from skep.fields.cgroupfs import Cgroups
from skep.output.loss import MEANINGS, LossReporter, sentence
from skep.output.record_types import RecordType
from skep.output.recording_file import (
    CGROUPS,
    END,
    RECORDS,
    Chunk,
    Damaged,
    chunks,
    content_of,
)
from skep.output.unpack import span
from skep.output.writer import OutputClosed, Writer, show
from skep.runtime.ledger import Reader, with_readers
from skep.toolkit.arguments import bind, values_of
from skep.toolkit.binding import Binding
from skep.toolkit.recorded import Recorded, check_records, read_header
from skep.toolkit.reports import EventReport, banner_of, record_type
from skep.toolkit.run import collect_garbage
from skep.toolkit.snapshot import Snapshot
from skep.toolkit.tool import Tool

USAGE = """usage: skep replay FILE [options]

Show what a tool kept with --record FILE. The options are those of the tool that are
about what is shown: --format, --json, --columns, --sort, --limit, --count, --strict,
columns that were recorded, and filters such as opensnoop's --name. No privileges are
needed, and any machine will do.
"""

OUTPUT = ("format", "json", "columns", "sort", "limit", "count", "strict")
"""Options of all tools that a replay takes."""


def replay(arguments: Sequence[str]) -> int:
    """Run `skep replay` with these arguments; the exit status.  Raises SkepError."""
    if not arguments or arguments[0] in ("-h", "--help"):
        if arguments:
            show(USAGE)
            return 0
        raise UsageError("which file?", hint="skep replay FILE")
    path, rest = arguments[0], arguments[1:]
    try:
        with open(path, "rb") as file:
            parts = chunks(file)
            recorded = read_header(next(parts, None))
            return Replay(recorded, rest).show(parts)
    except Damaged as error:
        diagnostic = error.diagnostic
        message = f"cannot replay {path!r}: {diagnostic.message}"
        raise SkepError(message, hint=diagnostic.hint) from None
    except OSError as error:
        raise SkepError(f"cannot read {path!r}: {error.strerror}") from error


def shown_options(tool: Tool) -> set[str]:
    """The tool's options that only choose what is shown: those of columns and those
    in its SHOWN."""
    records = [stream.record for stream in tool.streams.values()]
    columns = [member.column.when for record in records for member in record.members]
    names = {when.name for when in columns if isinstance(when, Option)}
    return {*names, "show_cgroup", *getattr(tool.module, "SHOWN", ())}


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


class _Names(Cgroups):
    """The cgroups of the recorded machine."""

    def path(self, cgroup_id: int) -> str | None:
        """The path of a cgroup, None if it was not known there."""
        return self.known().get(cgroup_id)


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
        self.cgroups = _Names()
        self.context = Context(recorded.clock, cgroups=self.cgroups)
        self.writer = Writer(1)
        self.ring = _Chunk()
        self.ledger = _Losses()
        self._recorded = recorded
        streams = list(self.tool.streams.values())
        self._layouts = {x.type_id: x for x in map(recorded.layout, streams)}
        self._report = EventReport(self, streams)

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
        raise NotImplementedError

    def show_banner(self) -> None:
        """Write what the tool says at its start."""
        self.writer.text(banner_of(self.binding, 0))

    def show(self, parts: Iterator[Chunk]) -> int:
        """Show the chunks behind the header; the exit status.  Raises SkepError."""
        is_json = self.options.format == "json"
        losses = LossReporter(_warn, self.writer.text if is_json else None)
        end: Mapping[str, Any] | None = None
        collect_garbage()
        try:
            self._report.start()
            end = self._read(parts)
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
        """Show the records; what the file says at its end, None if it has none."""
        room = max(map(span, self._layouts.values()))
        for chunk in parts:
            if chunk.kind == RECORDS:
                check_records(chunk, self._layouts)
                if not self._report.is_done:
                    self.ring.load(chunk.payload, room)
                    self._report.records()
            elif chunk.kind == CGROUPS:
                self.cgroups.known().update(_names(chunk))
            elif chunk.kind == END:
                end = content_of(chunk)
                self.ledger.recorded = _counts(chunk, end.get("losses"))
                if next(parts, None) is not None:
                    raise Damaged("it goes on behind its end")
                return end
            else:
                raise Damaged(f"it has a second header at byte {chunk.offset}")
        return None


def _names(chunk: Chunk) -> dict[int, str]:
    names = content_of(chunk)
    if not all(key.isdecimal() and len(key) < 21 for key in names):
        raise Damaged(f"it is damaged at byte {chunk.offset}")
    if not all(isinstance(name, str) for name in names.values()):
        raise Damaged(f"it is damaged at byte {chunk.offset}")
    return {int(key): name for key, name in names.items()}


def _counts(chunk: Chunk, found: object) -> dict[str, int | None]:
    counts = found if isinstance(found, dict) else {"": found}
    for cause, count in counts.items():
        is_count = count is None or (type(count) is int and 0 <= count < 1 << 64)
        if cause not in MEANINGS or not is_count:
            raise Damaged(f"it is damaged at byte {chunk.offset}")
    return counts


def _warn(text: str) -> None:
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # nobody can be told
