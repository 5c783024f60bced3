"""Functions that were compiled at run time, by the files that JIT compilers write.

/tmp/perf-PID.map has a line for each function: start and size in hexadecimal, and its
name, which may have blanks.  Memory is used again, so later lines are right.

Source: tools/perf/Documentation/jit-interface.txt
"""

from __future__ import annotations

import os
import re
import stat
import time
from array import array

from skep.symbols.intervals import ordered
from skep.symbols.library import within

_LARGEST = 64 << 20
_LINE = re.compile(
    rb"^(?:0x)?([0-9a-fA-F]{1,16}) (?:0x)?([0-9a-fA-F]{1,16}) ([^\n]+)$", re.MULTILINE
)
_END = (1 << 64) - 1
_LONG_S, _REST = 0.1, 4
"""A file that takes long to read, and changes while it is read, shall not take all the
time: it is read again after four times as long."""


class PerfMap:
    """The functions in one such file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        starts, ends = array("Q"), array("Q")
        names, name_ends = array("Q"), array("Q")
        for line in _LINE.finditer(content):
            start = int(line[1], 16)
            starts.append(start)
            ends.append(min(start + int(line[2], 16), _END))
            names.append(line.start(3))
            name_ends.append(line.end(3))
        self._order, self._places = ordered(starts, ends)
        self._names = names, name_ends

    def __len__(self) -> int:
        return len(self._order)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return len(self._content) + 44 * len(self)

    def lookup(self, address: int) -> tuple[str, int] | None:
        """The function at an address that was compiled last, and where it starts."""
        lines = {self._order[i]: i for i in self._places.having(address)}
        if not lines:
            return None
        line = max(lines)
        name = self._content[self._names[0][line] : self._names[1][line]]
        start = self._places.starts[lines[line]]
        return name.decode("utf-8", "surrogateescape"), start


class PerfMapFile:
    """The file of one process, read again when it has changed.

    `pid` is the process's number in its own namespace, and `root` shows its files.
    What is believed are files of root or of the process's user (`uid`): anybody can
    write to /tmp.
    """

    def __init__(self, root: str, pid: int, uid: int) -> None:
        self._root, self._uid = root, uid
        self.path = f"/tmp/perf-{pid}.map"
        self._map: PerfMap | None = None
        self._state: tuple[int, ...] = ()
        self._due = 0.0
        self.problem = ""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return self._map.size if self._map else 0

    def forget(self) -> None:
        """Read it again when it is asked for."""
        self._map, self._state, self._due = None, (), 0.0

    def read(self) -> PerfMap | None:
        """What the file has now; what it had, if it is gone; None if there is none."""
        try:
            descriptor = self._open()
        except OSError:
            return self._map
        try:
            status = os.fstat(descriptor)
            self.problem = self._refusal(status)
            state = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
            now = time.monotonic()
            if not self.problem and state != self._state and now >= self._due:
                self._map = PerfMap(_content(descriptor, status.st_size))
                self._state = state
                took = time.monotonic() - now
                self._due = now + _REST * took if took > _LONG_S else 0.0
        finally:
            os.close(descriptor)
        return self._map

    def _open(self) -> int:
        directory = within(self._root, os.path.dirname(self.path))
        path = f"{directory}/{os.path.basename(self.path)}"
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        return os.open(path, flags | os.O_NOFOLLOW)

    def _refusal(self, status: os.stat_result) -> str:
        if not stat.S_ISREG(status.st_mode):
            return f"{self.path} is no regular file"
        if status.st_uid not in (0, self._uid):
            return f"{self.path} belongs to user {status.st_uid}, not to the process's"
        if status.st_size > _LARGEST:
            return f"{self.path} is too large to read"
        return ""


def _content(descriptor: int, size: int) -> bytes:
    """The whole lines of a file that may be growing."""
    parts, position = [], 0
    while position < size:
        part = os.pread(descriptor, size - position, position)
        if not part:
            break
        parts.append(part)
        position += len(part)
    content = b"".join(parts)
    return content[: content.rfind(b"\n") + 1]
