"""The generated decoders on a real ring buffer, which the kernel fills."""

from __future__ import annotations

import unittest
from typing import Any

from skep.fields import U64, Context, Member
from skep.output.decoder import Decoder
from skep.output.record_types import RecordType
from skep.runtime.ring import RingBuffer
from skep.spec import AttachSpec, FieldLayout, MapSpec, RecordLayout
from tests.live.runtime_programs import RuntimeTest, emit

NUMBERS = RecordType(
    RecordLayout(
        "numbers",
        0,
        [FieldLayout("first", "Q", 8, 8), FieldLayout("second", "Q", 16, 8)],
        24,
    ),
    [Member("first", U64), Member("second", U64)],
    "test.numbers/1",
)


class RealRing(RuntimeTest):
    def test_rows_come_in_order_round_the_end(self) -> None:
        events = MapSpec("events", "ringbuf", 0, 0, 4096)
        collection = self.load(AttachSpec("test_run", ""), emit(3), events)
        ring = RingBuffer(collection.maps["events"])
        self.addCleanup(ring.close)
        decoder = Decoder([NUMBERS], "csv", Context())
        rows: list[Any] = []
        for number in range(1009):
            words = (0, number, 2**64 - 1 - number)
            self.assertEqual(collection.programs[0].test_run(words), 0)
            if number % 100 == 0:
                decoder.drain(ring, rows.extend)
        decoder.drain(ring, rows.extend)
        self.assertEqual(
            rows, [f"{number},{2**64 - 1 - number}\n" for number in range(1009)]
        )
        _, position, end = ring.pending()
        self.assertEqual(position, end)


if __name__ == "__main__":
    unittest.main()
