"""Which code of a process an address is in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from skep.symbols.intervals import Intervals, ordered
from skep.symbols.processes import Mapping, code

VDSO = "[vdso]"

_NEVER_WRITTEN = frozenset((VDSO, "[vsyscall]", "[uprobes]", "[sigpage]", "[vectors]"))
_CODE_LINE = re.compile(rb"^[0-9a-f]+-[0-9a-f]+ ..x.*\n", re.MULTILINE)


class MemoryMap:
    """The executable mappings of a process, parsed when the first one is looked for.

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
        order, places, mappings = self._parsed
        found = [order[index] for index in places.having(address)]
        return mappings[min(found)] if found else None

    def named(self, name: str) -> Mapping | None:
        """The first mapping of that name, such as "[vdso]"."""
        return next((each for each in self._parsed[2] if each.path == name), None)

    @property
    def files(self) -> Sequence[Mapping]:
        """The mappings of files."""
        return [each for each in self._parsed[2] if each.is_file]

    @cached_property
    def _parsed(self) -> tuple[Sequence[int], Intervals, Sequence[Mapping]]:
        mappings = code(self.pid, self.content)
        starts = [each.start for each in mappings]
        return (*ordered(starts, [each.end for each in mappings]), mappings)


def may_be_compiled(mapping: Mapping) -> bool:
    """Whether code can have been made at run time there."""
    return not mapping.is_file and mapping.path not in _NEVER_WRITTEN
