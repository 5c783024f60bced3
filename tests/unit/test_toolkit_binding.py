"""What declarations become in one run: layouts, maps, hidden fields."""

from __future__ import annotations

from typing import Any

import pytest

from skep.authoring.shared_options import TaskOptions
from skep.compiler.environment import HistogramObject, MapObject, StreamObject
from skep.errors import InternalError
from skep.fields import U8, U16, U32, U64, Args, Column, Comm, Field, Member, Text
from skep.spec import MapSpec, RecordLayout
from skep.toolkit.binding import RING_SIZE, Binding, guard_of, record_layout
from skep.toolkit.tool import load, tool_names
from tests.fixtures import saved_target
from tests.unit.tool_source import Make, bound, make_tool

__all__ = ["make_tool"]


def lay(*fields: type[Field], size: int | None = None) -> RecordLayout:
    """A layout of members a, b, c of these types."""
    column = Column(size=size)
    named = zip("abcdef", fields)
    return record_layout("R", 3, [Member(name, field, column) for name, field in named])


def places(layout: RecordLayout) -> list[tuple[str, str, int, int]]:
    return [tuple(field) for field in layout.fields]


def test_wide_fields_come_first_behind_one_that_fills_the_gap() -> None:
    layout = lay(U8, U32, U64, U16, U32)
    assert (layout.name, layout.type_id, layout.size) == ("R", 3, 23)
    assert places(layout) == [
        ("b", "I", 4, 4),
        ("c", "Q", 8, 8),
        ("e", "I", 16, 4),
        ("d", "H", 20, 2),
        ("a", "B", 22, 1),
    ]
    assert layout.tail is None


def test_without_a_narrow_field_the_gap_stays() -> None:
    assert places(lay(U64, U8)) == [("a", "Q", 8, 8), ("b", "B", 16, 1)]
    assert lay(U64).size == 16


def test_without_a_wide_field_there_is_no_gap() -> None:
    assert places(lay(U8, U16)) == [("b", "H", 4, 2), ("a", "B", 6, 1)]
    assert places(lay(U8)) == [("a", "B", 4, 1)]
    assert lay().size == 4


def test_text_of_fixed_size_is_aligned_for_copies_of_eight_bytes() -> None:
    assert places(lay(Comm, U8)) == [("a", "16s", 8, 16), ("b", "B", 24, 1)]
    assert places(lay(U32, Comm)) == [("a", "I", 4, 4), ("b", "16s", 8, 16)]


def test_text_of_any_length_is_the_tail() -> None:
    layout = lay(Text, U32, size=100)
    assert places(layout) == [("b", "I", 4, 4)]
    assert (layout.size, layout.tail) == (8, "a")
    assert (layout.tail_kind, layout.tail_max) == ("string", 100)
    assert lay(Args).tail_kind == "strings"
    assert lay(Text).tail_max == 255


def test_there_is_one_tail_at_most() -> None:
    with pytest.raises(InternalError, match=r"R has more than one text .*: a, c"):
        lay(Text, U32, Text)


STREAM = """
    class Seen(Record):
        time: Time = column(when=Options.timestamp)
        uid: Uid = column(when=Options.show_uid)
        pid: Pid
        size: U64 = column(when=lambda options: options.tid is None)
        path: Text = column(format=lambda options: "9" if options.json else ".5")

    seen = Stream(Seen)
    other = Stream(Seen)
"""


