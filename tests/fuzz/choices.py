"""Numbers by chance, which can be had again, with changes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_CORNERS = (0, 1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535)


class Choices:
    """What a generator asks for all that it decides.

    `made` has its answers, as distances from the lowest number that was possible.
    Given back as `given` they make the same case again; what is left of a changed list
    makes another one, and where it ends everything is as low as possible.
    """

    def __init__(self, seed: object = "", given: Sequence[int] | None = None) -> None:
        self.made: list[int] = []
        self._random = random.Random(str(seed))
        self._given = given

    def number(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        if self._given is None:
            distance = self._random.randrange(high - low + 1)
        elif len(self.made) < len(self._given):
            distance = min(self._given[len(self.made)], high - low)
        else:
            distance = 0
        self.made.append(distance)
        return low + distance

    def one(self, items: Sequence[T]) -> T:
        """One of several, the first being the simplest."""
        return items[self.number(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        """Whether something happens that does so that often; at its simplest, not."""
        return self.number(0, 99) >= 100 - percent

    def word(self, bits: int = 64) -> int:
        """An unsigned number, often one where arithmetic overflows or signs change."""
        half = 1 << (bits - 1)
        kind = self.number(0, 4)
        if kind == 0:
            found = self.one(_CORNERS)
        elif kind == 1:
            found = -self.one(_CORNERS)
        elif kind == 2:
            found = self.one((half, half - 1, half + 1, half >> 1, 2 * half - 1))
        elif kind == 3:
            found = (1 << self.number(0, bits - 1)) - self.number(0, 1)
        else:
            found = self.number(0, 2 * half - 1)
        return found & (2 * half - 1)
