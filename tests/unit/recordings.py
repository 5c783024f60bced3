"""Recordings of tools, written without a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from skep.fields import Clock, Context
from skep.fields.stacks import pack
from skep.symbols.symbol import Symbol
from skep.toolkit.arguments import parse
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import row_format
from skep.toolkit.recording import Recording, counted_outputs
from skep.toolkit.snapshot import Rows, Snapshot
from skep.toolkit.tool import load
from tests.fixtures import saved_target
from tests.unit.records import FakeRing, framed

COUNTS = {"ring full": 2, "recursion": None}
BEGIN_NS = 10**18
PLACES = ["malloc", "free"]

Part = Callable[[Recording, Binding], None]
"""What happens in a run, and is recorded."""


class Symbols:
    """Functions whose names say who asked for what."""

    def kernel(self, address: int) -> Symbol:
        return Symbol(f"kernel_{address:x}", 1, "kernel")

    def user(self, pid: int, address: int) -> Symbol:
        return Symbol(f"user\x1b[2J_{pid}_{address:x}", 2, "/bin/cat")

    def caller(self, pid: int, address: int) -> Symbol:
        found = self.user(pid, address) if pid else self.kernel(address)
        return found._replace(name=f"caller_{found.name}")


def record(path: Path, words: Sequence[str], *parts: Part, ends: bool = True) -> bytes:
    """The bytes of a recording, also in the file `path`; the first word is the tool."""
    path.unlink(missing_ok=True)
    tool = load(words[0])
    options = parse(tool, ["--record", str(path), *words[1:]])
    tool = tool.declared(options, saved_target("6.12"))
    binding = Binding(tool, options)
    context = Context(Clock(1, BEGIN_NS), {"REQ_OP_READ": 0}, places=PLACES)
    context.symbols = Symbols()
    recording = Recording(str(path))
    recording.begin(binding, context, 2)
    for part in parts:
        part(recording, binding)
    if ends:
        recording.finish(COUNTS)
    recording.close()
    return path.read_bytes()


def event(name: str = "", **values: Any) -> Part:
    """A record of a stream, by default the only one; text goes to its tail."""

    def add(recording: Recording, binding: Binding) -> None:
        streams = binding.tool.streams
        bound: Any = binding.bind(streams[name or next(iter(streams))])
        layout = bound.layout
        fixed = bytearray(layout.size)
        fixed[0] = layout.type_id
        for field in layout.fields:
            value = values.get(field.name, 0)
            if isinstance(value, int):
                value = value.to_bytes(field.size, "little")
            fixed[field.offset : field.offset + len(value)] = value
        tail = values[layout.tail] + b"\0" if layout.tail else b""
        ring = FakeRing(framed(bytes(fixed) + tail))
        recording.add(ring, ring.end)

    return add


def counts(time_s: int, **rows: Rows) -> Part:
    """A snapshot, by the names of the outputs."""

    def add(recording: Recording, binding: Binding) -> None:
        known: dict[str, Rows] = {name: [] for name in counted_outputs(binding.tool)}
        recording.add_snapshot(Snapshot(BEGIN_NS + time_s * 10**9, {**known, **rows}))

    return add


def histogram(binding_slots: int, **slots: int) -> list[int]:
    """Counters of so many slots with these values, `s3=5` for five in slot 3."""
    values = [0] * binding_slots
    for name, count in slots.items():
        values[int(name[1:])] = count
    return values


def stack(pid: int, *addresses: int) -> bytes:
    """A stack as tables have it."""
    return pack(b"".join(each.to_bytes(8, "little") for each in addresses), pid)


def zeros(recording: Recording, binding: Binding) -> None:
    """A snapshot with a row of zeros in each output."""
    rows: dict[str, Rows] = {}
    for name, output in counted_outputs(binding.tool).items():
        row = row_format(binding, output)
        rows[name] = [row.unpack(bytes(row.size))]
    recording.add_snapshot(Snapshot(BEGIN_NS, rows))
