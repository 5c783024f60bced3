"""The runtime against the running kernel, with programs small enough to read."""

from __future__ import annotations

import os
import signal
import struct
import time
import unittest
from collections.abc import Callable

from skep.asm import alu_imm, exit_, jump_if_imm, load, mov_imm
from skep.asm.opcodes import BPF_ADD, BPF_JNE
from skep.errors import NotSupported, ProbeNotFound, SkepError, VerifierRejection
from skep.runtime import features
from skep.runtime.collection import Collection
from skep.runtime.maps import Map
from skep.runtime.programs import Program
from skep.runtime.quiescence import Quiescence
from skep.runtime.ring import RingBuffer
from skep.spec import AttachSpec, CollectionSpec, LineInfo, MapSpec, ProgramSpec
from skep.target import Target
from tests.live import support
from tests.live.bpf_objects import existing_objects
from tests.live.runtime_programs import (
    COUNTS,
    RuntimeTest,
    count,
    own_getppid,
    own_thread,
)


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
