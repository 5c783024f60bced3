"""Order and number of rows: `--sort` and `--limit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skep.errors import UsageError
from skep.fields.base import Context
from skep.output.record_types import RecordType


class Ranking:
    """The first `limit` rows by one member's value; None means all.

    `sort` is the name of a member or column, smallest first; with "-" in front the
    largest comes first.  Rows are tuples of raw values (the form "raw").  Equal rows
    stay in the order in which they came.  `key` gives what a row is sorted by.  Raises
    UsageError for what rows cannot be sorted by.
    """

    __slots__ = ("_is_descending", "_limit", "_rows", "key")

    def __init__(
        self, record: RecordType, context: Context, sort: str, limit: int | None
    ) -> None:
        self._is_descending = sort.startswith("-")
        member = record.member(sort[self._is_descending :], context)
        if not member.field.has_order:
            raise UsageError(f"--sort: {member.name} has no order")
        names = [each.name for each in record.members]
        self.key = _sort_key(names.index(member.name))
        self._limit = limit
        self._rows: list[Sequence[Any]] = []

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take more rows; those that cannot be among the first are dropped."""
        self._rows += rows
        # Sorting at every doubling keeps memory within a factor of the limit.
        if self._limit is not None and len(self._rows) > 2 * self._limit + 1000:
            self._sort()

    def take(self) -> list[Sequence[Any]]:
        """The rows in order, and start anew."""
        self._sort()
        rows, self._rows = self._rows, []
        return rows

    def _sort(self) -> None:
        self._rows.sort(key=self.key, reverse=self._is_descending)
        if self._limit is not None:
            del self._rows[self._limit :]


def _sort_key(index: int) -> Callable[[Sequence[Any]], Any]:
    return lambda row: row[index]


def plain_key(value: Any) -> Any:
    """A raw value as JSON has it; bytes become characters in the same order."""
    return value.decode("latin-1") if isinstance(value, bytes) else value
