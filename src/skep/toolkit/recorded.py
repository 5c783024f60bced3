"""What the header of a recording says, checked: the file may come from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from skep.authoring.options import Option
from skep.authoring.outputs import Stream
from skep.errors import SkepError
from skep.fields import Clock, Context
from skep.output.loss import MEANINGS
from skep.output.recording_file import (
    HEADER,
    Chunk,
    Damaged,
    content_of,
    damaged,
    unpacked,
)
from skep.output.unpack import HEADER as RECORD_HEADER
from skep.output.unpack import span
from skep.spec import RecordLayout
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import row_format
from skep.toolkit.recorded_declarations import restored
from skep.toolkit.recording import (
    NUMBER,
    check_recordable,
    counted_outputs,
    formats_of,
)
from skep.toolkit.snapshot import Rows
from skep.toolkit.tool import Tool, load, tool_names

_DISCARDED = 1 << 30


class Recorded(NamedTuple):
    """The run that a recording is of.

    `context` has its clock and constants; `attached` are the places that it traced.
    """

    tool: Tool
    values: Mapping[str, Any]
    binding: Binding
    context: Context
    attached: int
    architecture: str

    def layout(self, stream: Stream) -> RecordLayout:
        """How the records of a stream lie in the file."""
        bound: Any = self.binding.bind(stream)
        layout: RecordLayout = bound.layout
        return layout


def header_of(chunk: Chunk | None) -> Mapping[str, Any]:
    """What the first chunk of a file says.  Raises Damaged."""
    if chunk is None:
        raise Damaged("it ends before its header")
    if chunk.kind != HEADER:
        raise Damaged("its header is missing")
    return content_of(chunk)


def read_header(chunk: Chunk | None) -> Recorded:
    """The run of a recording with this first chunk.  Raises Damaged."""
    header = header_of(chunk)
    name, architecture = header.get("tool"), header.get("architecture")
    if not isinstance(architecture, str):
        raise Damaged("its header names no architecture")
    # No name but a tool's: others could be files with code.
    if not isinstance(name, str) or name not in tool_names(families=True):
        raise Damaged("its header names no tool of this version of skep")
    tool = load(name)
    values = _values(tool, header.get("options"))
    try:
        check_recordable(tool)
        tool = restored(tool, header.get("declared"))
        binding = Binding(tool, bind(tool, values))
        formats = formats_of(binding)
    except Damaged:
        raise
    except SkepError as error:
        raise Damaged(f"its options are none: {error.diagnostic.message}") from None
    if header.get("formats") != formats:
        raise Damaged(
            f"the records of {name} are others in this version of skep",
            hint=f"recorded with skep {header.get('skep')!r:.40}",
        )
    attached, context = attached_of(header), context_of(header)
    return Recorded(tool, values, binding, context, attached, architecture)


def _values(tool: Tool, found: object) -> dict[str, Any]:
    declared = tool.options.options
    if not isinstance(found, dict) or not found.get("record"):
        raise Damaged("its header has no options")
    for name, value in found.items():
        if name not in declared or not _fits(declared[name], value):
            raise Damaged(f"its header has options that {tool.name} has not")
    return found


def _fits(option: Option, value: object) -> bool:
    """Whether an option can have this value."""
    if value is None:
        return True
    if isinstance(value, list):
        several = option.repeat or option.rest or option.listed
        return several and all(_fits(option, each) for each in value)
    types = {bool: (bool, int), str: (str,), float: (int, float)}
    return isinstance(value, types.get(option.type, (str,) if option.rest else (int,)))


def attached_of(header: Mapping[str, Any]) -> int:
    """The number of places that a run traced.  Raises Damaged."""
    attached: Any = header.get("attached")
    if not _is_number(attached):
        raise Damaged("its header does not say what was traced")
    number: int = attached
    return number


def context_of(header: Mapping[str, Any]) -> Context:
    """The clock, names of enumerators and names of places of a header.

    Raises Damaged.
    """
    clock, io_names, places = (header.get(n) for n in ("clock", "io_names", "places"))
    if (
        not isinstance(clock, list)
        or len(clock) != 2
        or not all(map(_is_number, clock))
    ):
        raise Damaged("its header has no clock")
    if not isinstance(io_names, dict) or not all(map(_is_number, io_names.values())):
        raise Damaged("its header has no names of enumerators")
    if not isinstance(places, list) or not all(isinstance(n, str) for n in places):
        raise Damaged("its header has no names of places")
    return Context(Clock(*clock), io_names, places=places)


def time_of(chunk: Chunk) -> int:
    """The time of a snapshot or of the end, in ns since the Unix epoch.

    Raises Damaged.
    """
    found = content_of(chunk).get("time_ns")
    if type(found) is not int or not 0 <= found < 1 << 63:
        raise damaged(chunk)
    return found


def losses_of(chunk: Chunk) -> dict[str, int | None]:
    """What was lost, as the last chunk of a file says.  Raises Damaged."""
    found = content_of(chunk).get("losses")
    counts = found if isinstance(found, dict) else {"": found}
    for cause, count in counts.items():
        is_count = count is None or (type(count) is int and 0 <= count < 1 << 64)
        if cause not in MEANINGS or not is_count:
            raise damaged(chunk)
    return counts


def _is_number(found: object) -> bool:
    return type(found) is int and 0 <= found < 1 << 62


def check_records(chunk: Chunk, layouts: Mapping[int, RecordLayout]) -> None:
    """Raise Damaged if a chunk is not whole records of these layouts (by type)."""
    data, offset = chunk.payload, 0
    while offset < len(data):
        word = int.from_bytes(data[offset : offset + 4], "little")
        size = word & ~_DISCARDED
        end = offset + RECORD_HEADER + size + 7 & -8
        layout = layouts.get(
            int.from_bytes(data[offset + RECORD_HEADER :][:4], "little")
        )
        is_whole = end <= len(data) and (
            bool(word & _DISCARDED)
            or (
                layout is not None
                and layout.size <= size
                and end - offset <= span(layout)
            )
        )
        if not is_whole:
            raise damaged(chunk)
        offset = end


class RowReader:
    """Reads the rows of a recording's snapshots."""

    def __init__(self, binding: Binding) -> None:
        self._outputs = [
            (name, row_format(binding, output))
            for name, output in counted_outputs(binding.tool).items()
        ]

    def read(self, chunk: Chunk) -> tuple[str, Rows]:
        """The rows of a chunk, and the name of the output.  Raises Damaged."""
        content = unpacked(chunk)
        number = int.from_bytes(content[: NUMBER.size], "little")
        if len(content) < NUMBER.size or number >= len(self._outputs):
            raise damaged(chunk)
        name, row = self._outputs[number]
        rows = content[NUMBER.size :]
        if len(rows) % row.size:
            raise damaged(chunk)
        return name, list(row.iter_unpack(rows))

    def none(self) -> dict[str, Rows]:
        """No rows of all outputs."""
        return {name: [] for name, _ in self._outputs}
