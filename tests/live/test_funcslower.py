"""funcslower: slow calls have rows with their arguments, results and times."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

from tests.live import places, support, workload
from tests.live.places import (
    GIDS,
    HAS_FUNCTIONS,
    LENGTH,
    PPIDS,
    RENAMES,
    TRUNCATES,
    PlacesTest,
)
from tests.live.support import Tool
from tests.live.test_funclatency import SLEEP_MS, SLEEPS, sleep
from tests.live.test_functions import OPENS, overlay

NESTED, DEPTH, SEEKS = 37, 13, 17
EVERY = ("-u", "0.001")

# Children of these tests have the name of this process.
COMM = Path("/proc/self/comm").read_text().rstrip()


def names(events: list[dict[str, Any]]) -> Counter[str]:
    """Calls by function."""
    return Counter(event["func"] for event in events)


@support.only_on("6.1", "7.2")
class UserFunctions(PlacesTest):
    def events(self, pattern: str, *run: Any) -> list[dict[str, Any]]:
        program = workload.program("calls")
        options = ("--json", "-v", *EVERY, "-a", "1")
        with Tool("funcslower", *options, f"{program}:{pattern}") as tool:
            workload.run("calls", *run)
            outcome = tool.stop()
        self.assertEqual(outcome.ledger(), {})
        return outcome.objects("event")

    def test_arguments_and_results_of_recursive_calls(self) -> None:
        events = self.events("skep_sum", "nested", NESTED, DEPTH)
        expected = {(n, n * (n + 1) // 2): NESTED for n in range(DEPTH + 1)}
        self.assertEqual(Counter((e["arg1"], e["ret"]) for e in events), expected)

    def test_functions_that_end_in_a_jump_to_another(self) -> None:
        events = self.events("skep_*st", "tail", NESTED)
        expected = Counter[Any]()
        for n in range(NESTED):
            expected["skep_first", n, 2 * (n + 1000)] += 1
            expected["skep_last", n + 1000, 2 * (n + 1000)] += 1
        shown = Counter((e["func"], e["arg1"], e["ret"]) for e in events)
        self.assertEqual(shown, expected)

    def test_threshold(self) -> None:
        outcome = self.trace("funcslower", sleep, "-m", "10", "c:usleep")
        events = outcome.objects("event")
        self.assertEqual(names(events), {"usleep": SLEEPS})
        self.assertTrue(all(e["latency_ns"] >= SLEEP_MS * 10**6 for e in events))
        outcome = self.trace("funcslower", sleep, "-m", "100000", "c:usleep")
        self.assertEqual(outcome.objects("event"), [])

    def test_text(self) -> None:
        child = support.Paused(sleep)
        arguments = ("-m", "10", "-a", "1", "-p", str(child.pid), "c:usleep")
        with Tool("funcslower", *arguments) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assert_clean(outcome)
        banner, header, *rows = outcome.lines()
        self.assertEqual(
            banner, "Tracing function calls slower than 10 ms... Ctrl+C to quit."
        )
        titles = ("COMM", "PID", "LAT(ms)", "RVAL")
        self.assertEqual(header, "{:<14} {:<6} {:>7} {:>16} FUNC ARGS".format(*titles))
        form = rf"^{COMM} +{child.pid} +\d+\.\d\d +0 usleep {SLEEP_MS * 1000:#x}$"
        self.assertEqual(len(rows), SLEEPS)
        for row in rows:
            self.assertRegex(row, form)

    def test_several_functions_of_a_library(self) -> None:
        def run() -> None:
            library = ctypes.CDLL(None)
            places.call_libc()
            for text in (b"7", b"11", b"13"):
                library.atoi(text)

        outcome = self.trace("funcslower", run, "c:labs", "c:atoi", *EVERY)
        shown = names(outcome.objects("event"))
        self.assertEqual(shown, {"labs": places.LABS, "atoi": 3})

    def test_times_and_stacks(self) -> None:
        child = support.Paused(sleep)
        options = ("-tUKm", "10", "-p", str(child.pid))
        with Tool("funcslower", *options, "c:usleep") as tool:
            child.proceed()
            outcome = tool.stop()
        self.assert_clean(outcome)
        _, header, *blocks = (
            outcome.stdout.decode().replace("\n", "\n\n", 2).split("\n\n")
        )
        self.assertRegex(header, r"^TIME\(s\) +COMM +PID ")
        self.assertEqual((len(blocks), blocks.pop()), (SLEEPS + 1, ""))
        seconds = [float(block.split()[0]) for block in blocks]
        self.assertEqual((seconds[0], seconds), (0, sorted(seconds)))
        for block in blocks:
            self.assertRegex(block, r"^\d.* usleep(\n    \S[^\n]*)+$")

    def test_time_of_day(self) -> None:
        child = support.Paused(sleep)
        with Tool("funcslower", "-T", "-p", str(child.pid), "c:usleep") as tool:
            child.proceed()
            outcome = tool.stop()
        self.assert_clean(outcome)
        _, header, *rows = outcome.lines()
        self.assertRegex(header, r"^TIME +COMM ")
        self.assertEqual(len(rows), SLEEPS)
        for row in rows:
            self.assertRegex(row, r"^\d\d:\d\d:\d\d +\S")

    def test_folded_stacks_and_flame_graphs(self) -> None:
        child = support.Paused(sleep)
        with tempfile.NamedTemporaryFile(suffix=".svg") as graph:
            options = ("-fU", "--flamegraph", graph.name, "-v")
            tool = ("funcslower", *options, "-p", str(child.pid), "c:usleep")
            with subprocess.Popen(
                [support.SKEP, *tool], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as running:
                assert running.stderr is not None
                running.stderr.readline()  # what is attached
                child.proceed()
                running.send_signal(signal.SIGINT)
                text, said = running.communicate(timeout=support.STOP_SECONDS)
            drawn = graph.read()
        self.assertEqual(running.returncode, 0, said)
        lines = text.decode().splitlines()
        self.assertEqual(len(lines), SLEEPS)
        for line in lines:
            self.assertRegex(line, rf"^{COMM};.* 1$")
        self.assertIn(b"<svg", drawn)


class KernelFunctions(PlacesTest):
    def setUp(self) -> None:
        if not HAS_FUNCTIONS:
            self.skipTest("functions of this kernel cannot be traced")

    @support.only_on("5.10", "7.2", support.ARM64)
    def test_arguments(self) -> None:
        functions = ("vfs_rename", "vfs_truncate")
        outcome = self.trace_files("funcslower", *EVERY, "-a", "2", *functions)
        events = outcome.objects("event")
        expected = {"vfs_rename": RENAMES, "vfs_truncate": TRUNCATES}
        self.assertEqual(names(events), expected)
        self.assertEqual({event["ret"] for event in events}, {0})
        lengths = {e["arg2"] for e in events if e["func"] == "vfs_truncate"}
        self.assertEqual(lengths, {LENGTH})

    def test_calls_within_calls(self) -> None:
        with tempfile.TemporaryDirectory() as directory, overlay(directory) as merged:
            for number in range(OPENS):
                open(f"{merged}/file{number}", "w").close()

            def run() -> None:
                for number in range(OPENS):
                    os.close(os.open(f"{merged}/file{number}", os.O_RDONLY))

            outcome = self.trace("funcslower", run, *EVERY, "-a", "1", "do_dentry_open")
        events = outcome.objects("event")
        self.assertEqual(len(events), 2 * OPENS)
        for inner, outer in zip(events[::2], events[1::2]):
            self.assertNotEqual(inner["arg1"], outer["arg1"])
            self.assertGreater(outer["latency_ns"], inner["latency_ns"])

    @unittest.skipIf(
        os.uname().release.startswith("5.10."),
        "before 5.15 stacks end at the return of a traced function",
    )
    def test_stacks(self) -> None:
        outcome = self.trace_files("funcslower", *EVERY, "-K", "vfs_rename")
        events = outcome.objects("event")
        self.assertEqual(len(events), RENAMES)
        for event in events:
            symbols = [frame["symbol"] for frame in event["kernel_stack"]]
            # do_renameat2 is filename_renameat2 in newer kernels.
            callers = [each for each in symbols if each and "sys_rename" in each]
            self.assertTrue(callers, symbols)
            self.assertLess(symbols.index(callers[0]), len(symbols) - 1)

    @support.only_on("5.10", "6.12")
    def test_kernel_and_library_together(self) -> None:
        def run() -> None:
            places.call_libc()
            places.call_kernel()

        outcome = self.trace("funcslower", run, *EVERY, "c:labs", "__*_sys_getppid")
        shown = names(outcome.objects("event"))
        self.assertEqual(shown.pop("labs"), places.LABS)
        self.assertEqual(list(shown.values()), [PPIDS])


class SystemCalls(PlacesTest):
    @unittest.skipUnless(os.uname().machine == "x86_64", "names are those of x86_64")
    def test_functions_of_system_calls(self) -> None:
        functions = ("p::__x64_sys_getppid", "__x64_sys_getgid")
        outcome = self.trace("funcslower", places.call_kernel, *EVERY, *functions)
        expected = {"__x64_sys_getppid": PPIDS, "__x64_sys_getgid": GIDS}
        self.assertEqual(names(outcome.objects("event")), expected)

    @unittest.skipUnless(os.uname().machine == "x86_64", "names are those of x86_64")
    @support.only_on("5.10", "7.2")
    def test_arguments(self) -> None:
        """They are those of the call, and 0 for what it lacks, in order."""
        functions = ("__x64_sys_lseek", "p::__x64_sys_getpgid")
        columns = [f"arg{number}" for number in range(1, 7)]

        def run() -> None:
            with open(__file__, "rb", buffering=0) as file:
                for position in range(SEEKS):
                    os.lseek(file.fileno(), position, os.SEEK_SET)
            os.getpgid(0)

        outcome = self.trace("funcslower", run, *EVERY, "-a", "6", *functions)
        calls = [
            (e["func"], *(e[each] for each in columns))
            for e in outcome.objects("event")
        ]
        (file,) = {call[1] for call in calls if call[1]}
        seeks = [("__x64_sys_lseek", file, n, 0, 0, 0, 0) for n in range(SEEKS)]
        self.assertEqual(calls[-SEEKS - 1 : -1], seeks)
        self.assertEqual(calls[-1], ("__x64_sys_getpgid", 0, 0, 0, 0, 0, 0))


@support.only_on("6.1")
class Refusals(PlacesTest):
    def test_options(self) -> None:
        self.assert_usage_error("funcslower")
        self.assert_usage_error("funcslower", "-a", "7", "c:malloc")
        self.assert_usage_error("funcslower", "-m", "-1", "c:malloc")
        self.assert_usage_error("funcslower", "t:sched:sched_switch")
        message = self.assert_fails(1, "funcslower", "c:malloc", "c:mallok")
        self.assertIn("there is no function mallok", message)
