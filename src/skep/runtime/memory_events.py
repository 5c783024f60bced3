"""What code processes map, as the kernel tells it while it happens.

A process that has ended has no /proc/PID/maps any more, and a short-lived one has often
ended before its stacks are looked at.  Perf's own records tell of every mapping, fork
and exec (include/uapi/linux/perf_event.h, enum perf_event_type).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from typing import Union

from skep.named_tuple import NamedTuple
from skep.runtime import cpus
from skep.runtime.syscall import perf

PAGES = 64
"""Pages of a CPU's buffer, a power of two: room for some 400 programs to start."""

_CONTROL = struct.Struct("=QQQQ")  # data_head, data_tail, data_offset, data_size
_HEADS = 1024
_TAIL = 1032

_HEADER = struct.Struct("=IHH")  # type, misc, size
_LOST, _COMM, _FORK, _MMAP2 = 2, 3, 7, 10
_EXECUTED = 1 << 13  # PERF_RECORD_MISC_COMM_EXEC
_MAPPED = struct.Struct("=IIQQQIIQQII")
_FORKED = struct.Struct("=IIII")


class Mapped(NamedTuple):
    """A process has mapped a file to run code of it; `line` is what /proc/PID/maps
    says of it."""

    pid: int
    line: bytes


class Forked(NamedTuple):
    """A new process has the mappings of its parent."""

    pid: int
    parent: int


class Executed(NamedTuple):
    """A process runs another program: its mappings are gone."""

    pid: int


MemoryEvent = Union[Mapped, Forked, Executed]


class _Record(NamedTuple):
    """A record of perf; its body ends in the time."""

    kind: int
    misc: int
    body: bytes
    time_ns: int


class MemoryEvents:
    """The events of all CPUs, to be read from time to time; `lost` counts those for
    which there was no room."""

    def __init__(self) -> None:
        self.lost = 0
        self._buffers: list[_Buffer] = []
        try:
            for cpu in cpus.online():
                self._buffers.append(_Buffer(cpu))
        except BaseException:
            self.close()
            raise

    def filenos(self) -> list[int]:
        """Readable when a buffer is half full."""
        return [buffer.fd for buffer in self._buffers]

    def read(self) -> Iterator[MemoryEvent]:
        """What has happened since the last call, in its order."""
        records = [each for buffer in self._buffers for each in buffer.records()]
        records.sort(key=lambda record: record.time_ns)
        for kind, misc, body, _ in records:
            if kind == _LOST:
                self.lost += int(struct.unpack_from("=Q", body, 8)[0])
            event = _event(kind, misc, body)
            if event is not None:
                yield event

    def close(self) -> None:
        """Stop listening."""
        for buffer in self._buffers:
            buffer.close()
        self._buffers = []


def _event(kind: int, misc: int, body: bytes) -> MemoryEvent | None:
    if kind == _MMAP2:
        return _mapped(body)
    if kind == _FORK:
        pid, parent, _, _ = _FORKED.unpack_from(body)
        return Forked(pid, parent) if pid != parent else None
    if kind == _COMM and misc & _EXECUTED:
        return Executed(int(struct.unpack_from("=I", body)[0]))
    return None


def _mapped(body: bytes) -> Mapped:
    pid, _, start, length, offset, major, minor, inode, *_ = _MAPPED.unpack_from(body)
    name = body[_MAPPED.size :].split(b"\0", 1)[0]
    line = b"%x-%x r-xp %08x %02x:%02x %d %s\n" % (
        *(start, start + length, offset, major, minor, inode),
        name.replace(b"\n", rb"\012"),
    )
    return Mapped(pid, line)


class _Buffer:
    """One CPU's event, which counts nothing itself, and its buffer."""

    def __init__(self, cpu: int) -> None:
        self.fd = perf.memory_event_open(cpu, PAGES * mmap.PAGESIZE // 2)
        try:
            size = (1 + PAGES) * mmap.PAGESIZE
            self._memory = mmap.mmap(self.fd, size)
        except BaseException:
            os.close(self.fd)
            raise
        perf.enable(self.fd)

    def records(self) -> Iterator[_Record]:
        """All records; their space is given back."""
        head, tail, offset, size = _CONTROL.unpack_from(self._memory, _HEADS)
        if head == tail:
            return
        start = tail % size
        area = self._memory[offset : offset + size]
        data = (area[start:] + area[:start])[: head - tail]
        struct.pack_into("=Q", self._memory, _TAIL, head)
        position = 0
        while position < len(data):
            kind, misc, length = _HEADER.unpack_from(data, position)
            body = data[position + _HEADER.size : position + length]
            yield _Record(kind, misc, body, int.from_bytes(body[-8:], "little"))
            position += length

    def close(self) -> None:
        self._memory.close()
        os.close(self.fd)
