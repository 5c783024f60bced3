"""The table of system calls against the tracepoints of the running kernel."""

from __future__ import annotations

import unittest

from skep.probes import syscall_table
from skep.probes.syscall_table import SystemCall
from skep.target import Target, TracepointFormat

# Parameters that some release since 5.10 appended to a call.
LATE = {"bpf": 2}

FIRST = 16  # where the record's arguments begin
SIZE = 8


class SyscallTableTest(unittest.TestCase):
    """Records have the arguments of the table, at their places."""

    def setUp(self) -> None:
        self.target = Target.from_host()
        if self.target.tracefs_problem:
            self.skipTest(str(self.target.tracefs_problem))

    def test_arguments(self) -> None:
        compared = 0
        for name in syscall_table.names(self.target.arch.name):
            call = syscall_table.lookup(self.target.arch.name, name)
            assert call is not None
            record = self.target.tracepoint("syscalls", f"sys_enter_{call.event}")
            if record:
                with self.subTest(name):
                    self.compare(call, record)
                compared += 1
        self.assertGreater(compared, 250)

    def compare(self, call: SystemCall, record: TracepointFormat) -> None:
        """Places and pointers; releases differ in names and in synonyms of types."""
        fields = [
            each
            for each in record.fields
            if each.offset >= FIRST and each.size == SIZE and not each.dynamic
        ]
        last = len(call.parameters)
        self.assertIn(len(fields), (last, last - LATE.get(call.name, 0)))
        for index, (field, declared) in enumerate(zip(fields, call.parameters)):
            self.assertEqual(field.offset, FIRST + SIZE * index)
            self.assertEqual("*" in field.ctype, "*" in declared.type, declared.name)
            if "*" in declared.type:
                self.assertTrue(declared.user, declared.name)
