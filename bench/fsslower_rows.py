"""Known operations on files, and the rows that fsslower tools make of them."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from typing import NamedTuple

# bcc's rows have at most 31 bytes of a name.
_LONGEST_OF_BCC = 31

_FILES = ("f", "data.db", "n" * _LONGEST_OF_BCC)
_READS = 101
_WRITES = 53
_SYNCS = 17

_ROW = re.compile(
    r"^\d\d:\d\d:\d\d .{14} \d+ +([A-Z]) (-?\d+) +(-?\d+) +\d+\.\d\d (.*)$",
    re.MULTILINE,
)


class Row(NamedTuple):
    """What a row says but for the times and the process, in its columns' order."""

    kind: str
    size: int
    offset_kib: int
    name: str


def parse(output: bytes) -> list[Row]:
    """The rows in the output of a tool."""
    found = _ROW.findall(output.decode(errors="replace"))
    return [Row(kind, int(size), int(kib), name) for kind, size, kib, name in found]


def ordinary(directory: str) -> list[Row]:
    """Prime numbers of opens, writes, reads and syncs of each file; their rows."""
    rows = []
    for name in _FILES:
        rows += _use(os.path.join(directory, name), name)
    return rows


def _use(path: str, name: str) -> list[Row]:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    rows = [Row("O", 0, 0, name)]
    position = 0
    for number in range(_WRITES):
        size = os.write(file, bytes(1009 + number))
        rows.append(Row("W", size, position >> 10, name))
        position += size
        if number < _SYNCS:
            os.fsync(file)
            rows.append(Row("S", 0, 0, name))
    for number in range(_READS):
        offset = number * 499
        size = len(os.pread(file, 601 + number, offset))
        rows.append(Row("R", size, offset >> 10, name))
    os.close(file)
    return rows


def unusual(directory: str) -> list[Row]:
    """A long name, an append, a failing read, a far offset; their rows.

    They are skep's: an append is where it wrote to, and an error is negative. bcc cuts
    the name, has another place, and an error near 2**32.
    """
    long = "l" * 100
    rows = [Row("O", 0, 0, long), Row("W", 7000, 0, long)]
    path = os.path.join(directory, long)
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
    os.write(file, bytes(7000))
    rows.append(Row("W", os.write(file, bytes(13)), 7000 >> 10, long))
    os.close(file)
    file = os.open(path, os.O_RDWR | os.O_DIRECT)
    rows.append(Row("O", 0, 0, long))
    far = 5 << 40
    rows.append(Row("R", len(os.pread(file, 0, far)), far >> 10, long))
    with suppress(OSError):  # EINVAL: not aligned
        os.pread(file, 100, 1)
    rows.append(Row("R", -errno.EINVAL, 0, long))
    os.close(file)
    return rows
