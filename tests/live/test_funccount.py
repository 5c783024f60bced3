"""funccount: every call is counted once, under the name of what was called."""

from __future__ import annotations

import os
import subprocess
import time
import unittest
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
from tests.live.support import Outcome, Tool, matches
from tests.live.test_rungs import LAUNCHER

COUNT, OTHER, DEPTH = 101, 37, 13
ON_X86 = os.uname().machine == "x86_64"


def counts(outcome: Outcome) -> dict[str, int]:
    """Calls by name."""
    return {row["func"]: row["count"] for row in outcome.objects("table")}


@support.only_on("5.10", "6.12", support.ARM64)
class Programs(PlacesTest):
    """Functions and USDT probes of the workload "calls", run twice."""

    def count(
        self, pattern: str, *options: str, runs: tuple[str, ...]
    ) -> dict[str, int]:
        program = workload.program("calls")
        pattern = pattern.replace("PATH", program)
        with Tool("funccount", "--json", "-v", pattern, *options) as tool:
            for run in runs:
                workload.run("calls", *run.split())
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        self.assertEqual(outcome.ledger(), {})
        return counts(outcome)

    def test_functions_by_pattern_in_several_processes(self) -> None:
        runs = (f"entry {COUNT}", f"entry {OTHER}", f"nested {OTHER} {DEPTH}")
        expected = {"skep_add": COUNT + OTHER, "skep_sum": OTHER * (DEPTH + 1)}
        self.assertEqual(self.count("PATH:skep_*", runs=runs), expected)
        self.assertEqual(self.count("p:PATH:skep_*", runs=runs), expected)

    def test_threads(self) -> None:
        shown = self.count("PATH:skep_s*", runs=(f"threads {OTHER} {DEPTH}",))
        self.assertEqual(shown, {"skep_sum": 7 * OTHER * (DEPTH + 1)})

    def test_regular_expressions(self) -> None:
        runs = (f"entry {COUNT}", f"tail {OTHER}")
        shown = self.count("PATH:skep_(?:add|last)", "-r", runs=runs)
        self.assertEqual(shown, {"skep_add": COUNT, "skep_last": OTHER})

    def test_usdt(self) -> None:
        runs = (f"usdt {COUNT}", f"usdt {OTHER}")
        each = {"each": COUNT + OTHER}
        self.assertEqual(self.count("u:PATH:each", runs=runs), each)
        self.assertEqual(self.count("u:PATH:skep:ea*", runs=runs), each)

    @unittest.skipUnless(ON_X86, "written for x86_64's assembler")
    def test_usdt_by_pattern(self) -> None:
        every = dict.fromkeys(("each", "forms", "mixed"), COUNT)
        runs = (f"usdt {COUNT}",)
        self.assertEqual(self.count("u:PATH:*", runs=runs), every)
        del every["each"]
        self.assertEqual(self.count("u:PATH:(forms|mixed)", "-r", runs=runs), every)


class SingleProbes(Programs):
    """The same by a perf event for each place."""

    def setUp(self) -> None:
        for patch in (
            mock.patch.dict(os.environ, RUNG="1"),
            mock.patch.object(support, "SKEP", LAUNCHER),
        ):
            patch.start()
            self.addCleanup(patch.stop)


