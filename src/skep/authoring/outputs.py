"""What programs write to: streams of records, histograms, tables, maps."""

from __future__ import annotations

from typing import Any, Callable

from skep.authoring.records import Record


class Stream:
    """Records as they happen; in kernel-side code `emit(field=value, …)`."""

    def __init__(self, record: type[Record]) -> None:
        self.record = record


class Histogram:
    """Counts of values by powers of two; in kernel-side code `record(value, key=…)`.

    `key` is a record class whose fields tell histograms apart; those that are not shown
    in a run do not, and are not computed.  `total` keeps the sum of all values: True,
    or the option that wants it.  `keys` is the largest number of histograms.  `unit`
    labels the values: text, or a function of the options.  `title` names the histogram
    among several in JSON.
    """

    def __init__(
        self,
        key: type[Record] | None = None,
        unit: str | Callable[[Any], str] = "",
        total: object = False,
        keys: int = 1024,
        title: str = "",
    ) -> None:
        self.key = key
        self.title = title
        self.unit = unit
        self.total = total
        self.keys = keys


class Table:
    """Sums by key; in kernel-side code `add(field=value, …)`.

    `key` is a record class, and so is `value`, whose fields are numbers of 8 bytes that
    are added up; fields that are not shown in a run are left out and not computed.
    `keys` is the largest number of keys in one interval.  A table with a `title` is one
    of several: it is shown under its title, indented.  The rows of one that is `ranked`
    come by their first sum, the largest last.
    """

    def __init__(
        self,
        key: type[Record],
        value: type[Record],
        keys: int = 10240,
        title: str = "",
        ranked: bool = False,
    ) -> None:
        self.title = title
        self.ranked = ranked
        self.key = key
        self.value = value
        self.keys = keys


class Map:
    """A map for the programs' own use, its key and value C types or record classes.

    `kind` is the kernel's name of the map type ("hash", "lru_hash", "array", …).  With
    `pinned`, a path or the option that has one, it is a map that somebody else made and
    pinned in a BPF file system.
    """

    def __init__(
        self,
        key: str | type[Record],
        value: str | type[Record],
        size: int = 10240,
        kind: str = "hash",
        pinned: object = None,
    ) -> None:
        self.key = key
        self.value = value
        self.size = size
        self.kind = kind
        self.pinned = pinned
