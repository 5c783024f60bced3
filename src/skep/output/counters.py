"""What user space counts while it decodes records."""

from __future__ import annotations

from skep.fields.text import Unreadable, cut


class Counters:
    """Counts for the loss ledger, in the ledger's words.

    filtered     records that a user-side filter dropped
    truncated    texts that were longer than their field
    failed_read  texts whose memory could not be read
    """

    __slots__ = ("failed_read", "filtered", "truncated")

    def __init__(self) -> None:
        self.filtered = 0
        self.truncated = 0
        self.failed_read = 0

    def irregular(self, tail: bytes, limit: int) -> bytes:
        """The raw value of a string tail that is empty or longer than `limit` + 1."""
        if not tail:
            self.failed_read += 1
            return Unreadable()
        self.truncated += 1
        return cut(tail, limit)
