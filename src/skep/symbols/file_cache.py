"""The symbols of the files of all processes, each loaded once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Callable

from skep.errors import SkepError
from skep.symbols import vdso
from skep.symbols.elf import Elf
from skep.symbols.library import open_mapped
from skep.symbols.maps import VDSO
from skep.symbols.object_file import ObjectFile
from skep.symbols.processes import Identity, Mapping
from skep.symbols.snapshot import Snapshot

_MOST_HELD = 256
_MOST_LOST = 256
_MOST_BYTES = 256 << 20
"""Memory for symbols; a million of them take some 100 MB, most of it their names."""

Stamp = tuple[int, int, int, int]
"""Device, inode, size and time of change: an inode's number is soon used again."""


class FileCache:
    """Loads files when they are needed; holds open what will be out of reach.

    In the long run files are many: what was used longest ago makes room, of the symbols
    above `most` bytes and of files that are held.  Then `dropped` is called, as nobody
    else shall keep the symbols.
    """

    def __init__(self, dropped: Callable[[], None], most: int = _MOST_BYTES) -> None:
        self._dropped = dropped
        self._most = most
        self._bytes = 0
        self._files: dict[Stamp, ObjectFile] = {}
        self._latest: dict[Identity, Stamp] = {}
        self._held: dict[Identity, Elf] = {}
        self._lost: dict[tuple[Identity, str], str] = {}
        self._vdso: dict[int, ObjectFile | None] = {}

    def get(
        self, process: Snapshot, mapping: Mapping, has_ended: bool
    ) -> ObjectFile | None:
        """The file of a mapping, or the vdso; None if it cannot be read."""
        if mapping.path == VDSO:
            return self._vdso_of(mapping)
        stamp = None if has_ended else _stamp(mapping.opened_by())
        stamp = stamp or self._latest.get(mapping.file)
        found = self._files.pop(stamp, None) if stamp else None
        if stamp and found:
            self._files[stamp] = found  # the last is the latest
            return found
        if (mapping.file, mapping.path) in self._lost:
            return None
        return self._load(process, mapping, has_ended)

    def _load(
        self, process: Snapshot, mapping: Mapping, has_ended: bool
    ) -> ObjectFile | None:
        try:
            elf = self._held.pop(mapping.file, None)
            elf = elf or open_mapped(mapping, process.root, has_ended)
        except OSError as error:
            self._lose(mapping, f"cannot open {mapping.plain_path}: {error.strerror}")
            return None
        except SkepError as error:
            self._lose(mapping, error.diagnostic.message)
            return None
        with elf:
            status = os.fstat(elf.fd)
            found = ObjectFile(elf, "/" if has_ended else process.root)
        self._keep(mapping.file, _stamp_of(status), found)
        return found

    def _keep(self, identity: Identity, stamp: Stamp, found: ObjectFile) -> None:
        before = self._files.pop(stamp, None)
        self._bytes += found.size - (before.size if before else 0)
        self._files[stamp] = found
        self._latest[identity] = stamp
        if self._bytes <= self._most:
            return
        while self._bytes > self._most and len(self._files) > 1:
            oldest = next(iter(self._files))
            self._bytes -= self._files.pop(oldest).size
        kept = self._latest.items()
        self._latest = {file: each for file, each in kept if each in self._files}
        self._dropped()

    def _lose(self, mapping: Mapping, problem: str) -> None:
        if len(self._lost) >= _MOST_LOST:
            del self._lost[next(iter(self._lost))]
        self._lost[mapping.file, mapping.path] = problem

    def _vdso_of(self, mapping: Mapping) -> ObjectFile | None:
        size = mapping.end - mapping.start
        if size not in self._vdso:
            try:
                self._vdso[size] = ObjectFile(vdso.image(mapping))
            except (OSError, SkepError):
                self._vdso[size] = None
        return self._vdso[size]

    def hold(self, process: Snapshot) -> None:
        """Keep open those files of a process that only it can lead to.

        That are deleted ones, and those of other mount namespaces.
        """
        if process.root == "/" and b" (deleted)\n" not in process.maps.content:
            return
        for mapping in process.maps.files:
            is_known = mapping.file in self._latest or mapping.file in self._held
            if is_known or _is_ours(mapping):
                continue
            try:
                held = open_mapped(mapping, process.root)
            except (OSError, SkepError):
                continue  # it is said when its symbols are wanted
            if len(self._held) >= _MOST_HELD:
                self._held.pop(next(iter(self._held))).close()
            self._held[mapping.file] = held

    @property
    def problems(self) -> Iterator[str]:
        """Why symbols of files are unknown."""
        yield from self._lost.values()
        for each in self._files.values():
            if each.problem:
                yield each.problem

    def close(self) -> None:
        """Let go of the files that are held."""
        while self._held:
            self._held.popitem()[1].close()


def _stamp(path: str) -> Stamp | None:
    try:
        return _stamp_of(os.stat(path))
    except OSError:
        return None


def _stamp_of(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _is_ours(mapping: Mapping) -> bool:
    """Whether the path leads to the same file in this process's mount namespace."""
    theirs = _stamp(mapping.opened_by())
    return theirs is not None and theirs == _stamp(mapping.path)
