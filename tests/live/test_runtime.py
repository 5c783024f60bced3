"""The runtime against the running kernel, with programs small enough to read."""

from __future__ import annotations

import os
import platform
import signal
import struct
import threading
import time
import unittest
from collections.abc import Callable, Sequence
from types import SimpleNamespace

from skep.asm import (
    Instruction,
    alu_imm,
    atomic,
    call,
    exit_,
    jump_if_imm,
    load,
    load_map,
    load_map_value,
    mov,
    mov_imm,
    store,
    store_imm,
)
from skep.asm.opcodes import BPF_ADD, BPF_JEQ, BPF_JNE
from skep.errors import NotSupported, ProbeNotFound, SkepError, VerifierRejection
from skep.runtime import features
from skep.runtime.collection import Collection
from skep.runtime.ledger import RECURSION, Ledger
from skep.runtime.maps import Map
from skep.runtime.poller import Event, Poller
from skep.runtime.programs import Program
from skep.runtime.quiescence import Quiescence
from skep.runtime.ring import BUSY, DISCARDED, HEADER_SIZE, RingBuffer
from skep.runtime.signals import StopSignals
from skep.runtime.syscall import bpf
from skep.spec import (
    LEDGER,
    LEDGER_CAUSES,
    AttachSpec,
    CollectionSpec,
    LineInfo,
    MapSpec,
    ProgramSpec,
)
from skep.target import Target
from tests.live import support
from tests.live.bpf_objects import existing_objects

GETPPID = {"x86_64": 110, "aarch64": 173}[platform.machine()]
COUNTS = MapSpec("counts", "percpu_array", 4, 8, 1)
CALLS = 997


def count(*, when: Sequence[Instruction] = ()) -> tuple[Instruction, ...]:
    """Adds one to element 0 of `counts`.  `when` leaves with r0 zero to skip that."""
    add = (
        store_imm(10, -4, 0, 4),
        mov(2, 10),
        alu_imm(BPF_ADD, 2, -4),
        load_map(1, "counts"),
        call("map_lookup_elem"),
        jump_if_imm(BPF_JEQ, 0, 0, 2),
        mov_imm(1, 1),
        atomic(BPF_ADD, 0, 0, 1, 8),
        mov_imm(0, 0),
        exit_(),
    )
    return (*when, *add)


def own_thread() -> tuple[Instruction, ...]:
    """Ends the program unless this thread runs it; keeps the context in r6."""
    return (
        mov(6, 1),
        call("get_current_pid_tgid"),
        mov(1, 0),
        alu_imm(0x60, 1, 32),  # BPF_LSH: only the thread id is left
        alu_imm(0x70, 1, 32),  # BPF_RSH
        jump_if_imm(BPF_JEQ, 1, threading.get_native_id(), 2),
        mov_imm(0, 0),
        exit_(),
    )


def own_getppid() -> tuple[Instruction, ...]:
    """Ends the program unless this thread enters getppid(2); for raw sys_enter."""
    return (
        *own_thread(),
        load(1, 6, 8, 8),
        jump_if_imm(BPF_JEQ, 1, GETPPID, 2),
        mov_imm(0, 0),
        exit_(),
    )


def emit(words: int) -> tuple[Instruction, ...]:
    """Sends the context's first u64s to `events`; r0 is what the helper says."""
    copy: list[Instruction] = []
    for index in range(words):
        copy += [load(0, 1, 8 * index, 8), store(10, 8 * (index - words), 0, 8)]
    return (
        *copy,
        load_map(1, "events"),
        mov(2, 10),
        alu_imm(BPF_ADD, 2, -8 * words),
        mov_imm(3, 8 * words),
        mov_imm(4, 0),
        call("ringbuf_output"),
        exit_(),
    )


def records(ring: RingBuffer) -> list[bytes]:
    """All finished records, which are given back."""
    data, position, end = ring.pending()
    found = []
    while position < end:
        start = position & ring.mask
        header = int.from_bytes(data[start : start + 4], "little")
        if header & BUSY:
            break
        size = header & ~DISCARDED
        start = (position + HEADER_SIZE) & ring.mask
        payload = data[start : start + size]
        payload += data[: size - len(payload)]
        if not header & DISCARDED:
            found.append(payload)
        position += HEADER_SIZE + (size + 7 & ~7)
    ring.release(position)
    return found


