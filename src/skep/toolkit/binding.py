"""A tool's declarations with the options of one run: what the compiler sees.

Each run owns its values, maps and streams, so the same tool may run twice in one
process.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any

from skep.authoring.on import Probe
from skep.authoring.options import Option, Options
from skep.authoring.outputs import Histogram, Map, Stream, Table
from skep.authoring.records import Record
from skep.authoring.shared_options import FORMATS
from skep.compiler import tree
from skep.compiler.environment import (
    INLINE_MARK,
    EmittedField,
    Environment,
    HistogramObject,
    KernelFunction,
    MapObject,
    SourceFunction,
    StackMaps,
    StreamObject,
    TableObject,
    WrittenFunction,
)
from skep.compiler.types import Layout, from_c, lay_out
from skep.compiler.types import Type as KernelType
from skep.errors import InternalError
from skep.fields import CgroupId, Column, Member, Time
from skep.frontends.python import function_tree
from skep.probes.intention import Intention
from skep.spec import STACK_FRAMES, AttachSpec, FieldLayout, MapSpec, RecordLayout
from skep.toolkit.tool import Tool

RING_SIZE = 8 << 20
"""Bytes of the ring buffer: some 160 ms of events at 500,000 a second."""

HISTOGRAM_SLOTS = 64

STACKS = 16384
"""Places for stacks of a table in one interval, of a kilobyte each."""

TAILS = {"string": "string", "strings": "strings", "bytes": "bytes"}
"""Field types of variable length, by their C type, and the kind of tail they make."""

BPF_F_NO_PREALLOC = 1
"""Flag of a map (include/uapi/linux/bpf.h)."""

DEFAULT_TEXT = 255
"""Bytes of a text that does not say its size."""

_FORMATS = {
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "u64": "Q",
    "s8": "b",
    "s16": "h",
    "s32": "i",
    "s64": "q",
}


class Binding:
    """One run of a tool: bound options, and compile-time objects made on demand.

    `places` are the names of those where a program asked for its place, by number;
    the first are those that the options' `known_places` has.

    With `with_time` records without a member of type `Time` that is shown have their
    first one all the same.
    """

    def __init__(
        self,
        tool: Tool,
        options: Options,
        ring_size: int = RING_SIZE,
        with_time: bool = False,
    ) -> None:
        self.tool = tool
        self.options = options
        self.ring = MapSpec("events", "ringbuf", 0, 0, ring_size)
        self.with_time = with_time
        self._objects: dict[int, object] = {}
        self.places: list[str] = list(getattr(options, "known_places", ()))
        self._numbers = {name: n for n, name in enumerate(self.places) if name}
        self.environment = Environment(_tree_of, self.bind)

    def bind(self, value: object) -> object:
        """What a declaration stands for in this run; other objects as they are."""
        if isinstance(value, type):
            if issubclass(value, Options) and isinstance(self.options, value):
                return self.options
            if issubclass(value, Record):
                return self._once(value, lambda: self.key_layout(value))
            return value
        if isinstance(value, Stream):
            return self._once(value, lambda: self.stream(value))
        if isinstance(value, Histogram):
            return self._once(value, lambda: self.histogram(value))
        if isinstance(value, Table):
            return self._once(value, lambda: self.table(value))
        if isinstance(value, Map):
            return self._once(value, lambda: self._map(value))
        return value

    def _once(self, declared: object, make: Any) -> object:
        found = self._objects.get(id(declared))
        if found is None:
            found = self._objects[id(declared)] = make()
        return found

    def value_of(self, reference: object) -> Any:
        """What a declaration says by an option, by a function of the options, or
        directly."""
        if isinstance(reference, Option):
            return getattr(self.options, reference.name)
        return reference(self.options) if callable(reference) else reference

    def intention(self, probe: Probe) -> Intention:
        """What a probe asks for, with what it says by options filled in."""
        intention: Any = probe.intention
        values = {
            name: self._all_filled_in(value)
            if isinstance(value, tuple)
            else self._filled_in(value)
            for name, value in intention._asdict().items()
        }
        bound: Intention = intention._replace(**values)
        return bound

    def _all_filled_in(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The values; what stands for several of them is several."""
        filled = [self._filled_in(value) for value in values]
        several = [each if isinstance(each, tuple) else (each,) for each in filled]
        return tuple(value for group in several for value in group)

    def _filled_in(self, value: Any) -> Any:
        return self.value_of(value) if _refers(value) else value

    def numbered(self, attach: AttachSpec) -> AttachSpec:
        """An attachment whose places have numbers, if they have names: the same name
        has the same number everywhere in this run."""
        if not attach.names:
            return attach
        for name in attach.names:
            if name not in self._numbers:
                self._numbers[name] = len(self.places)
                self.places.append(name)
        return attach._replace(numbers=tuple(self._numbers[n] for n in attach.names))

    def is_on(self, when: object) -> bool:
        """Whether what `when` says holds in this run; None always does."""
        return when is None or bool(self.value_of(when))

    def visible(self, record: type[Record]) -> list[Member]:
        """The members that are sent and shown in this run."""
        shown = [m for m in record.members if self.is_on(m.column.when)]
        times = [m for m in record.members if issubclass(m.field, Time)]
        if self.with_time and not any(time in shown for time in times):
            shown = [*times[:1], *shown]
        return [m._replace(column=self._column(m.column)) for m in shown]

    def all_members(self) -> list[Member]:
        """The members of all records of streams and keys of tables in this run."""
        tool = self.tool
        members = [m for s in tool.streams.values() for m in self.stream_members(s)]
        for table in tool.tables.values():
            members += self.visible(table.key)
        return members

    def stream_members(self, stream: Stream) -> list[Member]:
        """The members of a stream's records that are sent and shown in this run.

        Every tool about tasks can show their cgroup, before its last column unless the
        record says where.
        """
        members = self.visible(stream.record)
        declared = any(m.name == "cgroup" for m in stream.record.members)
        if getattr(self.options, "show_cgroup", False) and not declared:
            members.insert(len(members) - 1, Member("cgroup", CgroupId))
        return members

    def sent_members(self, stream: Stream) -> list[Member]:
        """The members that are sent: those that are shown.

        A recording can be shown in other ways, so it has those of all forms of output,
        and all times, which fill themselves.
        """
        shown = self.stream_members(stream)
        if not getattr(self.options, "record", None):
            return shown
        from copy import copy

        names = {member.name for member in shown}
        for form in FORMATS:
            options: Any = copy(self.options)
            options.format = form
            other = Binding(self.tool, options)
            names.update(member.name for member in other.visible(stream.record))
        declared = stream.record.members
        sent = [m for m in declared if m.name in names or issubclass(m.field, Time)]
        known = {member.name for member in declared}
        return [*sent, *(member for member in shown if member.name not in known)]

    def _column(self, column: Column) -> Column:
        return column._replace(
            title=self.value_of(column.title),
            width=self.value_of(column.width),
            format=self.value_of(column.format),
        )

    def stream(self, stream: Stream) -> StreamObject:
        """A stream with the layout of its visible members."""
        members = self.sent_members(stream)
        streams = list(self.tool.streams.values())
        layout = record_layout(
            stream.record.__name__, streams.index(stream) + 1, members
        )
        fields = [
            EmittedField(m.name, m.field.ctype, m.field.fill)
            for m in members
            if m.field.ctype not in TAILS
        ]
        shown = {member.name for member in members}
        hidden = [m.name for m in stream.record.members if m.name not in shown]
        return StreamObject(self.ring, layout, fields, hidden)

    def key_layout(self, record: type[Record]) -> Layout:
        """A record class as a key or a value in memory."""
        members = [
            (m.name, _kernel_type(m.field.key_ctype or m.field.ctype))
            for m in self.visible(record)
        ]
        return lay_out(record.__name__, members)

    def histogram(self, histogram: Histogram) -> HistogramObject:
        """A histogram: a per-CPU array, or a hash with the visible members as key."""
        key: Layout | None = None
        hidden: list[str] = []
        if histogram.key is not None:
            shown = [member.name for member in self.visible(histogram.key)]
            hidden = [m.name for m in histogram.key.members if m.name not in shown]
            key = self.key_layout(histogram.key) if shown else None
        total = bool(self.value_of(histogram.total))
        size = 8 * (HISTOGRAM_SLOTS + total)
        name = self._name(histogram)
        if key is None:
            spec = MapSpec(name, "percpu_array", 4, size, 1)
        else:
            spec = MapSpec(name, "hash", key.size, size, histogram.keys)
        fills = _fills(histogram.key) if key is not None else {}
        return HistogramObject(spec, key, HISTOGRAM_SLOTS, total, hidden, fills)

    def table(self, table: Table) -> TableObject:
        """A table: its visible members in two maps, and the switch between them."""
        shown = {m.name for r in (table.key, table.value) for m in self.visible(r)}
        members = [*table.key.members, *table.value.members]
        hidden = [member.name for member in members if member.name not in shown]
        key, value = self.key_layout(table.key), self.key_layout(table.value)
        name = self._name(table)
        maps = [
            MapSpec(f"{name}_{number}", "hash", key.size, value.size, table.keys)
            for number in (0, 1)
        ]
        epoch = MapSpec(f"{name}_epoch", "array", 4, 8, 1)
        stacks = []
        if any(m.field.is_stack for m in self.visible(table.key)):
            stacks = [_stack_maps(f"{name}_stacks_{number}") for number in (0, 1)]
        fills = _fills(table.key)
        return TableObject(epoch, maps, key, value, hidden, fills, stacks)

    def _map(self, declared: Map) -> MapObject:
        key, value = (self._map_type(t) for t in (declared.key, declared.value))
        sizes = [
            t.size if isinstance(t, Layout) else _kernel_type(t).size
            for t in (key, value)
        ]
        pinned = self.value_of(declared.pinned) or ""
        size, flags = declared.size, 0
        if declared.kind == "task_storage":
            # Its elements hang on the tasks, so there is nothing to allocate before.
            size, flags = 0, BPF_F_NO_PREALLOC
        name = self._name(declared)
        spec = MapSpec(name, declared.kind, sizes[0], sizes[1], size, flags, pinned)
        return MapObject(spec, key, value)

    def _map_type(self, declared: object) -> Any:
        return declared if isinstance(declared, str) else self.bind(declared)

    def _name(self, declared: object) -> str:
        """The name of a map: that of the tool's variable, or a number for the maps of
        other modules."""
        tool = self.tool
        for names in (tool.histograms, tool.tables, vars(tool.module)):
            for name, value in names.items():
                if value is declared:
                    return name
        return f"map{len(self._objects)}"


