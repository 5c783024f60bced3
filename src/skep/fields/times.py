"""Points in time and durations, in nanoseconds."""

from __future__ import annotations

import time
from collections.abc import Sequence

from skep.fields.base import Cell, Context, Field, Member, Value

NANOSECONDS = 1_000_000_000


class Time(Field):
    """When it happened: `bpf_ktime_get_ns`, shown in seconds since the first event.

    To programs it is wall-clock time, nanoseconds since the Unix epoch; the first
    member of this type in a record is the `time_ns` of its JSON line.
    """

    ctype = "u64"
    fill = "ktime_ns"
    title = "TIME(s)"
    width = 13
    spec = ".9f"
    varied = True
    unit = "ns"
    meaning = "when it happened"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Seconds since the first record that is shown."""
        first = f"first_{member.name}"
        # A dict whose key 0 is set once: the cheapest way to keep the first value.
        source = f"({member.raw} - {first}.setdefault(0, {member.raw})) / {NANOSECONDS}"
        cell = cls.cell(member, context)
        return (cell._replace(source=source, text=None, names={first: {}}),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """Nanoseconds since the Unix epoch."""
        return Value(cls.key(member), f"{member.raw} + {context.clock.offset_ns}")


class SinceStart(Field):
    """When it happened, counted from the start of the tool: shown in seconds.

    Nanoseconds to programs.  It is no `Time`, as it cannot be a record's `time_ns`.
    """

    ctype = "u64"
    fill = "ktime_ns"
    title = "TIME(s)"
    width = 7
    spec = ".3f"
    varied = True
    unit = "ns"
    meaning = "when it happened, since the start of the tool"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Seconds since the tool started."""
        source = f"({member.raw} - {context.clock.start_ns}) / {NANOSECONDS}"
        return (cls.cell(member, context)._replace(source=source, text=None),)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """Nanoseconds since the tool started."""
        return Value(cls.key(member), f"{member.raw} - {context.clock.start_ns}")


class UnixTime(Time):
    """A `Time` shown in seconds since the Unix epoch, with six decimals."""

    title = "TIME"
    width = 17
    spec = ".6f"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Seconds since 1970."""
        source = f"({member.raw} + {context.clock.offset_ns}) / {NANOSECONDS}"
        return (cls.cell(member, context)._replace(source=source, text=None),)


class WallClock(Time):
    """A `Time` shown as local HH:MM:SS; a column format is one of strftime(3)."""

    title = "TIME"
    width = 8
    spec = "%H:%M:%S"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Local time of day, one text for each second."""
        cell = cls.cell(member, context)
        source = f"({member.raw} + {context.clock.offset_ns}) // {NANOSECONDS}"
        spec = cell.spec
        return (
            cell._replace(
                source=source,
                text=lambda second: time.strftime(spec, time.localtime(second)),
            ),
        )


class DurationNs(Field):
    """A duration in nanoseconds, shown as such."""

    ctype = "u64"
    width = 12
    align = ">"
    varied = True
    unit = "ns"
    meaning = "duration"


class MonotonicUs(DurationNs):
    """When it happened, since boot: shown in microseconds; nanoseconds to programs."""

    fill = "ktime_ns"
    width = 0
    shown = "{} // 1000"
    meaning = "when it happened, since boot"


class LatencyUs(DurationNs):
    """A duration shown in whole microseconds; nanoseconds to programs."""

    title = "LAT(us)"
    width = 9
    shown = "{} // 1000"


class Latency(DurationNs):
    """A duration shown with two decimals in the unit that is the column's format, "us"
    or "ms"; nanoseconds to programs."""

    width = 7
    spec = "ms"

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The duration in its unit."""
        cell = cls.cell(member, context)
        source = f"{member.raw} / {1000 if cell.spec == 'us' else 1000000}"
        title = member.column.title or f"LAT({cell.spec})"
        return (cell._replace(title=title, source=source, text=None, spec=".2f"),)


class LatencyMs(DurationNs):
    """A duration shown in milliseconds with two decimals; nanoseconds to programs."""

    title = "LAT(ms)"
    width = 7
    spec = ".2f"
    shown = "{} / 1000000"
