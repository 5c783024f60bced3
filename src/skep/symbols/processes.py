"""Which files the processes of this machine have mapped as code."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
from collections.abc import Iterator

from skep.named_tuple import NamedTuple

# address           perms offset  dev   inode                      pathname
_MAPPING = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) [r-][w-]x[ps] ([0-9a-f]+) ([0-9a-f:]+) (\d+) *(.*)$",
    re.MULTILINE,
)
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_DELETED = " (deleted)"
# Memory that is no file although it has a name; what perf takes for anonymous.
_NO_FILE = re.compile(
    r"/memfd:|/dev/zero( |$)|/anon_hugepage( |$)|/SYSV[0-9a-f]{8}( |$)|//anon"
)


class Identity(NamedTuple):
    """Which file it is, as /proc/PID/maps tells.

    stat(2) may tell otherwise: overlayfs and btrfs have devices of their own there.
    """

    device: str
    inode: int


class Mapping(NamedTuple):
    """Code in the memory of a process, from `start` to `end`, mostly of a file.

    `offset` is that of `start` in the file; `path` is as the process's mount namespace
    has it, and may be that of another file by now.  Other memory has "" or "[vdso]".
    """

    pid: int
    start: int
    end: int
    offset: int
    file: Identity
    path: str

    @property
    def base(self) -> str:
        """The name of the file without directories."""
        return os.path.basename(self.plain_path)

    @property
    def plain_path(self) -> str:
        """The path, without what the kernel adds if the file was deleted."""
        path = self.path
        return path[: -len(_DELETED)] if path.endswith(_DELETED) else path

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not memory with a name."""
        return self.path.startswith("/") and not _NO_FILE.match(self.path)

    def opened_by(self) -> str:
        """A path that opens the very file, renamed or deleted as it may be.

        It takes CAP_SYS_ADMIN or (5.9) CAP_CHECKPOINT_RESTORE.
        """
        return f"/proc/{self.pid}/map_files/{self.start:x}-{self.end:x}"


def are_others() -> bool:
    """Whether /proc has other numbers of processes than programs of the kernel tell:
    in a pid namespace of one's own, as containers have it."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino != _INITIAL_PID_NAMESPACE
    except OSError:
        return False  # there is no /proc, or the kernel has no namespaces


def mappings(pid: int | str) -> list[Mapping]:
    """The code that a process has mapped from files; OSError if it is gone."""
    with open(f"/proc/{pid}/maps", "rb") as file:
        content = file.read()
    number = os.getpid() if pid == "self" else int(pid)
    return [each for each in code(number, content) if each.path.startswith("/")]


def code(pid: int, maps: bytes) -> list[Mapping]:
    """All code in the memory of a process, as its /proc/PID/maps has it."""
    return [_mapping(pid, match) for match in _MAPPING.finditer(maps)]


def _mapping(pid: int, match: re.Match[bytes]) -> Mapping:
    start, end, offset = (int(match[group], 16) for group in (1, 2, 3))
    file = Identity(match[4].decode(), int(match[5]))
    # The kernel writes newlines in names as \012.
    path = os.fsdecode(match[6].replace(rb"\012", b"\n"))
    return Mapping(pid, start, end, offset, file, path)


def every_mapping(name: re.Pattern[str]) -> Iterator[Mapping]:
    """The first mapping of each file with a matching name, in any process.

    Processes that end meanwhile, or that may not be looked at, have none.
    """
    seen: set[Identity] = set()
    for pid in _pids():
        try:
            mapped = mappings(pid)
        except OSError:
            continue
        for mapping in mapped:
            if mapping.file not in seen and name.fullmatch(mapping.base):
                seen.add(mapping.file)
                yield mapping


def _pids() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def identity(fd: int) -> Identity | None:
    """Which file a descriptor is of, in the terms of /proc/PID/maps.

    Its first page is mapped and looked up there, but not touched: that the file can
    become shorter is of no consequence.
    """
    length = min(mmap.PAGESIZE, os.fstat(fd).st_size)
    memory = mmap.mmap(fd, length, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    try:
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        with open("/proc/self/maps", "rb") as file:
            content = file.read()
    finally:
        memory.close()
    pattern = rb"(?m)^%08x-\S+ \S+ \S+ ([0-9a-f:]+) (\d+)" % start
    found = re.search(pattern, content)
    return Identity(found[1].decode(), int(found[2])) if found else None
