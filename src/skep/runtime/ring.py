"""The reading side of a ring buffer map.

Producers and the reader count bytes in two u64 positions that only grow; the data lies
at position modulo size.  A record is a u32 length (bit 31: still being written, bit 30:
discarded), a u32 for the kernel, and the payload, padded to eight bytes.  A record that
is still being written hides those behind it.

Layout for user space: one page with the reader's position, one with the producers',
and the data, mapped twice in a row so that no record ever seems to wrap.  The second
copy is left out here: its pages would count twice in the process's memory.

Source: struct bpf_ringbuf and bpf_ringbuf_mmap, kernel/bpf/ringbuf.c.
"""

from __future__ import annotations

import mmap
import select

from skep.runtime.maps import Map
from skep.runtime.refusals import refusal

BUSY = 1 << 31
DISCARDED = 1 << 30
HEADER_SIZE = 8
"""Of a record: flags in its first u32, and its size in bytes."""


class RingBuffer:
    """The records of a ring buffer map, in the order in which they were reserved.

    Positions are read and written as single aligned 8-byte accesses: that is what
    indexing a memoryview of "Q" does.  The kernel publishes a record by its header; the
    interpreter runs hundreds of instructions between the load of a header and that of
    the payload, beyond what a CPU reorders, so no barrier is needed.
    """

    def __init__(self, source: Map) -> None:
        self.source = source
        self.size = source.spec.max_entries
        self.mask = self.size - 1
        page = mmap.PAGESIZE
        try:
            # Only the reader's page may be mapped writable.
            self._consumer_page = mmap.mmap(source.fd, page)
            self._producer_page = mmap.mmap(
                source.fd, page, prot=mmap.PROT_READ, offset=page
            )
            self._data = mmap.mmap(
                source.fd, self.size, prot=mmap.PROT_READ, offset=2 * page
            )
        except OSError as error:
            raise refusal(error, f"map the ring {source.spec.name!r}") from error
        self._consumer = memoryview(self._consumer_page).cast("Q")
        self._producer = memoryview(self._producer_page).cast("Q")
        self._epoll: select.epoll | None = None

    def fileno(self) -> int:
        """What becomes readable when there are records."""
        return self.source.fd

    def pending(self) -> tuple[mmap.mmap, int, int]:
        """The data, the reader's position and the producers' position.

        Both positions count from the map's creation: index the data with
        `position & mask`.  Bytes from the first to the second position are records;
        the last ones may still be busy.
        """
        return self._data, self._consumer[0], self._producer[0]

    def release(self, position: int) -> None:
        """Give the space before `position`, a record's start, back to the producers."""
        self._consumer[0] = position

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for records; false when none came.

        The kernel wakes the reader for a record only when all earlier ones were
        released: a reader that sleeps a little after waking costs one wake-up for many
        records.
        """
        if self._epoll is None:
            self._epoll = select.epoll()
            self._epoll.register(self.source.fd, select.EPOLLIN)
        return bool(self._epoll.poll(timeout))

    def close(self) -> None:
        """Unmap the ring; the map stays open."""
        self._consumer.release()
        self._producer.release()
        for page in (self._consumer_page, self._producer_page, self._data):
            page.close()
        if self._epoll is not None:
            self._epoll.close()
