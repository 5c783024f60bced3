"""Reading a ring buffer to rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Protocol

from skep.errors import InternalError
from skep.fields.base import Context
from skep.output.counters import Counters
from skep.output.decode import decode_function
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.output.unpack import span

BATCH = 1 << 17
"""Bytes of the ring that are decoded at once: this bounds the memory of the rows."""


class Ring(Protocol):
    """What a decoder needs of `skep.runtime.ring.RingBuffer`."""

    def pending(self) -> tuple[Any, int, int]:
        """The data area (an mmap or bytes), the reader's and producers' positions."""

    def release(self, position: int) -> None:
        """Give the space before `position` back to the producers."""


class Decoder:
    """The records of a ring buffer as rows of one form.

    Forms are the keys of `skep.output.decode.FORMS`; `counters` has what was lost or
    cut on the way.
    """

    def __init__(
        self,
        records: Sequence[RecordType],
        form: str,
        context: Context,
        filters: Sequence[Filter] = (),
    ) -> None:
        self.counters = Counters()
        self._decode = decode_function(records, form, context, filters)
        self._span = max(span(record.layout) for record in records)

    def drain(self, ring: Ring, take: Callable[[list[Any]], None]) -> None:
        """Pass the rows of all records that are pending now to `take`, in batches.

        Records that arrive meanwhile are left for the next call, as is one that is
        still being written, with those behind it.  The space of a batch is released
        before its rows are taken.
        """
        data, position, end = ring.pending()
        while position < end:
            rows: list[Any] = []
            reached = self.read(data, position, end, rows)
            if reached == position:
                break
            ring.release(reached)
            position = reached
            take(rows)

    def read(self, data: Any, position: int, end: int, rows: list[Any]) -> int:
        """Append the rows of one batch to `rows`; return the position after it.

        `data` is the whole data area, its size a power of two; its slices must be
        bytes, as those of an mmap are.  Positions count from the ring's creation.
        """
        size = len(data)
        offset = position & size - 1
        safe = size - self._span  # records that start before it do not wrap
        if offset < safe:
            stop = min(offset + end - position, safe, offset + BATCH)
            reached = self._decode(data, offset, stop, rows, self.counters)
            if reached > size:
                raise _too_long()
            return position + reached - offset
        joined = data[offset:] + data[: self._span]
        stop = min(end - position, size - offset)
        reached = self._decode(joined, 0, stop, rows, self.counters)
        if reached > len(joined):
            raise _too_long()
        return position + int(reached)


def _too_long() -> InternalError:
    return InternalError("a record in the ring is longer than its layout allows")
