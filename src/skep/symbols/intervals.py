"""Which of many pieces of memory an address is in.

Kept in arrays: 16 bytes for each piece, where tuples would take 200.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

_MOST_STEPS = 1 << 16
"""Pieces that are looked at for one address.  A few that reach far over very many
others would have all of them looked at, each time."""


class Intervals:
    """Pieces from `starts` to `ends`, which may overlap; `starts` are ascending."""

    __slots__ = ("starts", "ends", "_reach")

    def __init__(self, starts: array[int], ends: array[int]) -> None:
        self.starts = starts
        self.ends = ends
        # The furthest end so far: where it is passed, no earlier piece has an address.
        self._reach = array("Q", accumulate(ends, max))

    def __len__(self) -> int:
        return len(self.starts)

    def having(self, address: int) -> list[int]:
        """The numbers of the pieces that have an address, latest start first; none
        where that takes too long to know."""
        index = bisect_right(self.starts, address) - 1
        last = max(index - _MOST_STEPS, -1)
        found = []
        while index > last and self._reach[index] > address:
            if self.ends[index] > address:
                found.append(index)
            index -= 1
        return [] if index == last >= 0 else found


def ordered(
    starts: Sequence[int], ends: Sequence[int]
) -> tuple[Sequence[int], Intervals]:
    """Pieces in any order as `Intervals`, and the place of each in what was given.

    Of pieces with the same start the later ones come later.
    """
    order = sorted(range(len(starts)), key=starts.__getitem__)
    return array("I", order), Intervals(
        array("Q", map(starts.__getitem__, order)),
        array("Q", map(ends.__getitem__, order)),
    )
