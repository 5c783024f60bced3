"""The second and third choice for each probe see what the first does.

On a kernel where the first works, nobody would otherwise notice that another does not.
"""

from __future__ import annotations

import os
from typing import ClassVar
from unittest import mock

from tests.live import (
    support,
    test_biolatency,
    test_execsnoop,
    test_opensnoop,
    test_tcplife,
)
from tests.live.support import Tool

RAW, CLASSIC = 1, 2

# Each choice is tested natively, and on one of the older kernels, which may need it.
raw_kernels = support.only_on("5.10")
classic_kernels = support.only_on("6.1")
# System calls have other numbers on the other architecture.
raw_calls = support.only_on("5.10", support.ARM64)

LAUNCHER = str(support.TREE / "tests" / "live" / "lower_rung.py")
EVENTS = "/sys/kernel/tracing/events/syscalls"


class LowerRung(support.LiveTest):
    """Mixed into tests of a tool, which it then runs with a lower choice."""

    rung: ClassVar[int]

    def setUp(self) -> None:
        if self.rung == CLASSIC and not os.path.isdir(EVENTS):
            self.skipTest("the formats of tracepoints cannot be read")
        for patch in (
            mock.patch.dict(os.environ, RUNG=str(self.rung)),
            mock.patch.object(support, "SKEP", LAUNCHER),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        super().setUp()

    def receipt(self, *arguments: str) -> str:
        """What the tool says is attached."""
        with Tool(*arguments, "-v") as tool:
            return tool.stop().stderr.decode()


@raw_calls
class RawOpens(LowerRung, test_opensnoop.Rows):
    rung = RAW

    def test_is_attached(self) -> None:
        self.assertIn(": raw_tracepoint:sys_exit (", self.receipt("opensnoop"))


@raw_kernels
class RawPaths(LowerRung, test_opensnoop.Paths):
    rung = RAW


@classic_kernels
class ClassicOpens(LowerRung, test_opensnoop.Rows):
    rung = CLASSIC

    def test_is_attached(self) -> None:
        receipt = self.receipt("opensnoop")
        self.assertIn(": tracepoint:syscalls:sys_exit_open", receipt)
        self.assertIn("32-bit tasks are not seen", receipt)

    def test_32_bit_program(self) -> None:
        calls, outcome = self.trace(program="opens_32")
        self.assertEqual(test_opensnoop.rows_of(outcome, calls), [])


@classic_kernels
class ClassicPaths(LowerRung, test_opensnoop.Paths):
    rung = CLASSIC


@raw_kernels
class RawExecs(LowerRung, test_execsnoop.Successes):
    rung = RAW

    def test_is_attached(self) -> None:
        receipt = self.receipt("execsnoop", "-x")
        for name in ("sched_process_exec", "sys_exit"):
            self.assertIn(f": raw_tracepoint:{name} (", receipt)


@raw_calls
class RawFailures(LowerRung, test_execsnoop.Failures):
    rung = RAW


@classic_kernels
class ClassicFailures(LowerRung, test_execsnoop.Failures):
    rung = CLASSIC

    def test_is_attached(self) -> None:
        receipt = self.receipt("execsnoop", "-x")
        self.assertIn(": tracepoint:syscalls:sys_exit_execve", receipt)


@raw_kernels
class RawConnections(LowerRung, test_tcplife.Rows):
    rung = RAW

    def test_is_attached(self) -> None:
        receipt = self.receipt("tcplife")
        self.assertIn(": raw_tracepoint:inet_sock_set_state (", receipt)


@raw_kernels
class RawEnds(LowerRung, test_tcplife.Ends):
    rung = RAW


@raw_kernels
class RawRequests(LowerRung, test_biolatency.Counts):
    rung = RAW

    def test_is_attached(self) -> None:
        receipt = self.receipt("biolatency")
        for name in ("block_rq_issue", "block_rq_complete"):
            self.assertIn(f": raw_tracepoint:{name} (", receipt)
