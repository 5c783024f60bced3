"""funclatency: every call is in the histogram of its function, with its time."""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
import time
import unittest
from collections import Counter
from unittest import mock

from tests.live import places, support, workload
from tests.live.places import (
    GIDS,
    HAS_FUNCTIONS,
    LABS,
    PPIDS,
    RENAMES,
    TRUNCATES,
    PlacesTest,
)
from tests.live.support import Outcome, Tool
from tests.live.test_functions import OPENS, overlay
from tests.live.test_rungs import LAUNCHER

NESTED, DEPTH = 37, 13
SLEEPS, SLEEP_MS = 11, 20


def totals(outcome: Outcome, key: str) -> dict[str, int]:
    """Calls by function."""
    found: Counter[str] = Counter()
    for histogram in outcome.objects("histogram"):
        found[histogram[key]] += sum(b["count"] for b in histogram["buckets"])
    return dict(found)


def times(outcome: Outcome) -> list[tuple[int, int]]:
    """The rows that are not empty: lower bound and number of calls."""
    (histogram,) = outcome.objects("histogram")
    return [(b["low"], b["count"]) for b in histogram["buckets"] if b["count"]]


def sleep() -> None:
    """SLEEPS calls of usleep of the C library."""
    library = ctypes.CDLL(None)
    for _ in range(SLEEPS):
        library.usleep(SLEEP_MS * 1000)


@support.only_on("5.10", "7.2")
class UserFunctions(PlacesTest):
    def test_recursion(self) -> None:
        program = workload.program("calls")
        with Tool("funclatency", "--json", "-v", f"{program}:skep_sum") as tool:
            workload.run("calls", "nested", NESTED, DEPTH)
            workload.run("calls", "threads", NESTED, DEPTH)
            outcome = tool.stop()
        self.assertEqual(outcome.ledger(), {})
        expected = {"skep_sum": 8 * NESTED * (DEPTH + 1)}
        self.assertEqual(totals(outcome, "called"), expected)
        # Each process has its own histogram.
        self.assertEqual(len({h["pid"] for h in outcome.objects("histogram")}), 2)

    def test_where_a_program_starts(self) -> None:
        """At _start, the number of arguments lies where elsewhere the return address
        does.  (All functions are too many for some kernels: it is static.)"""
        program = workload.program("calls")
        pattern = f"{program}:^(skep_.*|_start)$"
        with Tool("funclatency", "--json", "-v", "-r", pattern) as tool:
            workload.run("calls", "nested", NESTED, DEPTH)
            outcome = tool.stop()
        self.assertEqual(totals(outcome, "called")["skep_sum"], NESTED * (DEPTH + 1))
        left_out = "_start cannot be probed: jumped to, not called"
        self.assertIn(left_out, outcome.stderr.decode())

    def test_functions_that_end_in_a_jump_to_another(self) -> None:
        program = workload.program("calls")
        with Tool("funclatency", "--json", "-v", f"{program}:skep_*st") as tool:
            workload.run("calls", "tail", NESTED)
            outcome = tool.stop()
        self.assertEqual(outcome.ledger(), {})
        expected = {"skep_first": NESTED, "skep_last": NESTED}
        self.assertEqual(totals(outcome, "called"), expected)

    def test_times(self) -> None:
        begin = time.monotonic()
        outcome = self.trace("funclatency", sleep, "-m", "c:usleep")
        longest = (time.monotonic() - begin) * 1000
        rows = times(outcome)
        self.assertEqual(sum(count for _, count in rows), SLEEPS)
        self.assertGreaterEqual(rows[0][0], 16)
        self.assertLess(rows[-1][0], longest)

    def test_text(self) -> None:
        child = support.Paused(places.call_libc)
        with Tool("funclatency", "-uF", "-p", str(child.pid), "c:labs") as tool:
            child.proceed()
            outcome = tool.stop()
        self.assert_clean(outcome)
        banner, *lines, last = outcome.lines()
        text = 'Tracing 1 functions for "c:labs"... Hit Ctrl-C to end.'
        self.assertEqual((banner, last), (text, "Detaching..."))
        self.assertIn(f"Function = labs [{child.pid}]", lines)
        (average,) = [line for line in lines if line.startswith("avg = ")]
        self.assertRegex(
            average, rf"^avg = \d+ usecs, total: \d+ usecs, count: {LABS}$"
        )

    @support.only_on("7.2")
    def test_intervals_until_an_end(self) -> None:
        child = support.Paused(sleep)
        options = ("-mTi", "0.5", "-d", "3600", "-l", "2", "-p", str(child.pid), "-r")
        with Tool("funclatency", *options, "c:^(usleep|labs)$") as tool:
            child.proceed()
            tool.wait_for(lambda output: b"avg = " in output)
            outcome = tool.stop()
        self.assert_clean(outcome)
        times = [line for line in outcome.lines() if re.match(r"\d\d:\d\d:\d\d$", line)]
        self.assertTrue(times, outcome.stdout)
        text = outcome.stdout.decode()
        averages = re.findall(r"avg = (\d+) msecs, .* count: (\d+)", text)
        self.assertEqual(sum(int(count) for _, count in averages), SLEEPS)
        for average, _ in averages:
            self.assertGreaterEqual(int(average), SLEEP_MS)