@support.only_on("6.1")
class Libraries(PlacesTest):
    def test_a_function_with_several_names_is_counted_once(self) -> None:
        outcome = self.trace("funccount", places.call_libc, "-r", "c:l?labs")
        self.assertEqual(list(counts(outcome).values()), [LABS])
        outcome = self.trace("funccount", places.call_libc, "c:labs")
        self.assertEqual(counts(outcome), {"labs": LABS})

    def test_a_program_on_the_path(self) -> None:
        directory, name = os.path.split(workload.program("calls"))
        path = f"{directory}:{os.environ['PATH']}"
        tool = Tool("funccount", "--json", "-v", f"{name}:skep_s*")
        with mock.patch.dict(os.environ, PATH=path), tool:
            workload.run("calls", "nested", OTHER, DEPTH)
            outcome = tool.stop()
        self.assertEqual(counts(outcome), {"skep_sum": OTHER * (DEPTH + 1)})

    def test_one_cpu(self) -> None:
        cpu = min(os.sched_getaffinity(0))

        def run() -> None:
            os.sched_setaffinity(0, {cpu})
            places.call_libc()

        here, elsewhere = ("-c", str(cpu)), ("-c", str(cpu + 1))
        outcome = self.trace("funccount", run, "c:labs", *here)
        self.assertEqual(counts(outcome), {"labs": LABS})
        outcome = self.trace("funccount", run, "c:labs", *elsewhere)
        self.assertEqual(counts(outcome), {})


class Tracepoints(PlacesTest):
    def test_by_name_and_by_pattern(self) -> None:
        name = "syscalls:sys_enter_getppid"
        outcome = self.trace("funccount", places.call_kernel, f"t:{name}")
        self.assertEqual(counts(outcome), {name: PPIDS})
        pattern = "t:syscalls:sys_enter_get*id"
        outcome = self.trace("funccount", places.call_kernel, pattern)
        expected = {name: PPIDS, "syscalls:sys_enter_getgid": GIDS}
        self.assertEqual(counts(outcome), expected)
        pattern = "t:syscalls:sys_enter_get(g|pp)id"
        outcome = self.trace("funccount", places.call_kernel, "-r", pattern)
        self.assertEqual(counts(outcome), expected)

    @unittest.skipUnless(
        ON_X86, "the kernel's names of system calls are those of x86_64"
    )
    def test_functions_of_system_calls(self) -> None:
        pattern = "p::__x64_sys_getppid"
        outcome = self.trace("funccount", places.call_kernel, pattern)
        name = "__x64_sys_getppid" if HAS_FUNCTIONS else "syscalls:sys_enter_getppid"
        self.assertEqual(counts(outcome), {name: PPIDS})


class KernelFunctions(PlacesTest):
    kind = "kprobe"
    pattern = "vfs_*"

    def setUp(self) -> None:
        if not HAS_FUNCTIONS:
            self.skipTest("functions of this kernel cannot be traced")

    def test_by_pattern(self) -> None:
        outcome = self.trace_files("funccount", self.pattern)
        self.assertIn(f"functions: {self.kind}", outcome.stderr.decode())
        shown = counts(outcome)
        self.assertEqual(shown["vfs_rename"], RENAMES)
        if self.pattern == "vfs_*":
            self.assertEqual(shown["vfs_truncate"], TRUNCATES)

    def test_by_name(self) -> None:
        outcome = self.trace_files("funccount", "vfs_rename")
        self.assertEqual(counts(outcome), {"vfs_rename": RENAMES})

    @support.only_on("6.1", "7.2")
    def test_by_regular_expression(self) -> None:
        outcome = self.trace_files("funccount", "-r", "vfs_(rename|trunc.*)")
        expected = {"vfs_rename": RENAMES, "vfs_truncate": TRUNCATES}
        self.assertEqual(counts(outcome), expected)


@support.only_on("5.10", "6.12")
class SingleKprobes(KernelFunctions):
    kind = "kprobes"
    pattern = "vfs_re*"

    def setUp(self) -> None:
        super().setUp()
        for patch in (
            mock.patch.dict(os.environ, RUNG="1"),
            mock.patch.object(support, "SKEP", LAUNCHER),
        ):
            patch.start()
            self.addCleanup(patch.stop)


