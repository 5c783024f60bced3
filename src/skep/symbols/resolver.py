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

from skep.symbols import processes, snapshot
from skep.symbols.file_cache import FileCache
from skep.symbols.kernel import KernelSymbols
from skep.symbols.maps import may_be_compiled
from skep.symbols.process import Process
from skep.symbols.processes import Mapping
from skep.symbols.snapshot import Snapshot
from skep.symbols.symbol import Symbol

_SIGNAL_RETURNS = ("__restore_rt", "__kernel_rt_sigreturn", "__restore")
_MOST_PROCESSES = 10_000
_MOST_MAPS = 128 << 20
"""Bytes of memory maps that are kept.  Of most processes it is 3 KB, but anybody can
have 65,000 mappings with names of 4 KB."""
_MOST_WARM = 512
"""Processes whose mappings are kept parsed."""
_MOST_KNOWN = 100_000
"""Addresses of all processes whose names are kept."""
_MOST_COMPILED = 256 << 20
"""Bytes of files of JIT compilers that are kept, of all processes."""


class Symbols:
    """Looks up addresses; keeps the symbols of files for all processes."""

    def __init__(self, kernel: KernelSymbols | None = None) -> None:
        self._kernel = kernel or KernelSymbols()
        self.is_blind = processes.are_others()
        self._files = FileCache(self._forget_files)
        self._known = 0
        self._added = 0  # bytes of memory maps, of which some are gone
        self._processes: dict[int, Process] = {}
        self._warm: dict[int, Process] = {}  # the last is the latest
        self._unseen: dict[str, list[int]] = {}
        self._epoch = 0

    def kernel(self, address: int) -> Symbol:
        """What an address of the kernel is called."""
        return self._kernel.lookup(address)

    def user(self, pid: int, address: int) -> Symbol:
        """What an address in a process is called; `pid` is that of the process.

        Nothing at all where /proc would tell of another one (`is_blind`).
        """
        if self.is_blind:
            return Symbol(None, address)
        process = self._processes.get(pid) or self._new(pid)
        if process.epoch != self._epoch:
            process.epoch = self._epoch
            if time.monotonic() >= process.rests_until:
                self._look_again(process)
            else:
                process.is_current = False
        known = process.known.get(address)
        if known is None:
            self._known += 1
            if self._known > _MOST_KNOWN:
                self._forget_names()
            known = process.known[address] = self._lookup(process, address)
        return known

    def caller(self, pid: int, address: int) -> Symbol:
        """What a return address belongs to, in a process or, if `pid` is 0, the kernel.

        A call that never returns can be the last instruction of a function; the address
        after it is then no part of it, or of another one.
        """
        found = self.user(pid, address) if pid else self.kernel(address)
        if address and (found.name is None or not found.offset):
            if found.name in _SIGNAL_RETURNS:
                return found  # nobody has called it
            before = self.user(pid, address - 1) if pid else self.kernel(address - 1)
            if before.name is not None:
                return before._replace(offset=before.offset + 1)
        return found

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

    def mapped(self, pid: int, line: bytes) -> None:
        """The kernel tells of code that a process maps, as a line of /proc/PID/maps.

        What it tells is needed only of processes that end before they are looked at.
        """
        process = self._processes.get(pid) or self._add(pid)
        if not process.told and not process.inherited:
            process.root = snapshot.root_of(pid)
        process.tell(line)
        self._count_maps(process, len(line))
        if process.root != "/":
            self._files.hold(process.told_by((line,)))

    def forked(self, pid: int, parent: int) -> None:
        """The kernel tells of a new process, with what its parent has mapped."""
        known = self._processes.get(parent)
        child = self._add(pid)
        if known is not None:
            child.inherited = known.views()
            child.root = known.root

    def executed(self, pid: int) -> None:
        """The kernel tells that a process runs another program now."""
        process = self._processes.get(pid)
        if process is not None:
            process.leave_program()

    def refresh(self) -> None:
        """Let what has changed in processes be seen."""
        self._epoch += 1

    def problems(self) -> list[str]:
        """Why addresses are unknown, as far as there are reasons; each one once."""
        return list(dict.fromkeys(self._reasons()))

    def kernel_problem(self) -> str:
        """Why addresses of the kernel are unknown, if any was looked up."""
        return self._kernel.problem if self._kernel.has_been_asked else ""

    def _reasons(self) -> Iterator[str]:
        if self.kernel_problem():
            yield self.kernel_problem()
        for problem, pids in self._unseen.items():
            others = f" and {len(pids) - 1} others" if len(pids) > 1 else ""
            yield f"process {pids[0]}{others}: {problem}"
        yield from self._files.problems
        for process in self._processes.values():
            if process.perf_map and process.perf_map.problem:
                yield process.perf_map.problem

    def close(self) -> None:
        """Let go of open files."""
        self._files.close()

    # Processes.

    def _add(self, pid: int) -> Process:
        """A process not looked at yet; another with the same number is forgotten."""
        self._processes.pop(pid, None)
        if len(self._processes) >= _MOST_PROCESSES:
            del self._processes[next(iter(self._processes))]
        process = self._processes[pid] = Process(pid, self._epoch - 1)
        return process

    def _new(self, pid: int) -> Process:
        process = self._add(pid)
        process.epoch = self._epoch
        self._look_again(process)
        return process

    def _look_again(self, process: Process) -> None:
        if process.look():
            self._files.hold(process.snapshots[0])
            self._count_maps(process, len(process.snapshots[0].maps.content))
        elif process.is_unknown and not process.is_unseen:
            process.is_unseen = True
            pids = self._unseen.setdefault(process.problem, [])
            if len(pids) < _MOST_PROCESSES:
                pids.append(process.pid)

    def _count_maps(self, asked: Process, size: int) -> None:
        """What is known of a process got larger: the oldest ones may have to go."""
        self._added += size
        while self._added > _MOST_MAPS:
            maps = {id(s): s for each in self._processes.values() for s in each.kept()}
            self._added = sum(len(each.maps.content) for each in maps.values())
            self._added += sum(each.told_bytes for each in self._processes.values())
            others = [pid for pid, each in self._processes.items() if each is not asked]
            if self._added <= _MOST_MAPS or not others:
                break
            for pid in others[: len(others) // 4 + 1]:
                del self._processes[pid]
                self._warm.pop(pid, None)

    def _forget_names(self) -> None:
        self._known = 1
        for each in self._processes.values():
            each.known.clear()

    def _forget_files(self) -> None:
        for each in self._processes.values():
            each.files.clear()

    def _forget_compiled(self, asked: Process) -> None:
        """If there is too much of it, of all processes but the one asked for."""
        maps = [each.perf_map for each in self._processes.values() if each.perf_map]
        if sum(each.size for each in maps) > _MOST_COMPILED:
            for each in maps:
                if each is not asked.perf_map:
                    each.forget()

    def _warm_up(self, process: Process) -> None:
        self._warm.pop(process.pid, None)
        if len(self._warm) >= _MOST_WARM:
            self._warm.pop(next(iter(self._warm))).cool_down()
        self._warm[process.pid] = process

    def _lookup(self, process: Process, address: int) -> Symbol:
        self._warm_up(process)
        found = process.find(address)
        if found is None and not process.is_current:
            self._look_again(process)
            found = process.find(address)
        if found is None:
            return Symbol(None, address)
        return self._in_mapping(process, *found, address)

    def _in_mapping(
        self, process: Process, seen: Snapshot, mapping: Mapping, address: int
    ) -> Symbol:
        if may_be_compiled(mapping):
            before = process.compiled_size
            found = process.compiled(seen, mapping, address)
            if process.compiled_size > before:
                self._forget_compiled(process)
            return found
        if mapping not in process.files:
            file = self._files.get(seen, mapping, process.has_ended)
            process.files[mapping] = file
        file = process.files[mapping]
        offset = address - mapping.start + mapping.offset
        if file is None:
            return Symbol(None, offset, mapping.plain_path)
        name, distance = file.lookup(file.address_of(offset))
        return Symbol(name, distance, mapping.plain_path)