class RuntimeTest(support.LiveTest):
    def load(
        self, attach: AttachSpec, code: Sequence[Instruction], *maps: MapSpec
    ) -> Collection:
        """A collection of one program, closed at the end of the test."""
        spec = CollectionSpec(maps, (ProgramSpec("test", attach, code),))
        collection = Collection.load(spec)
        self.addCleanup(collection.close)
        return collection

    def counted(self, collection: Collection) -> int:
        counts = collection.maps["counts"]
        value = counts.lookup(bytes(4))
        assert value is not None
        return counts.word_sums(value)[0]

    def assert_counts_getppid(
        self, attach: AttachSpec, when: Sequence[Instruction]
    ) -> None:
        collection = self.load(attach, count(when=when), COUNTS)
        for _ in range(CALLS):
            os.getppid()
        self.assertEqual(self.counted(collection), CALLS)
        collection.close()


class Attach(RuntimeTest):
    def test_raw_tracepoint(self) -> None:
        where = AttachSpec("raw_tracepoint", "sys_enter")
        self.assert_counts_getppid(where, own_getppid())

    def test_tp_btf(self) -> None:
        trace_id = Target.from_host().btf_trace_id("sys_enter")
        assert trace_id is not None
        where = AttachSpec("tp_btf", "sys_enter", trace_id)
        self.assert_counts_getppid(where, own_getppid())

    def test_tracepoint(self) -> None:
        event = Target.from_host().tracepoint("syscalls", "sys_enter_getppid")
        if event is None:
            self.skipTest("no tracefs, or no tracepoints for system calls")
        where = AttachSpec("tracepoint", "syscalls:sys_enter_getppid", event.id)
        self.assert_counts_getppid(where, own_thread())

    def test_interval(self) -> None:
        where = AttachSpec("interval", "", 10_000_000)
        begin = time.monotonic()
        collection = self.load(where, count(), COUNTS)
        time.sleep(0.5)
        ticks = self.counted(collection)
        self.assertGreater(ticks, 0)
        self.assertLessEqual(ticks, (time.monotonic() - begin) / 0.01)

    def test_sampling_runs_on_every_cpu(self) -> None:
        for where in (
            AttachSpec("perf_event", "cpu-clock", 1_000_000),
            AttachSpec("profile", "cpu-clock", 999),
        ):
            with self.subTest(kind=where.kind):
                collection = self.load(where, count(), COUNTS)
                everywhere = os.sched_getaffinity(0)
                self.addCleanup(os.sched_setaffinity, 0, everywhere)
                for cpu in everywhere:
                    os.sched_setaffinity(0, {cpu})
                    begin = time.process_time()
                    while time.process_time() - begin < 0.05 * support.SLOW:
                        pass
                value = collection.maps["counts"].lookup(bytes(4))
                assert value is not None
                chunks = collection.maps["counts"].chunks(value)
                for cpu in everywhere:
                    self.assertGreater(struct.unpack("=Q", chunks[cpu])[0], 1)
                collection.close()

    def test_unknown_places_are_named(self) -> None:
        with self.assertRaisesRegex(ProbeNotFound, "raw_tracepoint no_such_thing"):
            self.load(AttachSpec("raw_tracepoint", "no_such_thing"), count(), COUNTS)


class Detach(RuntimeTest):
    def test_nothing_runs_after_close(self) -> None:
        where = AttachSpec("raw_tracepoint", "sys_enter")
        collection = self.load(where, count(when=own_getppid()), COUNTS)
        kept = Map(COUNTS, os.dup(collection.maps["counts"].fd))
        self.addCleanup(kept.close)
        collection.close()
        os.getppid()
        value = kept.lookup(bytes(4))
        assert value is not None
        self.assertEqual(kept.word_sums(value), [0])

    def test_close_lets_go_of_everything(self) -> None:
        before = os.listdir("/proc/self/fd")
        ring = MapSpec("events", "ringbuf", 0, 0, 1 << 16)
        where = AttachSpec("raw_tracepoint", "sys_enter")
        collection = self.load(where, count(when=own_getppid()), COUNTS, ring)
        reader = RingBuffer(collection.maps["events"])
        reader.wait(0)
        reader.close()
        collection.close()
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_nothing_survives_kill(self) -> None:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            where = AttachSpec("raw_tracepoint", "sys_enter")
            spec = CollectionSpec((COUNTS,), (ProgramSpec("test", where, count()),))
            number = Collection.load(spec).programs[0].info().id
            os.write(write, struct.pack("=I", number))
            signal.pause()
        self.addCleanup(os.close, read)
        os.close(write)
        (number,) = struct.unpack("=I", os.read(read, 4))
        self.assertIn(("program", number), existing_objects())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.assert_freed({("program", number)})

    def test_failed_start_leaves_nothing(self) -> None:
        before = os.listdir("/proc/self/fd")
        programs = [
            ProgramSpec("good", AttachSpec("raw_tracepoint", "sys_enter"), count()),
            ProgramSpec("bad", AttachSpec("raw_tracepoint", "nowhere"), count()),
        ]
        with self.assertRaises(ProbeNotFound):
            Collection.load(CollectionSpec((COUNTS,), programs))
        self.assertEqual(os.listdir("/proc/self/fd"), before)