@support.only_on("7.2")
class Text(PlacesTest):
    def test_reports(self) -> None:
        program = workload.program("calls")
        with Tool("funccount", "-T", f"{program}:skep_*") as tool:
            workload.run("calls", "entry", COUNT)
            workload.run("calls", "nested", OTHER, 1)
            outcome = tool.stop()
        self.assert_clean(outcome)
        banner, blank, now, *rows, last = outcome.lines()
        text = f'functions for "{program}:skep_*"... Hit Ctrl-C to end.'
        self.assertTrue(matches(rf"Tracing 6 {text}".replace("*", r"\*"), [banner]))
        self.assertEqual((blank, last), ("", "Detaching..."))
        time.strptime(now, "%H:%M:%S")
        names = [("FUNC", "COUNT"), ("skep_sum", 2 * OTHER), ("skep_add", COUNT)]
        self.assertEqual(rows, [f"{name:<36} {number:>8}" for name, number in names])

    def test_intervals(self) -> None:
        program = workload.program("calls")
        done = subprocess.run(
            [
                support.SKEP,
                "funccount",
                "-i",
                "0.1",
                "--count",
                "3",
                f"{program}:skep_*",
            ],
            capture_output=True,
            text=True,
            timeout=support.START_SECONDS,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.count("FUNC"), 3)

    def test_intervals_until_an_end(self) -> None:
        child = support.Paused(places.call_libc)
        options = ("-Ti", "0.5", "-d", "3600", "-p", str(child.pid), "-r")
        with Tool("funccount", *options, "c:^(labs|atoi)$") as tool:
            child.proceed()
            tool.wait_for(lambda output: b"labs " in output)
            outcome = tool.stop()
        self.assert_clean(outcome)
        times = [line for line in outcome.lines() if line.count(":") == 2]
        self.assertTrue(times, outcome.stdout)
        rows = [line.split() for line in outcome.lines() if line.startswith("labs ")]
        self.assertEqual(sum(int(count) for _, count in rows), LABS)

    def test_debugging(self) -> None:
        done = subprocess.run(
            [support.SKEP, "funccount", "-D", "c:labs"],
            capture_output=True,
            text=True,
            timeout=support.START_SECONDS,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("r1 = ", done.stdout)


@support.only_on("6.1")
class Refusals(PlacesTest):
    def test_what_is_not_there(self) -> None:
        for pattern, said in (
            ("c:no_such_*", "there is no function no_such_* in"),
            ("c:mallok", "did you mean malloc"),
            ("nolibrary:free", "no library or program called nolibrary"),
            ("t:sched:sched_swich", "did you mean sched:sched_switch"),
            ("t:sched:no_*", "no tracepoint matches 'sched:no_*'"),
            ("u:/bin/sh:no_such_probe", "there is no USDT probe no_such_probe"),
        ):
            with self.subTest(pattern=pattern):
                message = self.assert_fails(1, "funccount", pattern)
                self.assertIn(said, message)
                self.assertIn("PATTERN:1:", message)

    @unittest.skipIf(HAS_FUNCTIONS, "functions can be traced here")
    def test_functions_of_the_kernel(self) -> None:
        message = self.assert_fails(1, "funccount", "vfs_*")
        self.assertIn("functions of this kernel cannot be traced", message)
        for form in ("t:CATEGORY:EVENT", "u:LIBRARY:PROBE", "p::__x64_sys_read"):
            self.assertIn(form, message)

    @unittest.skipUnless(HAS_FUNCTIONS, "functions cannot be traced here")
    def test_functions_that_are_not_there(self) -> None:
        message = self.assert_fails(1, "funccount", "no_such_*")
        self.assertIn("no function that can be traced matches 'no_such_*'", message)
        self.assertIn(
            "did you mean vfs_read", self.assert_fails(1, "funccount", "vfs_reed")
        )

    def test_malformed_patterns(self) -> None:
        for pattern in ("x:sched:y", "t:sched", "", "c:", "u:a:b:c:d", "p::"):
            with self.subTest(pattern=pattern):
                self.assert_usage_error("funccount", pattern)
        self.assert_usage_error("funccount", "-r", "c:mal(")
        self.assert_usage_error("funccount")
