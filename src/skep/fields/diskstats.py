"""Names of block devices by device number."""

from __future__ import annotations

DISKSTATS = "/proc/diskstats"

MINOR_BITS = 20
"""The kernel's own dev_t is major << 20 | minor (include/linux/kdev_t.h)."""


class Disks:
    """The block devices of /proc/diskstats, read when first asked for.

    Raises OSError where the file cannot be read.
    """

    __slots__ = ("_names", "_path")

    def __init__(self, path: str = DISKSTATS) -> None:
        self._path = path
        self._names: dict[int, str] | None = None

    def names(self) -> dict[int, str]:
        """Device number (major << 20 | minor) to name, for all devices."""
        if self._names is None:
            with open(self._path, encoding="utf-8", errors="surrogateescape") as lines:
                self._names = dict(map(_parse, lines))
        return self._names

    def name(self, number: int) -> str:
        """The name of a device ("vda"), or "?" for one that is not listed."""
        try:
            return self.names().get(number, "?")
        except OSError:
            return "?"  # what was measured is shown all the same


def _parse(line: str) -> tuple[int, str]:
    """The fields of a line are major, minor, name, counters... (proc(5))."""
    major, minor, name = line.split(None, 3)[:3]
    return int(major) << MINOR_BITS | int(minor), name
