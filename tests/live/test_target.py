"""The facts of the running kernel, against other sources of the same facts."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

from skep.asm.helpers import HELPERS
from skep.target import Target

EVENTS = Path("/sys/kernel/tracing/events")


class HostTest(unittest.TestCase):
    target: Target

    @classmethod
    def setUpClass(cls) -> None:
        cls.target = Target.from_host()


class Types(HostTest):
    def test_sizes_that_user_space_relies_on(self) -> None:
        btf = self.target.btf
        sizes = {"open_how": 24, "sockaddr_in6": 28, "new_utsname": 390}
        for name, size in sizes.items():
            with self.subTest(struct=name):
                found = btf.find("struct", name)
                assert found is not None
                self.assertEqual(btf.size_of(found), size)

    def test_helpers_have_the_numbers_we_call_them_by(self) -> None:
        for name in ("map_lookup_elem", "ringbuf_output", "probe_read_user_str"):
            with self.subTest(helper=name):
                value = self.target.btf.enumerator(f"BPF_FUNC_{name}")
                self.assertEqual(value, HELPERS[name])

    def test_every_register_is_there(self) -> None:
        btf, arch = self.target.btf, self.target.arch
        regs = btf.find("struct", "pt_regs")
        assert regs is not None
        for path in (*arch.function_args, *arch.syscall_args, arch.syscall_number):
            with self.subTest(path=path):
                self.assertIsNotNone(btf.member(regs, path))

    def test_a_task_tells_its_abi(self) -> None:
        btf = self.target.btf
        task = btf.find("struct", "task_struct")
        assert task is not None
        self.assertIsNotNone(btf.member(task, self.target.arch.compat.task_member))

    def test_every_raw_tracepoint_of_the_scheduler(self) -> None:
        for event in ("sched_switch", "sched_process_exec", "sched_process_exit"):
            with self.subTest(tracepoint=event):
                args = self.target.raw_tracepoint_args(event)
                assert args is not None
                self.assertNotIn("arg0", dict(args))
                self.assertIsNotNone(self.target.btf_trace_id(event))


class Tracepoints(HostTest):
    def setUp(self) -> None:
        if not EVENTS.is_dir():
            self.skipTest("tracefs is not mounted")

    def test_all_formats_can_be_parsed(self) -> None:
        self.assertIsNone(self.target.tracefs_problem)
        for path in sorted(EVENTS.glob("sched/*/format")):
            event = path.parent.name
            with self.subTest(event=event):
                found = self.target.tracepoint("sched", event)
                assert found is not None
                number = int(path.with_name("id").read_text())
                self.assertEqual(found.id, number)
                self.assertEqual(len(found.fields), path.read_text().count("\tfield:"))

    def test_missing(self) -> None:
        self.assertIsNone(self.target.tracepoint("sched", "missing"))
        self.assertIsNone(self.target.tracepoint("missing", "missing"))


class Machine(HostTest):
    def test_symbols(self) -> None:
        names = [f"{self.target.arch.syscall_prefix}openat", "missing", "vfs_read"]
        self.assertEqual(self.target.has_symbols(names), {names[0], "vfs_read"})

    def test_cpus(self) -> None:
        self.assertGreaterEqual(self.target.cpus_possible, os.cpu_count() or 1)
