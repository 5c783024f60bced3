"""What addresses of the kernel and of processes are called.

Nothing is guessed: an address that is in no function, as far as is known, has no name,
and `Symbols.problems` tells why files and processes could not be read.

A process must be seen before it ends.  `Symbols.remember` keeps what is needed, cheaply
enough to be called for every event; `refresh`, before each report, lets changes be seen
(libraries that were loaded, an exec, code that was compiled, another process with the
same number).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from skep.symbols import snapshot
from skep.symbols.file_cache import FileCache
from skep.symbols.kernel import KernelSymbols
from skep.symbols.maps import may_be_compiled
from skep.symbols.perf_map import PerfMapFile
from skep.symbols.processes import Mapping
from skep.symbols.snapshot import Snapshot
from skep.symbols.symbol import Symbol

_MOST_PROCESSES = 10_000
_MOST_KNOWN = 100_000
_MOST_SNAPSHOTS = 4
_SOON_S = 0.02


class Symbols:
    """Looks up addresses; keeps the symbols of files for all processes."""

    def __init__(self, kernel: KernelSymbols | None = None) -> None:
        self._kernel = kernel or KernelSymbols()
        self._files = FileCache()
        self._processes: dict[int, _Process] = {}
        self._gone: dict[str, None] = {}
        self._epoch = 0

    def kernel(self, address: int) -> Symbol:
        """What an address of the kernel is called."""
        return self._kernel.lookup(address)

    def user(self, pid: int, address: int) -> Symbol:
        """What an address in a process is called; `pid` is that of the process."""
        process = self._processes.get(pid) or self._new(pid)
        if process.epoch != self._epoch:
            process.epoch = self._epoch
            self._look_again(process)
        known = process.known.get(address)
        if known is None:
            if len(process.known) >= _MOST_KNOWN:
                process.known.clear()
            known = process.known[address] = self._lookup(process, address)
        return known

    def remember(self, pid: int) -> None:
        """Keep what is needed to look up addresses of a process once it has ended.

        To be called whenever something is heard of it: young processes still load
        libraries, so they are looked at again, less and less often.
        """
        process = self._processes.get(pid)
        if process is None:
            self._new(pid).is_current = False
        elif time.monotonic() >= process.due:
            self._look_again(process)
            process.is_current = False

    def refresh(self) -> None:
        """Let what has changed in processes be seen."""
        self._epoch += 1

    def problems(self) -> list[str]:
        """Why addresses are unknown, as far as there are reasons; each one once."""
        return list(dict.fromkeys(self._reasons()))

    def _reasons(self) -> Iterator[str]:
        if self._kernel.has_been_asked and self._kernel.problem:
            yield self._kernel.problem
        yield from self._gone
        yield from self._files.problems
        for process in self._processes.values():
            if process.perf_map and process.perf_map.problem:
                yield process.perf_map.problem

    def close(self) -> None:
        """Let go of open files."""
        self._files.close()

    # Processes.

    def _new(self, pid: int) -> _Process:
        if len(self._processes) >= _MOST_PROCESSES:
            del self._processes[next(iter(self._processes))]
        process = self._processes[pid] = _Process(pid, self._epoch)
        self._look_again(process)
        if not process.snapshots and len(self._gone) < _MOST_KNOWN:
            self._gone[process.problem] = None
        return process

    def _look_again(self, process: _Process) -> None:
        if process.look():
            self._files.hold(process.snapshots[0])

    def _lookup(self, process: _Process, address: int) -> Symbol:
        found = process.find(address)
        if found is None and not process.is_current:
            self._look_again(process)
            found = process.find(address)
        if found is None:
            return Symbol(None, address)
        return self._in_mapping(process, *found, address)

    def _in_mapping(
        self, process: _Process, seen: Snapshot, mapping: Mapping, address: int
    ) -> Symbol:
        if may_be_compiled(mapping):
            return process.compiled(seen, mapping, address)
        file = self._files.get(seen, mapping, process.has_ended)
        offset = address - mapping.start + mapping.offset
        if file is None:
            return Symbol(None, offset, mapping.plain_path)
        name, distance = file.lookup(file.address_of(offset))
        return Symbol(name, distance, mapping.plain_path)


class _Process:
    """A process, as it was seen at several times, the latest first.

    `epoch` is when it was asked for last, and `due` when `Symbols.remember` is to look
    again (time.monotonic).  `is_current` says that it was looked at in this epoch
    because an address was unknown.
    """

    def __init__(self, pid: int, epoch: int) -> None:
        self.pid = pid
        self.epoch = epoch
        self.known: dict[int, Symbol] = {}
        self.snapshots: list[Snapshot] = []
        self.has_ended = False
        self.is_current = False
        self.perf_map: PerfMapFile | None = None
        self.problem = ""
        self._first = self.due = time.monotonic()

    def look(self) -> bool:
        """Look at it now; whether anything is new."""
        now = time.monotonic()
        self.due = now + max(now - self._first, _SOON_S)
        self.is_current = True
        if self.perf_map:
            self.known.clear()
        try:
            seen = snapshot.take(self.pid)
        except OSError as error:
            self.has_ended = True
            self.problem = (
                f"no permission to look into process {self.pid}"
                if isinstance(error, PermissionError)
                else f"process {self.pid} ended before its memory map was read"
            )
            return False
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

    def find(self, address: int) -> tuple[Snapshot, Mapping] | None:
        """The mapping of an address; one that is gone if there is no other."""
        for seen in self.snapshots:
            mapping = seen.maps.find(address)
            if mapping is not None:
                return seen, mapping
        return None

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
