"""Names that the machine knows: noted for a recording, and known again in a replay.

What is shown of a record may have to be looked up: functions by address, cgroups and
disks by number.  A recording has all that any form of output would ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from skep.errors import TargetError
from skep.fields import Context
from skep.fields.cgroupfs import Cgroups
from skep.fields.diskstats import Disks
from skep.output.recording_file import Chunk, content_of, damaged
from skep.symbols.symbol import Symbol

FUNCTION, CALLER, CGROUP, DISK = "function", "caller", "cgroup", "disk"
"""Kinds of names.  The key of the first two is a process, 0 for the kernel, and an
address; of the others a number."""

BATCH = 1000
"""Names in a chunk: those of functions may be long."""

MOST = 100_000
"""Names that are known to be in the file; then it gets them a second time."""

_Key = tuple[Any, ...]
_Value = tuple[Any, ...]


class Notes:
    """A context like another, whose look-ups are noted.

    A name can change, as processes end and others have their numbers: it is noted again
    then.
    """

    def __init__(self, context: Context) -> None:
        disks, cgroups = _NotedDisks(self, context), _NotedCgroups(self, context)
        self.context = Context(
            context.clock, context.io_names, disks, cgroups, context.places
        )
        self.context.symbols = _NotedSymbols(self, context)
        self._known: dict[_Key, _Value] = {}
        self._new: dict[_Key, _Value] = {}

    def note(self, key: _Key, value: _Value) -> None:
        """A name was looked up."""
        if self._known.get(key) != value:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = self._new[key] = value

    def take(self) -> Iterator[Mapping[str, Sequence[Any]]]:
        """What is new since the last call, in batches as JSON has them."""
        items = iter(self._new.items())
        self._new = {}
        while batch := list(islice(items, BATCH)):
            lists: dict[str, list[Any]] = {}
            for (kind, *key), value in batch:
                lists.setdefault(kind, []).append([*key, *value])
            yield lists


class _NotedSymbols:
    def __init__(self, notes: Notes, context: Context) -> None:
        self._notes = notes
        self._context = context

    def kernel(self, address: int) -> Symbol:
        """What an address of the kernel is called."""
        return self._noted(FUNCTION, 0, address, self._context.symbols.kernel(address))

    def user(self, pid: int, address: int) -> Symbol:
        """What an address in a process is called."""
        found = self._context.symbols.user(pid, address)
        return self._noted(FUNCTION, pid, address, found)

    def caller(self, pid: int, address: int) -> Symbol:
        """What a return address belongs to."""
        found = self._context.symbols.caller(pid, address)
        return self._noted(CALLER, pid, address, found)

    def kernel_problem(self) -> str:
        """Why addresses of the kernel have no names."""
        return self._context.kernel_problem()

    def _noted(self, kind: str, pid: int, address: int, found: Symbol) -> Symbol:
        self._notes.note((kind, pid, address), found)
        return found


class _NotedCgroups(Cgroups):
    def __init__(self, notes: Notes, context: Context) -> None:
        super().__init__()
        self._notes = notes
        self._context = context

    def path(self, cgroup_id: int) -> str | None:
        """The path of a cgroup, None if there is none."""
        try:
            found = self._context.cgroups.path(cgroup_id)
        except TargetError:
            found = None  # whoever shows it says why
        self._notes.note((CGROUP, cgroup_id), (found,))
        return found


class _NotedDisks(Disks):
    def __init__(self, notes: Notes, context: Context) -> None:
        super().__init__()
        self._notes = notes
        self._context = context

    def name(self, number: int) -> str:
        """The name of a device."""
        found = self._context.disks.name(number)
        self._notes.note((DISK, number), (found,))
        return found


class KnownNames:
    """The names of a recording, as far as it was read."""

    def __init__(self) -> None:
        self._known: dict[_Key, _Value] = {}

    def context(self, like: Context) -> Context:
        """A context with the clock and the constants of another, and these names."""
        known = self._known
        names = (like.io_names, _KnownDisks(known), _KnownCgroups(known))
        context = Context(like.clock, *names, _KnownPlaces(like.places))
        context.symbols = _KnownSymbols(known)
        return context

    def read(self, chunk: Chunk) -> None:
        """Take the names of a chunk.  Raises Damaged."""
        for kind, entries in content_of(chunk).items():
            shape = _SHAPES.get(kind)
            if shape is None or not isinstance(entries, list):
                raise damaged(chunk)
            for entry in entries:
                if not isinstance(entry, list) or len(entry) != len(shape):
                    raise damaged(chunk)
                if not all(map(isinstance, entry, shape)):
                    raise damaged(chunk)
                keys = 2 if kind in (FUNCTION, CALLER) else 1
                self._known[(kind, *entry[:keys])] = tuple(entry[keys:])


_TEXT = (str, type(None))
_SHAPES: Mapping[str, Sequence[Any]] = {
    FUNCTION: (int, int, _TEXT, int, str),
    CALLER: (int, int, _TEXT, int, str),
    CGROUP: (int, _TEXT),
    DISK: (int, str),
}


class _KnownSymbols:
    def __init__(self, known: Mapping[_Key, _Value]) -> None:
        self._known = known

    def kernel(self, address: int) -> Symbol:
        """What an address of the kernel was called."""
        return self._named(FUNCTION, 0, address)

    def user(self, pid: int, address: int) -> Symbol:
        """What an address in a process was called."""
        return self._named(FUNCTION, pid, address)

    def caller(self, pid: int, address: int) -> Symbol:
        """What a return address belonged to."""
        return self._named(CALLER, pid, address)

    def kernel_problem(self) -> str:
        """Nothing: the run has told it."""
        return ""

    def _named(self, kind: str, pid: int, address: int) -> Symbol:
        return Symbol(*self._known.get((kind, pid, address), (None, address)))


class _KnownCgroups(Cgroups):
    def __init__(self, known: Mapping[_Key, _Value]) -> None:
        super().__init__()
        self._known = known

    def path(self, cgroup_id: int) -> str | None:
        """The path of a cgroup, None if it was not known there."""
        found: str | None = self._known.get((CGROUP, cgroup_id), (None,))[0]
        return found


class _KnownDisks(Disks):
    def __init__(self, known: Mapping[_Key, _Value]) -> None:
        super().__init__()
        self._known = known

    def name(self, number: int) -> str:
        """The name of a device, "?" if it was not known there."""
        return str(self._known.get((DISK, number), ("?",))[0])


class _KnownPlaces(Sequence[str]):
    """Names of places; a file may have numbers of others."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, number: Any) -> Any:
        return self._names[number] if number < len(self) else "[unknown]"
