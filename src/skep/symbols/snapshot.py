"""What must be known of a process before it ends, for its addresses to be looked up.

Taking it costs four small reads of /proc, and nothing is parsed before it is needed.
"""

from __future__ import annotations

import os
import re

from skep.named_tuple import NamedTuple
from skep.symbols.maps import MemoryMap

# The effective user, and the number in the innermost namespace.
_STATUS = re.compile(rb"\nUid:\t\d+\t(\d+).*?\nNSpid:[\d\t]*?(\d+)\n", re.DOTALL)


class Snapshot(NamedTuple):
    """A process as it was at some time.

    `started` tells it from others that had the same number: clock ticks since boot.
    `root` is where its files are seen, "/" or /proc/PID/root.  `uid` is its effective
    user, and `namespace_pid` its number in its own pid namespace.
    """

    pid: int
    started: int
    root: str
    uid: int
    namespace_pid: int
    maps: MemoryMap


def take(pid: int) -> Snapshot:
    """What is known of a process now.  Raises OSError if it is gone or out of reach."""
    started = start_time(pid)
    maps = MemoryMap(pid, _content(pid, "maps"))
    found = _STATUS.search(_content(pid, "status"))
    uid, number = (int(found[1]), int(found[2])) if found else (-1, pid)
    return Snapshot(pid, started, root_of(pid), uid, number, maps)


def _content(pid: int, name: str) -> bytes:
    parts: list[bytes] = []
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        while True:
            part = file.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)


def start_time(pid: int) -> int:
    """When a process was started, in clock ticks since boot.

    Source: proc_pid_stat(5), field 22; the name before it may have blanks.
    Raises OSError if there is no such process.
    """
    content = _content(pid, "stat")
    return int(content[content.rfind(b")") + 2 :].split(None, 20)[19])


def root_of(pid: int) -> str:
    """Where the files of a process are: "/" if it has the same as this one."""
    try:
        for name in ("ns/mnt", "root"):
            other = os.stat(f"/proc/{pid}/{name}")
            own = os.stat(f"/proc/self/{name}")
            if (other.st_dev, other.st_ino) != (own.st_dev, own.st_ino):
                return f"/proc/{pid}/root"
    except OSError:
        pass  # it has ended, or is another user's; most have the files of all
    return "/"
