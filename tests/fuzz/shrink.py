"""Smaller cases that fail in the same way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Callable, Optional

Attempt = Callable[[Sequence[int]], Optional[Sequence[int]]]
"""Makes a case of choices: those that it really took if it fails, else None."""

_BLOCKS = (128, 32, 16, 8, 4, 3, 2, 1)


def shrunk(made: Sequence[int], attempt: Attempt, seconds: float) -> list[int]:
    """The shortest, then lowest list of choices that was found in this time.

    It fails as `made` does, from which it starts.
    """
    search = _Search(made, attempt, time.monotonic() + seconds)
    before: list[int] = []
    while search.best != before and not search.is_over():
        before = search.best
        for size in _BLOCKS:
            search.remove(size)
        search.lower()
    return search.best


class _Search:
    def __init__(self, made: Sequence[int], attempt: Attempt, deadline: float) -> None:
        self.best = list(made)
        self._attempt = attempt
        self._deadline = deadline

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._deadline

    def remove(self, size: int) -> None:
        """Leave blocks of choices out, from the end to the front."""
        at = len(self.best) - size
        while at >= 0 and not self.is_over():
            self._try([*self.best[:at], *self.best[at + size :]])
            at = min(at, len(self.best)) - size

    def lower(self) -> None:
        """Lower each choice as far as it goes."""
        for at in reversed(range(len(self.best))):
            low, middle = 0, 0
            while at < len(self.best) and low < self.best[at] and not self.is_over():
                if not self._try([*self.best[:at], middle, *self.best[at + 1 :]]):
                    low = middle + 1
                if at < len(self.best):
                    middle = (low + self.best[at]) // 2

    def _try(self, changed: Sequence[int]) -> bool:
        taken = self._attempt(changed)
        if taken is None or (len(taken), list(taken)) >= (len(self.best), self.best):
            return False
        self.best = list(taken)
        return True
