"""One process as `skep.symbols.resolver` knows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from skep.symbols import snapshot
from skep.symbols.maps import MemoryMap
from skep.symbols.object_file import ObjectFile
from skep.symbols.perf_map import PerfMapFile
from skep.symbols.processes import Mapping
from skep.symbols.snapshot import Snapshot
from skep.symbols.symbol import Symbol

_MOST_SNAPSHOTS = 4
_SOON_S = 0.02
_LONG_S, _REST = 0.1, 4
"""Who has so many mappings that a look takes long is not looked at again before four
times as long has passed, unless an address is new."""
_MOST_TOLD = 1000
"""Lines of what the kernel told of a process; one that maps code over and over, such as
modules that it loads again, has ever more."""


class Process:
    """A process, as it was seen at several times, the latest first.

    `epoch` is when it was asked for last, and `due` when `Symbols.remember` is to look
    again (time.monotonic); before `rests_until` it is looked at only if it must be.
    `is_current` says that it was looked at in this epoch, `is_unseen` that it was
    counted as such.  `told` are the lines of code that the kernel told of since the
    program was started, `inherited` what was known of its parent when it was forked,
    and of what it ran before; both are the same objects.
    """

    __slots__ = (
        *("pid", "epoch", "known", "files", "snapshots", "inherited", "told", "root"),
        *("has_ended", "is_current", "perf_map", "problem", "is_unseen", "due"),
        *("_as_told", "_first", "rests_until"),
    )

    def __init__(self, pid: int, epoch: int) -> None:
        self.pid = pid
        self.epoch = epoch
        self.known: dict[int, Symbol] = {}
        self.files: dict[Mapping, ObjectFile | None] = {}
        self.snapshots: list[Snapshot] = []
        self.inherited: list[Snapshot] = []
        self.told: list[bytes] = []
        self.root = "/"
        self.has_ended = False
        self.is_current = False
        self.perf_map: PerfMapFile | None = None
        self.problem = ""
        self.is_unseen = False
        self._as_told: Snapshot | None = None
        self._first = self.due = time.monotonic()
        self.rests_until = 0.0

    def look(self) -> bool:
        """Look at it now; whether anything is new."""
        now = time.monotonic()
        self.due = now + max(now - self._first, _SOON_S)
        self.is_current = True
        self.files.clear()
        if self.perf_map:
            self.known.clear()
        try:
            seen = snapshot.take(self.pid)
        except OSError as error:
            self.has_ended = True
            self.problem = (
                "no permission to read its memory map"
                if isinstance(error, PermissionError)
                else "it ended before its memory map was read"
            )
            return False
        took = time.monotonic() - now
        if took > _LONG_S:
            self.rests_until = now + (1 + _REST) * took
        return self._add(seen)

    def _add(self, seen: Snapshot) -> bool:
        latest = self.snapshots[0] if self.snapshots else None
        if latest and latest.started != seen.started:
            # Another process has the number now.
            self.snapshots.clear()
            self.perf_map = None
            self.known.clear()
        elif latest and not seen.maps.content:
            self.has_ended = True  # a zombie has no memory any more
            return False
        elif latest and latest.maps.content == seen.maps.content:
            return False
        self.has_ended = False
        self.known.clear()
        self.snapshots[_MOST_SNAPSHOTS - 1 :] = []
        self.snapshots.insert(0, seen)
        return True

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is known of its memory."""
        return not (self.snapshots or self.told or self.inherited)

    def tell(self, line: bytes) -> None:
        """The kernel told of code that it maps."""
        self.told.append(line)
        if len(self.told) > _MOST_TOLD:
            del self.told[: _MOST_TOLD // 2]
        self._as_told = None

    def as_told(self) -> Snapshot:
        """What the kernel told of it."""
        if self._as_told is None:
            # The latest first: it takes the place of what was there before.
            self._as_told = self.told_by(self.told[::-1])
        return self._as_told

    def told_by(self, lines: Sequence[bytes]) -> Snapshot:
        """What some of the lines say of it."""
        maps = MemoryMap(self.pid, b"".join(lines))
        return Snapshot(self.pid, 0, self.root, -1, self.pid, maps)

    def leave_program(self) -> None:
        """It runs another program now; what it had mapped is kept for the old one."""
        self.inherited = self.views()
        self.snapshots = []
        self.told = []
        self._as_told = None
        self.known.clear()
        self.files.clear()
        self.root = snapshot.root_of(self.pid)

    def find(self, address: int) -> tuple[Snapshot, Mapping] | None:
        """The mapping of an address; one that is gone if there is no other."""
        for seen in self._views():
            mapping = seen.maps.find(address)
            if mapping is not None:
                return seen, mapping
        return None

    def views(self) -> list[Snapshot]:
        """The latest of what is known of its memory."""
        return list(self._views())[:_MOST_SNAPSHOTS]

    def kept(self) -> Sequence[Snapshot]:
        """All that is kept of its memory, but for `told`."""
        return (*self.snapshots, *self.inherited)

    @property
    def told_bytes(self) -> int:
        """How much the kernel told of it."""
        return sum(map(len, self.told))

    def cool_down(self) -> None:
        """Keep only what cannot be had again."""
        self.known.clear()
        self.files.clear()
        for seen in self._views():
            seen.maps.forget()

    def _views(self) -> Iterator[Snapshot]:
        """What is known, the latest first."""
        if self.has_ended and self.told:
            yield self.as_told()
        yield from self.snapshots
        if not self.has_ended and self.told:
            yield self.as_told()
        yield from self.inherited

    @property
    def compiled_size(self) -> int:
        """Bytes that are kept of what was compiled at run time."""
        return self.perf_map.size if self.perf_map else 0

    def compiled(self, seen: Snapshot, mapping: Mapping, address: int) -> Symbol:
        """A function that was compiled at run time, as the compiler says."""
        if self.perf_map is None:
            self.perf_map = PerfMapFile(seen.root, seen.namespace_pid, seen.uid)
        functions = self.perf_map.read()
        found = functions.lookup(address) if functions else None
        if found is not None:
            name, start = found
            return Symbol(name, address - start, self.perf_map.path)
        start = mapping.start if mapping.path else 0
        return Symbol(None, address - start, mapping.plain_path)