class Ladder(RuntimeTest):
    def test_first_that_attaches_wins(self) -> None:
        def at(name: str) -> Callable[[], CollectionSpec]:
            program = ProgramSpec(name, AttachSpec("raw_tracepoint", name), count())
            return lambda: CollectionSpec((COUNTS,), (program,))

        def missing() -> CollectionSpec:
            raise NotSupported("not in this kernel")

        with Collection() as collection:
            ladder = [
                ("first", missing),
                ("second", at("no_such_tracepoint")),
                ("third", at("sys_enter")),
                ("fourth", at("sys_exit")),
            ]
            chosen, failures = collection.add_first(ladder)
            self.assertEqual(chosen, "third")
            self.assertEqual([name for name, _ in failures], ["first", "second"])
            self.assertEqual(len(collection.links), 1)

    def test_failures_are_all_told(self) -> None:
        def missing(name: str) -> Callable[[], CollectionSpec]:
            def compile_spec() -> CollectionSpec:
                raise ProbeNotFound(f"no {name}")

            return compile_spec

        with Collection() as collection, self.assertRaises(ProbeNotFound) as caught:
            collection.add_first([("a", missing("best")), ("b", missing("other"))])
        self.assertEqual(str(caught.exception), "no best\n  note: also tried: no other")


class Loading(RuntimeTest):
    def test_run(self) -> None:
        code = (load(0, 1, 0, 8), load(2, 1, 8, 8), alu_imm(BPF_ADD, 0, 1), exit_())
        program = Program.load(ProgramSpec("run", AttachSpec("test_run", ""), code), {})
        self.addCleanup(program.close)
        self.assertEqual(program.test_run((41, 0)), 42)
        self.assertEqual(program.test_run((2**64 - 1, 0)), 0)

    def test_rejection_quotes_the_source(self) -> None:
        code = (mov_imm(0, 0), load(0, 1, 0, 8), load(0, 0, 0, 8), exit_())
        lines = (
            LineInfo(0, "tool.py", 10, 4, "    sk = ctx"),
            LineInfo(2, "tool.py", 11, 4, "    return sk.port"),
        )
        spec = ProgramSpec("wrong", AttachSpec("test_run", ""), code, lines)
        with self.assertRaises(VerifierRejection) as caught:
            Program.load(spec, {})
        error = caught.exception
        text = str(error)
        self.assertIn("tool.py:11:5: the kernel's verifier refused", text)
        self.assertIn("R0 invalid mem access", text)
        self.assertIn("return sk.port", text)
        self.assertIn("at instruction 2: r0 = *(u64 *)(r0 +0)", text)
        self.assertIn("bug in skep", text)
        self.assertIn("; return sk.port", error.log)
        self.assertIn("2: (79) r0 = *(u64 *)(r0 +0)", error.log)

    def test_verbose_keeps_the_log(self) -> None:
        spec = ProgramSpec("nothing", AttachSpec("test_run", ""), count())
        counts = Map.create(COUNTS)
        program = Program.load(spec, {"counts": counts}, verbose=True)
        self.assertIn("processed", program.log)
        self.assertEqual(program.info().run_count, 0)
        program.close()
        counts.close()

    # The log of newer kernels takes minutes in emulation.
    @support.only_on("5.10")
    def test_a_long_log_does_not_hide_the_reason(self) -> None:
        endless = (
            mov_imm(0, 0),
            alu_imm(BPF_ADD, 0, 1),
            jump_if_imm(BPF_JNE, 0, -1, -2),
            exit_(),
        )
        spec = ProgramSpec("endless", AttachSpec("test_run", ""), endless)
        with self.assertRaises(SkepError) as caught:
            Program.load(spec, {})
        # Before 6.4 the end of the log is lost, and only the error number is left.
        self.assertRegex(str(caught.exception), "BPF program is too large|E2BIG")


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