def test_a_stream_has_its_visible_fields(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    binding = Binding(tool, bound(tool))
    stream: Any = binding.bind(tool.streams["seen"])
    assert isinstance(stream, StreamObject)
    assert [(f.name, f.ctype, f.fill) for f in stream.fields] == [
        ("pid", "u32", "pid"),
        ("size", "u64", None),
    ]
    assert (stream.layout.tail, list(stream.hidden)) == ("path", ["time", "uid"])
    assert stream.ring == MapSpec("events", "ringbuf", 0, 0, RING_SIZE)
    assert stream.layout.type_id == 1
    second: Any = binding.bind(tool.streams["other"])
    assert (second.layout.type_id, second.ring) == (2, stream.ring)


def test_options_show_and_hide(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    stream: Any = Binding(tool, bound(tool, show_uid=True, tid=1)).bind(
        tool.streams["seen"]
    )
    assert [field.name for field in stream.fields] == ["uid", "pid"]
    assert list(stream.hidden) == ["time", "size"]


def test_times_are_sent_where_json_needs_them(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    binding = Binding(tool, bound(tool, json=True), with_time=True)
    members = binding.visible(tool.streams["seen"].record)
    assert [member.name for member in members] == ["time", "pid", "size", "path"]


def test_one_time_is_enough(make_tool: Make) -> None:
    tool = make_tool("""
        class Seen(Record):
            pid: Pid
            time: WallClock = column(when=Options.show_uid)
            since: Time = column(when=Options.timestamp)

        seen = Stream(Seen)
    """)
    record = tool.streams["seen"].record
    for shown, names in (
        ({}, ["time", "pid"]),
        ({"timestamp": True}, ["pid", "since"]),
        ({"timestamp": True, "show_uid": True}, ["pid", "time", "since"]),
    ):
        binding = Binding(tool, bound(tool, json=True, **shown), with_time=True)
        assert [member.name for member in binding.visible(record)] == names


def test_a_cgroup_stands_where_the_record_says(make_tool: Make) -> None:
    tool = make_tool("""
        class Seen(Record):
            cgroup: CgroupId = column(when=Options.show_cgroup)
            pid: Pid
            path: Text

        class Other(Record):
            pid: Pid
            path: Text

        seen = Stream(Seen)
        other = Stream(Other)
    """)
    binding = Binding(tool, bound(tool, show_cgroup=True))
    names = {
        name: [member.name for member in binding.stream_members(stream)]
        for name, stream in tool.streams.items()
    }
    assert names == {
        "seen": ["cgroup", "pid", "path"],
        "other": ["pid", "cgroup", "path"],
    }
    plain = Binding(tool, bound(tool)).stream_members(tool.streams["seen"])
    assert [member.name for member in plain] == ["pid", "path"]


def test_whether_tasks_are_filtered(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    assert not bound(tool, verbose=True).filters_tasks
    assert bound(tool, pid=0).filters_tasks
    assert bound(tool, mntnsmap="/x").filters_tasks


def test_a_width_may_depend_on_options(make_tool: Make) -> None:
    tool = make_tool("""
        class Seen(Record):
            pid: Pid = column(width=lambda options: 9 if options.json else 5)

        seen = Stream(Seen)
    """)
    record = tool.streams["seen"].record
    for json, width in ((False, 5), (True, 9)):
        [member] = Binding(tool, bound(tool, json=json)).visible(record)
        assert member.column.width == width


def test_a_format_may_depend_on_options(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    record = tool.streams["seen"].record
    for json, spec in ((False, ".5"), (True, "9")):
        members = Binding(tool, bound(tool, json=json)).visible(record)
        assert members[-1].column.format == spec


HISTOGRAM = """
    class Where(Record):
        disk: U32 = column(when=Options.show_uid)
        flags: U64 = column(when=Options.timestamp)

    sizes = Histogram()
    latency = Histogram(Where, total=Options.verbose, keys=64, unit="usecs")
"""


def test_a_histogram_without_key_is_an_array(make_tool: Make) -> None:
    tool = make_tool(HISTOGRAM)
    binding = Binding(tool, bound(tool))
    sizes: Any = binding.bind(tool.histograms["sizes"])
    assert isinstance(sizes, HistogramObject)
    assert sizes.map == MapSpec("sizes", "percpu_array", 4, 512, 1)
    assert (sizes.key, sizes.slots, sizes.total, sizes.hidden) == (None, 64, False, [])
    latency: Any = binding.bind(tool.histograms["latency"])
    assert latency.map == MapSpec("latency", "percpu_array", 4, 512, 1)
    assert latency.hidden == ["disk", "flags"]


def test_a_histogram_with_a_visible_key_is_a_hash(make_tool: Make) -> None:
    tool = make_tool(HISTOGRAM)
    options = bound(tool, show_uid=True, verbose=True)
    latency: Any = Binding(tool, options).bind(tool.histograms["latency"])
    assert latency.map == MapSpec("latency", "hash", 4, 520, 64)
    assert list(latency.key.members) == ["disk"]
    assert (latency.total, latency.hidden) == (True, ["flags"])
    both = bound(tool, show_uid=True, timestamp=True)
    padded: Any = Binding(tool, both).bind(tool.histograms["latency"])
    assert padded.map.key_size == 16
    assert padded.key.members["flags"].bit_offset == 64


MAPS = """
    class Key(Record):
        pid: Pid
        small: U8

    starts = Map("u64", "u64", 99)
    named = Map(Key, "struct request *", kind="lru_hash")
    own = Map("u32", "u64", kind="task_storage")
"""


def test_maps(make_tool: Make) -> None:
    tool = make_tool(MAPS)
    names = vars(tool.module)
    binding = Binding(tool, bound(tool, cgroupmap="/sys/fs/bpf/x"))
    starts: Any = binding.bind(names["starts"])
    assert isinstance(starts, MapObject)
    assert starts == MapObject(MapSpec("starts", "hash", 8, 8, 99), "u64", "u64")
    named: Any = binding.bind(names["named"])
    assert named.spec == MapSpec("named", "lru_hash", 8, 8, 10240)
    assert named.key is binding.bind(names["Key"])
    own: Any = binding.bind(names["own"])
    assert (own.spec.kind, own.spec.max_entries, own.spec.flags) == (
        "task_storage",
        0,
        1,
    )


def test_pinned_maps_of_other_modules(make_tool: Make) -> None:
    from skep.authoring import shared_options

    tool = make_tool(MAPS)
    binding = Binding(tool, bound(tool, cgroupmap="/sys/fs/bpf/x"))
    cgroups: Any = binding.bind(shared_options.listed_cgroups)
    mntns: Any = binding.bind(shared_options.listed_mntns)
    assert (cgroups.spec.pinned, mntns.spec.pinned) == ("/sys/fs/bpf/x", "")
    assert cgroups.spec.name != mntns.spec.name


def test_every_run_has_objects_of_its_own(make_tool: Make) -> None:
    tool = make_tool(STREAM)
    stream = tool.streams["seen"]
    one, two = (Binding(tool, bound(tool)) for _ in range(2))
    assert one.bind(stream) is one.bind(stream)
    assert one.bind(stream) is not two.bind(stream)
    assert one.bind(tool.options) is one.options
    assert one.bind(tool.options.__mro__[1]) is one.options
    assert one.bind(str) is str
    assert one.bind(5) == 5


def test_a_guard_is_a_kernel_side_function(make_tool: Make) -> None:
    tool = make_tool("")
    assert guard_of(tool.options.selected) is not None
    assert guard_of(lambda options: True) is None
    assert guard_of(tool.options.options["pid"]) is None
    assert guard_of(None) is None


@pytest.mark.parametrize("name", tool_names())
def test_every_tool_about_tasks_has_the_common_columns(name: str) -> None:
    tool = load(name)
    if not issubclass(tool.options, TaskOptions):
        return
    tool = tool.declared(bound(tool), saved_target("6.12"))
    (stream,) = tool.streams.values()
    plain = Binding(tool, bound(tool)).visible(stream.record)
    for option in ("timestamp", "show_uid"):
        shown = Binding(tool, bound(tool, **{option: True})).visible(stream.record)
        assert len(shown) == len(plain) + 1, option
