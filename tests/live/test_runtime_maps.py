"""Maps, the ring buffer and the ledger, on the running kernel."""

from __future__ import annotations

import struct
import unittest
from types import SimpleNamespace

from skep.asm import atomic, exit_, load_map_value, mov_imm
from skep.asm.opcodes import BPF_ADD
from skep.errors import SkepError
from skep.runtime.ledger import RECURSION, Ledger
from skep.runtime.maps import Map
from skep.runtime.ring import HEADER_SIZE, RingBuffer
from skep.runtime.syscall import bpf
from skep.spec import LEDGER, LEDGER_CAUSES, AttachSpec, MapSpec
from skep.target import Target
from tests.live.runtime_programs import RuntimeTest, emit, records


class Maps(RuntimeTest):
    def create(self, *specification: object) -> Map:
        made = Map.create(MapSpec("test", *specification))  # type: ignore[arg-type]
        self.addCleanup(made.close)
        return made

    def test_elements(self) -> None:
        table = self.create("hash", 8, 12, 8)
        key, value = b"\x01" * 8, b"0123456789ab"
        self.assertIsNone(table.lookup(key))
        self.assertFalse(table.delete(key))
        table.update(key, value)
        self.assertEqual(table.lookup(key), value)
        self.assertEqual(table.keys(), [key])
        self.assertTrue(table.delete(key))
        self.assertEqual(table.keys(), [])

    def test_full_map_says_so(self) -> None:
        table = self.create("hash", 4, 4, 2)
        with self.assertRaisesRegex(SkepError, "write the map 'test'"):
            for number in range(8):
                table.update(struct.pack("=I", number), bytes(4))

    def test_whole_hash(self) -> None:
        for kind in ("hash", "lru_hash"):
            with self.subTest(kind=kind):
                table = self.create(kind, 8, 8, 20_000)
                wanted = {
                    struct.pack("=Q", n): struct.pack("=Q", n * n) for n in range(5003)
                }
                for key, value in wanted.items():
                    table.update(key, value)
                self.assertEqual(dict(table.items()), wanted)
                drained = list(table.drain())
                self.assertEqual(len(drained), len(wanted))
                self.assertEqual(dict(drained), wanted)
                self.assertEqual(list(table.items()), [])

    def test_one_full_bucket(self) -> None:
        # A batch takes whole buckets; with few of them, each is large.
        table = self.create("hash", 4, 4, 4096)
        for number in range(4096):
            table.update(struct.pack("=I", number), bytes(4))
        self.assertEqual(len(dict(table.items())), 4096)

    def test_per_cpu_values(self) -> None:
        for kind in ("percpu_hash", "percpu_array"):
            with self.subTest(kind=kind):
                table = self.create(kind, 4, 16, 3)
                cpus = table.value_bytes // 16
                value = b"".join(struct.pack("=QQ", cpu, 2) for cpu in range(cpus))
                table.update(bytes(4), value)
                found = dict(table.items())[bytes(4)]
                self.assertEqual(found, value)
                self.assertEqual(len(table.chunks(found)), cpus)
                self.assertEqual(
                    table.word_sums(found), [cpus * (cpus - 1) // 2, 2 * cpus]
                )

    def test_memory_of_an_array(self) -> None:
        array = self.create("array", 4, 8, 1000, bpf.BPF_F_MMAPABLE)
        array.update(struct.pack("=I", 998), struct.pack("=Q", 7))
        with array.memory() as view, view.cast("Q") as words:
            self.assertEqual(words[998], 7)
            array.update(struct.pack("=I", 998), struct.pack("=Q", 8))
            self.assertEqual(words[998], 8)

    def test_task_storage(self) -> None:
        if not Target.from_host().has_map_kind("task_storage"):
            self.skipTest("task storage came with 5.11")
        self.create("task_storage", 4, 24, 0, bpf.BPF_F_NO_PREALLOC)

    def test_stack_traces_have_no_batches(self) -> None:
        self.assertEqual(list(self.create("stack_trace", 4, 8 * 16, 64).items()), [])


class Ring(RuntimeTest):
    SIZE = 1 << 16

    def setUp(self) -> None:
        events = MapSpec("events", "ringbuf", 0, 0, self.SIZE)
        self.collection = self.load(AttachSpec("test_run", ""), emit(3), events)
        self.program = self.collection.programs[0]
        self.ring = RingBuffer(self.collection.maps["events"])
        self.addCleanup(self.ring.close)

    def test_records_come_in_order_round_the_end(self) -> None:
        sent: list[bytes] = []
        received: list[bytes] = []
        for number in range(10_007):
            words = (number, number * number, 2**64 - 1 - number)
            self.assertEqual(self.program.test_run(words), 0)
            sent.append(struct.pack("=3Q", *words))
            if number % 1000 == 0:
                received += records(self.ring)
        received += records(self.ring)
        self.assertEqual(received, sent)

    def test_full_ring_refuses(self) -> None:
        room = self.SIZE // (HEADER_SIZE + 24)
        results = [self.program.test_run((n, 0, 0)) for n in range(room + 3)]
        self.assertEqual(results.count(0), len(records(self.ring)))
        self.assertGreaterEqual(sum(result != 0 for result in results), 3)

    def test_wait(self) -> None:
        self.assertFalse(self.ring.wait(0.01))
        self.program.test_run((1, 2, 3))
        self.assertTrue(self.ring.wait(5))
        self.assertEqual(records(self.ring), [struct.pack("=3Q", 1, 2, 3)])
        self.assertFalse(self.ring.wait(0))


class Losses(RuntimeTest):
    def test_ledger(self) -> None:
        code = (
            load_map_value(1, LEDGER.name, 8 * LEDGER_CAUSES.index("map full")),
            mov_imm(2, 1),
            atomic(BPF_ADD, 1, 0, 2, 8),
            mov_imm(0, 0),
            exit_(),
        )
        collection = self.load(AttachSpec("test_run", ""), code, LEDGER)
        program = collection.programs[0]
        ledger = Ledger(collection.maps[LEDGER.name], (program,), lambda: False)
        for _ in range(13):
            program.test_run()
        for truncated, failed_read in ((2, 0), (3, 1)):
            ledger.follow(SimpleNamespace(truncated=truncated, failed_read=failed_read))
        losses = ledger.losses()
        self.assertEqual(losses["map full"], 13)
        self.assertEqual(losses["truncated"], 5)
        self.assertEqual(losses["failed read"], 1)
        self.assertEqual(losses["ring full"], 0)
        self.assertEqual(losses[RECURSION], program.info().recursion_misses)


if __name__ == "__main__":
    unittest.main()