def _fills(record: type[Record] | None) -> dict[str, str]:
    """What fills the members of a key that is not given them."""
    members = record.members if record is not None else ()
    return {m.name: m.field.fill for m in members if m.field.fill}


def _stack_maps(name: str) -> StackMaps:
    sizes = (STACKS, STACKS // 4)
    first, second = (
        MapSpec(f"{name}_{size}", "stack_trace", 4, 8 * STACK_FRAMES, size)
        for size in sizes
    )
    return StackMaps(first, second)


def _tree_of(function: KernelFunction) -> tree.Function:
    if isinstance(function, WrittenFunction):
        return function.tree
    return function_tree(function)


def _refers(value: object) -> bool:
    """Whether a value is to be had from the options."""
    return isinstance(value, Option) or callable(value)


def _kernel_type(ctype: str) -> KernelType:
    """A type that needs no BTF: pointers have 8 bytes, whatever they point to."""
    return from_c("u64" if "*" in ctype else ctype, None)


def record_layout(name: str, type_id: int, members: Sequence[Member]) -> RecordLayout:
    """Lay a record out for the ring buffer: wide fields first, text at the end.

    One 4-byte field fills the gap behind the type id.
    """
    tails = [m for m in members if m.field.ctype in TAILS]
    if len(tails) > 1:
        names = ", ".join(member.name for member in tails)
        raise InternalError(
            f"{name} has more than one text of variable length: {names}"
        )
    fixed = [
        (m.name, _kernel_type(m.field.ctype), m.field.ctype)
        for m in members
        if m.field.ctype not in TAILS
    ]
    fixed.sort(key=lambda f: -_alignment(f[1]))
    gap = next((f for f in fixed if f[1].size == 4), None)
    if gap is not None:
        fixed.remove(gap)
        fixed.insert(0, gap)
    fields, offset = [], 4
    for member_name, type_, ctype in fixed:
        align = _alignment(type_)
        offset = -(-offset // align) * align
        fields.append(FieldLayout(member_name, struct_code(ctype), offset, type_.size))
        offset += type_.size
    if not tails:
        return RecordLayout(name, type_id, fields, offset)
    tail = tails[0]
    size = tail.column.size or DEFAULT_TEXT
    kind = TAILS[tail.field.ctype]
    return RecordLayout(name, type_id, fields, offset, tail.name, kind, size)


def _alignment(type_: KernelType) -> int:
    """Text is copied eight bytes at a time, so it lies as numbers of 8 bytes do."""
    return min(8, type_.size) if type_.size in (1, 2, 4, 8) else 8


def struct_code(ctype: str) -> str:
    """The format of a C type that needs no BTF, for the module struct."""
    if ctype in _FORMATS:
        return _FORMATS[ctype]
    return f"{_kernel_type(ctype).size}s"


def guard_of(when: object) -> SourceFunction | None:
    """The kernel-side function that a probe's `when` is, if it is one."""
    if isinstance(when, FunctionType) and hasattr(when, INLINE_MARK):
        return when
    return None
