"""Which code of a process an address is in."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from functools import cached_property

from skep.symbols.intervals import Intervals, ordered
from skep.symbols.processes import Mapping, code

VDSO = "[vdso]"

_NEVER_WRITTEN = frozenset((VDSO, "[vsyscall]", "[uprobes]", "[sigpage]", "[vectors]"))
_PLACE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) ", re.MULTILINE)
_CODE_LINE = re.compile(rb"^[0-9a-f]+-[0-9a-f]+ ..x.*\n", re.MULTILINE)


class MemoryMap:
    """The executable mappings of a process, each parsed when it is looked for.

    `content` is what /proc/PID/maps said.  Only lines of code are kept, a tenth.  Of
    mappings of the same place, which only a history has, the first is meant.
    """

    def __init__(self, pid: int, content: bytes) -> None:
        self.pid = pid
        self.content = b"".join(_CODE_LINE.findall(content))

    def forget(self) -> None:
        """Parse it again when it is asked."""
        self.__dict__.pop("_parsed", None)

    def find(self, address: int) -> Mapping | None:
        """The mapping that has an address; None if no code is there."""
        order, places, lines = self._parsed
        found = [order[index] for index in places.having(address)]
        if not found:
            return None
        start = lines[min(found)]
        line = self.content[start : self.content.index(b"\n", start) + 1]
        return next(iter(code(self.pid, line)), None)

    def named(self, name: str) -> Mapping | None:
        """The first mapping of that name, such as "[vdso]"."""
        return next((each for each in self._mappings if each.path == name), None)

    @property
    def files(self) -> Sequence[Mapping]:
        """The mappings of files."""
        return [each for each in self._mappings if each.is_file]

    @property
    def _mappings(self) -> Sequence[Mapping]:
        return code(self.pid, self.content)

    @cached_property
    def _parsed(self) -> tuple[Sequence[int], Intervals, Sequence[int]]:
        """The order by address, the places, and where in the content their lines are:
        mappings themselves would take 500 bytes each."""
        starts, ends, lines = array("Q"), array("Q"), array("Q")
        for found in _PLACE.finditer(self.content):
            starts.append(int(found[1], 16))
            ends.append(int(found[2], 16))
            lines.append(found.start())
        return (*ordered(starts, ends), lines)


def may_be_compiled(mapping: Mapping) -> bool:
    """Whether code can have been made at run time there."""
    return not mapping.is_file and mapping.path not in _NEVER_WRITTEN