class SingleProbes(UserFunctions):
    """The same by a perf event for each place."""

    def setUp(self) -> None:
        _lower_rung(self)


class KernelFunctions(PlacesTest):
    kind: tuple[str, ...] = ("kprobe_session:", "kretprobe_multi:", "kretprobes:")
    pattern = "vfs_*"

    def setUp(self) -> None:
        if not HAS_FUNCTIONS:
            self.skipTest("functions of this kernel cannot be traced")

    def test_by_pattern(self) -> None:
        outcome = self.trace_files("funclatency", "-F", self.pattern)
        self.assertTrue(any(kind in outcome.stderr.decode() for kind in self.kind))
        shown = totals(outcome, "function")
        self.assertEqual(shown["vfs_rename"], RENAMES)
        if self.pattern == "vfs_*":
            self.assertEqual(shown["vfs_truncate"], TRUNCATES)

    def test_calls_within_calls(self) -> None:
        with tempfile.TemporaryDirectory() as directory, overlay(directory) as merged:
            for number in range(OPENS):
                open(f"{merged}/file{number}", "w").close()

            def run() -> None:
                for number in range(OPENS):
                    os.close(os.open(f"{merged}/file{number}", os.O_RDONLY))

            outcome = self.trace("funclatency", run, "-F", "do_dentry_open")
        self.assertEqual(totals(outcome, "function"), {"do_dentry_open": 2 * OPENS})

    def test_times(self) -> None:
        outcome = self.trace("funclatency", sleep, "-m", "hrtimer_nanosleep")
        rows = times(outcome)
        self.assertEqual(sum(count for _, count in rows), SLEEPS)
        self.assertGreaterEqual(rows[0][0], 16)


@support.only_on("5.10", "6.12")
class SingleKprobes(KernelFunctions):
    kind = ("kretprobes:",)
    pattern = "vfs_re*"

    def setUp(self) -> None:
        super().setUp()
        _lower_rung(self)


class SystemCalls(PlacesTest):
    @unittest.skipUnless(os.uname().machine == "x86_64", "names are those of x86_64")
    def test_functions_of_system_calls(self) -> None:
        for call, made in (("getppid", PPIDS), ("getgid", GIDS)):
            name = f"__x64_sys_{call}"
            outcome = self.trace("funclatency", places.call_kernel, "-F", f"p::{name}")
            self.assertEqual(totals(outcome, "function"), {name: made})


@support.only_on("6.1")
class Refusals(PlacesTest):
    def test_tracepoints_cannot_be_timed(self) -> None:
        message = self.assert_usage_error("funclatency", "t:sched:sched_switch")
        self.assertIn("only functions can be timed", message)

    def test_what_a_probe_at_the_return_would_end(self) -> None:
        message = self.assert_fails(1, "funclatency", "c:*setjmp")
        self.assertIn("returns to more than one place", message)

    @unittest.skipIf(HAS_FUNCTIONS, "functions can be traced here")
    def test_functions_of_the_kernel(self) -> None:
        message = self.assert_fails(1, "funclatency", "__x64_sys_get*")
        self.assertIn("functions of this kernel cannot be traced", message)


def _lower_rung(test: unittest.TestCase) -> None:
    for patch in (
        mock.patch.dict(os.environ, RUNG="1"),
        mock.patch.object(support, "SKEP", LAUNCHER),
    ):
        patch.start()
        test.addCleanup(patch.stop)
