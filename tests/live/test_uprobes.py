"""Probes in user programs see every call once, with its arguments and its result."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import unittest
from collections import Counter
from typing import Any
from unittest import mock

from tests.live import support, workload
from tests.live.bpf_objects import existing_objects, held_objects
from tests.live.support import Outcome, Tool

COUNT = 101
NESTED = 7
DEPTH = 13
THREADS = 7  # as in workloads/calls.c

TOOL = str(support.TREE / "tests" / "live" / "tools" / "calls.py")
LAUNCHER = str(support.TREE / "tests" / "live" / "lower_rung.py")


class CallsTest(support.LiveTest):
    """Runs the workload beside the tool."""

    def trace(
        self, case: str, *arguments: workload.Argument, options: tuple[str, ...] = ()
    ) -> tuple[list[dict[str, Any]], str, Outcome]:
        """The events of a run of the workload, what it printed, and the outcome."""
        program = workload.program("calls")
        with self.tool(case, program, *options) as tool:
            process = workload.start("calls", *arguments)
            text = workload.finish(process)
            outcome = tool.stop()
        events = outcome.objects("event")
        self.assertLessEqual({event["pid"] for event in events}, {process.pid})
        return events, text, outcome

    def tool(self, case: str, program: str, *options: str) -> Tool:
        """The tool; with -v, the first thing that it prints is a receipt."""
        return Tool(TOOL, program, "--case", case, "--json", "-v", *options)

    def assert_nothing_lost(self, outcome: Outcome) -> None:
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.ledger(), {})


class Calls(CallsTest):
    def test_arguments_in_registers_and_on_the_stack(self) -> None:
        events, _, outcome = self.trace("entry", "entry", COUNT)
        self.assert_nothing_lost(outcome)
        shown = [
            (*(event[key] for key in "abcdefgh"), event["name"]) for event in events
        ]
        expected = [(i, -i, i, -5, 1 << 40, 7, -i, -11, "prime") for i in range(COUNT)]
        self.assertEqual(shown, expected)

    def test_calls_within_calls(self) -> None:
        events, _, outcome = self.trace("return", "nested", NESTED, DEPTH)
        self.assert_nothing_lost(outcome)
        self.assert_sums(events, NESTED)
        # Within each chain the outer call takes longer.
        for start in range(0, len(events), DEPTH + 1):
            chain = [event["c"] for event in events[start : start + DEPTH + 1]]
            self.assertEqual(chain, sorted(chain))

    def test_threads(self) -> None:
        events, _, outcome = self.trace("return", "threads", NESTED, DEPTH)
        self.assert_nothing_lost(outcome)
        self.assert_sums(events, NESTED * THREADS)
        self.assertEqual(len({event["tid"] for event in events}), THREADS)

    def assert_sums(self, events: list[dict[str, Any]], times: int) -> None:
        """Each depth is there so many times, with the right result."""
        expected = {(n, n * (n + 1) // 2): times for n in range(DEPTH + 1)}
        self.assertEqual(Counter((e["a"], e["b"]) for e in events), expected)

    def test_functions_that_end_in_a_jump_to_another(self) -> None:
        events, _, outcome = self.trace("tail", "tail", COUNT)
        self.assert_nothing_lost(outcome)
        expected = Counter[Any]()
        for i in range(COUNT):
            expected[i, 2 * (i + 1000)] += 1
            expected[i + 1000, 2 * (i + 1000)] += 1
        self.assertEqual(Counter((e["a"], e["b"]) for e in events), expected)

    def test_one_process(self) -> None:
        program = workload.program("calls")
        with subprocess.Popen([program, "hang", "2"]) as other:
            try:
                with self.tool("return", program, "--only", str(other.pid)) as tool:
                    workload.run("calls", "nested", NESTED, DEPTH)
                    outcome = tool.stop()
            finally:
                other.kill()
        self.assertEqual(outcome.objects("event"), [])
        self.assert_nothing_lost(outcome)

    def test_processes_that_die_in_a_call_do_not_fill_the_map(self) -> None:
        # 11 x 1000 calls that never return, in a map for 10240.
        program = workload.program("calls")
        with self.tool("return", program) as tool:
            for _ in range(11):
                process = workload.start("calls", "hang", 999)
                wait_until_asleep(process.pid)
                process.kill()
                process.communicate()
            text = workload.run("calls", "nested", NESTED, DEPTH)
            outcome = tool.stop()
        self.assertEqual(text, "")
        self.assert_sums(outcome.objects("event"), NESTED)
        self.assert_nothing_lost(outcome)


def wait_until_asleep(pid: int) -> None:
    """Waits until a process sleeps in pause(2)."""

    def is_asleep() -> bool:
        with open(f"/proc/{pid}/syscall") as file:
            return file.read().split()[0] in ("34", "73")  # pause; ppoll on arm64

    if not support.wait_until(is_asleep):
        raise AssertionError("the workload does not get to its end")


class Usdt(CallsTest):
    def test_probe_with_a_semaphore(self) -> None:
        events, text, outcome = self.trace("each", "usdt", COUNT)
        self.assert_nothing_lost(outcome)
        shown = [(event["a"], event["b"], event["name"]) for event in events]
        self.assertEqual(shown, [(i, -i, "name") for i in range(COUNT)])
        self.assertEqual(text.split()[0], str(COUNT))
        # Nobody traces any more: the workload sees that its probe is off.
        self.assertEqual(workload.run("calls", "usdt", COUNT).split()[0], "0")

    @unittest.skipUnless(
        os.uname().machine == "x86_64", "written for x86_64's assembler"
    )
    def test_forms_of_arguments(self) -> None:
        events, text, outcome = self.trace("forms", "usdt", COUNT)
        self.assert_nothing_lost(outcome)
        table = int(text.split()[1])
        keys = "abcdefghijkn"
        values = -7, 1000003, -17, 90, -105, 0x5A97, 11, 17, 23, 1009, 1019, -3
        self.assertEqual(len(events), 2 * COUNT)
        for first, second in zip(events[::2], events[1::2]):
            self.assertEqual(tuple(first[key] for key in keys), values)
            self.assertEqual((second["a"], second["m"]), (-1, table))

    @unittest.skipUnless(
        os.uname().machine == "x86_64", "written for x86_64's assembler"
    )
    @support.only_on("6.12", support.ARM64)
    def test_floating_point_is_refused_where_it_is_wanted(self) -> None:
        events, _, _ = self.trace("mixed", "usdt", COUNT)
        self.assertEqual([event["a"] for event in events], [5] * COUNT)
        program = workload.program("calls")
        message = self.assert_fails(1, TOOL, program, "--case", "float")
        self.assertIn("is a floating-point number", message)


class LowerRung:
    """Mixed into tests, which then attach by perf events."""

    def setUp(self) -> None:
        for patch in (
            mock.patch.dict(os.environ, RUNG="1"),
            mock.patch.object(support, "SKEP", LAUNCHER),
        ):
            patch.start()
            self.addCleanup(patch.stop)  # type: ignore[attr-defined]
        super().setUp()  # type: ignore[misc]

    def test_is_attached(self) -> None:
        program = workload.program("calls")
        with self.tool("return", program) as tool:  # type: ignore[attr-defined]
            (receipt,) = tool.stop().objects("receipt")
        self.assertTrue(  # type: ignore[attr-defined]
            receipt["attached"].startswith("uretprobe:"), receipt
        )


@support.only_on("7.2")
class CallsByEvents(LowerRung, Calls):
    pass


@support.only_on("7.2")
class UsdtByEvents(LowerRung, Usdt):
    pass


class ManyFunctions(CallsTest):
    """Every function of a program with a C library in it, more than a thousand."""

    def setUp(self) -> None:
        super().setUp()
        self.program = workload.program("calls")
        # Where a link has one place only, a pattern of this size is refused.
        self.pattern = "*" if self.links() else "skep_*"

    @staticmethod
    def links() -> bool:
        """Whether this kernel attaches many places by one link."""
        text = subprocess.run(
            [support.SKEP, "doctor", "opensnoop"], capture_output=True, text=True
        ).stdout
        return bool(re.search(r"^uprobe_multi +yes$", text, re.MULTILINE))

    def start(self) -> Tool:
        return self.tool("every", self.program, "--pattern", self.pattern)

    def test_calls_are_counted(self) -> None:
        with self.start() as tool:
            workload.run("calls", "entry", COUNT)
            outcome = tool.stop()
        shown = len(outcome.objects("event"))
        if self.pattern == "*":
            # The C library calls functions of its own, too.
            self.assertGreater(shown, COUNT)
        else:
            self.assertEqual(shown, COUNT)
        self.assert_nothing_lost(outcome)

    def test_too_many_for_kernels_without_links(self) -> None:
        if self.pattern == "*":
            self.skipTest("this kernel has links for many places")
        arguments = (TOOL, self.program, "--case", "every", "--pattern", "*")
        self.assertIn("can probe one by one", self.assert_fails(1, *arguments))

    def test_nothing_is_left_after_kill(self) -> None:
        with self.start() as tool:
            held = held_objects(tool.process.pid)
            self.assertGreater(len(held & existing_objects()), 1)
            tool.process.send_signal(signal.SIGKILL)
            tool.process.wait()
        self.assert_freed(held)


class Refusals(CallsTest):
    @support.only_on("6.1", support.ARM64)
    def test_names_that_are_not_there(self) -> None:
        program = workload.program("calls")
        for words, said in (
            (("every", "nolibrary"), "no library or program called nolibrary"),
            (("every", "/nope"), "cannot open /nope: No such file"),
            (("every", "/etc/passwd"), "cannot read /etc/passwd: not an ELF file"),
            (("every", "/dev/zero"), "cannot read /dev/zero: not a regular file"),
            (("every", program), "there is no function skep_sun in "),
        ):
            case, library = words
            with self.subTest(library=library):
                arguments = (library, "--case", case, "--pattern", "skep_sun")
                self.assertIn(said, self.assert_fails(1, TOOL, *arguments))

    def test_a_process_that_is_not_there(self) -> None:
        message = self.assert_usage_error(
            TOOL, "c", "--case", "every", "--pattern", "free", "--only", "4194304"
        )
        self.assertIn("there is no process 4194304", message)