class Polling(RuntimeTest):
    def setUp(self) -> None:
        events = MapSpec("events", "ringbuf", 0, 0, 1 << 16)
        collection = self.load(AttachSpec("test_run", ""), emit(1), events)
        self.program = collection.programs[0]
        self.ring = RingBuffer(collection.maps["events"])
        self.addCleanup(self.ring.close)

    def poller(self, **settings: object) -> Poller:
        poller = Poller((self.ring,), **settings)  # type: ignore[arg-type]
        self.addCleanup(poller.close)
        return poller

    @support.only_on("6.1")
    def test_records_gather(self) -> None:
        stop = threading.Event()

        def produce() -> None:
            while not stop.is_set():
                self.program.test_run((time.monotonic_ns(),))
                time.sleep(0.001)

        producer = threading.Thread(target=produce)
        producer.start()
        wakes = seen = 0
        for event in self.poller(duration=0.5 * support.SLOW).events():
            seen += len(records(self.ring))
            wakes += event is Event.RECORDS
        stop.set()
        producer.join()
        self.assertGreater(seen, wakes)

    def test_intervals_do_not_drift(self) -> None:
        begin = time.monotonic()
        times = []
        for event in self.poller(interval=0.05, duration=0.52).events():
            if event is Event.INTERVAL:
                times.append(time.monotonic() - begin)
                time.sleep(0.02)
        self.assertLessEqual(len(times), 10)
        for index, at in enumerate(times):
            self.assertGreaterEqual(at, 0.05 * (index + 1))

    def test_slow_reports_are_not_made_up_for(self) -> None:
        events = self.poller(interval=0.01, duration=0.3).events()
        seen = 0
        for event in events:
            if event is Event.INTERVAL:
                seen += 1
                time.sleep(0.1)
        self.assertLessEqual(seen, 4)

    def test_signal_interrupts_the_pause(self) -> None:
        stop = StopSignals()
        self.addCleanup(stop.close)
        events = self.poller(stop=stop).events()
        self.program.test_run((1,))
        # After the poller has begun to wait, also on a slow machine.
        after = 0.005 * support.SLOW
        timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        seen = []
        for event in events:
            seen.append(event)
            records(self.ring)
        self.assertEqual(seen, [Event.RECORDS, Event.STOP])
        self.assertEqual(stop.received, signal.SIGINT)

    def test_signal_in_a_callback_is_not_lost(self) -> None:
        stop = StopSignals()
        self.addCleanup(stop.close)
        events = self.poller(stop=stop).events()
        self.program.test_run((1,))
        self.assertIs(next(events), Event.RECORDS)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # timeout(1) sends it twice
        records(self.ring)
        self.assertIs(next(events), Event.STOP)

    def test_handlers_come_back(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        stop = StopSignals()
        self.assertNotEqual(signal.getsignal(signal.SIGINT), before)
        stop.close()
        self.assertEqual(signal.getsignal(signal.SIGINT), before)
        self.assertEqual(signal.set_wakeup_fd(-1), -1)


class Waiting(RuntimeTest):
    def test_quiescence_returns(self) -> None:
        quiescence = Quiescence()
        self.addCleanup(quiescence.close)
        quiescence.wait()


class Features(RuntimeTest):
    def test_what_every_supported_kernel_has(self) -> None:
        target = Target.from_host()
        for verdict in (
            features.maps(),
            features.ring_buffer(),
            features.raw_tracepoint(),
            features.tp_btf(target),
            features.perf_event("cpu-clock"),
        ):
            self.assertTrue(verdict.ok, verdict.reason)

    def test_refusals_have_reasons(self) -> None:
        for name, verdict in features.survey(Target.from_host()):
            with self.subTest(feature=name):
                self.assertNotEqual(verdict.ok, bool(verdict.reason))


if __name__ == "__main__":
    unittest.main()
