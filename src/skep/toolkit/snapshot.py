"""What histograms and tables have counted: what reports show and recordings keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.named_tuple import NamedTuple

Rows = list[Sequence[Any]]
"""Raw values of a key, and its counts behind them: the sums of a table; or the counters
of a histogram by slot and, if it keeps it, the sum of the values."""


class Snapshot(NamedTuple):
    """What was counted since the one before, read at a time (since the Unix epoch).

    `rows` are those of each table and histogram, by its name.
    """

    time_ns: int
    rows: Mapping[str, Rows]


class Sums:
    """The counts of all snapshots so far; rows begin with `keys` values of the key."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._sums: dict[Sequence[Any], Sequence[int]] = {}

    def added(self, rows: Rows) -> Rows:
        """The rows of a snapshot and of those before it."""
        for row in rows:
            key, new = row[: self._keys], row[self._keys :]
            before = self._sums.get(key, (0,) * len(new))
            self._sums[key] = tuple(map(sum, zip(before, new)))
        return [(*key, *sums) for key, sums in self._sums.items()]
