"""What programs cost is told, and a run that costs too much ends by itself."""

from __future__ import annotations

import os
import re
import subprocess
import unittest
from pathlib import Path

from tests.live import support, workload
from tests.live.bpf_objects import existing_objects, held_objects
from tests.live.capabilities import enough, holding
from tests.live.support import Outcome, Tool

TOOLS = support.TREE / "tests" / "live" / "tools"
CALLS = str(TOOLS / "calls.py")
NUMBERS = str(TOOLS / "numbers.py")

COUNT = 1009
NESTED, DEPTH = 7, 12

NEVER = ("--name", "no file has this name")
"""opensnoop with events, but without rows."""


@support.only_on("5.10")
class Costs(support.LiveTest):
    def trace(self, case: str, *arguments: workload.Argument) -> Outcome:
        program = workload.program("calls")
        with Tool(CALLS, program, "--case", case, "--json", "-v") as tool:
            workload.run("calls", *arguments)
            return tool.stop()

    def test_runs_are_those_that_were_made(self) -> None:
        outcome = self.trace("entry", "entry", COUNT)
        (cost,) = outcome.objects("cost")
        self.assertEqual((cost["program"], cost["runs"]), ("added", COUNT))
        self.assertGreater(cost["run_time_ns"], COUNT)
        self.assertLess(cost["run_time_ns"], cost["elapsed_ns"] * os.cpu_count())

    def test_text(self) -> None:
        text = self.trace("entry", "entry", COUNT).stderr.decode()
        pattern = rf"added \(uprobe\S+\): {COUNT} runs, \d+ ns each, [\d.]+ % of a CPU"
        self.assertRegex(text.splitlines()[-1], f"^{pattern}$")

    def test_each_program_by_itself(self) -> None:
        outcome = self.trace("return", "nested", NESTED, DEPTH)
        runs = [cost["runs"] for cost in outcome.objects("cost")]
        self.assertEqual(runs, 2 * [NESTED * (DEPTH + 1)])

    def test_a_program_at_many_places(self) -> None:
        # Without cookies (before 5.15) it is one program for each.
        program = workload.program("calls")
        with Tool("funccount", "--json", "-v", f"{program}:skep_*") as tool:
            workload.run("calls", "paths", 5)
            outcome = tool.stop()
        (cost,) = outcome.objects("cost")
        rows = {row["func"]: row["count"] for row in outcome.objects("table")}
        self.assertEqual((len(rows), rows["skep_bottom"]), (2, 32))
        self.assertEqual(cost["runs"], sum(rows.values()))

    def test_nothing_is_said_without_the_option(self) -> None:
        with Tool("opensnoop", *NEVER, "--max-overhead", "100000") as tool:
            workload.run("opens", "flood", COUNT, "/dev/null", 0)
            self.assert_clean(tool.stop())


@support.only_on("5.10")
class Limit(support.LiveTest):
    """A flood of cheap events, and a limit that it is far above."""

    def setUp(self) -> None:
        flood = workload.start("opens", "flood", 1 << 40, "/dev/null", 0)
        self.addCleanup(flood.communicate)
        self.addCleanup(flood.kill)

    def ended(self, *arguments: str) -> Outcome:
        with Tool(*arguments, "--max-overhead", "0.01") as tool:
            held = held_objects(tool.process.pid)
            outcome = tool.wait()
        self.assertEqual(outcome.status, 4, outcome.stderr)
        left = {kind for kind, _ in held & existing_objects()} - {"program", "map"}
        self.assertEqual(left, set())  # those the kernel frees after a while
        return outcome

    def test_the_run_ends_with_a_message_and_a_summary(self) -> None:
        text = self.ended("opensnoop", *NEVER).stderr.decode()
        told = re.search(
            r"^skep: stopped: in the last second the programs took ([\d.]+) % of a CPU,"
            r" more than --max-overhead 0\.01$",
            text,
            re.MULTILINE,
        )
        assert told is not None, text
        self.assertGreater(float(told[1]), 0.01)
        self.assertRegex(text, r"(?m)^opened \(\S+\): \d+ runs, \d+ ns each, ")

    def test_output_that_nobody_reads(self) -> None:
        command = [support.SKEP, "opensnoop", "--max-overhead", "0.01"]
        with subprocess.Popen(command, bufsize=0, stdout=-1, stderr=-1) as process:
            assert process.stderr is not None
            told = any(line.startswith(b"detached, ") for line in process.stderr)
            self.assertTrue(told)
            held = held_objects(process.pid)
            self.assertEqual({kind for kind, _ in held} - {"program", "map"}, set())
            _, text = process.communicate(timeout=support.STOP_SECONDS)
        self.assertEqual(process.returncode, 4, text)
        self.assertIn(b"skep: stopped: in the last second", text)

    def test_json(self) -> None:
        outcome = self.ended("opensnoop", "--json", "-v", *NEVER)
        self.assertGreater(outcome.objects("cost")[0]["runs"], 0)
        self.assertEqual(len(outcome.objects("loss")[-1:]), 1)
        (error,) = outcome.objects("error")
        self.assertIn("--max-overhead 0.01", error["message"])

    def test_what_was_counted_is_shown(self) -> None:
        with Tool(NUMBERS, "--json", "-v", "--max-overhead", "0.01") as tool:
            outcome = tool.wait()
        self.assertEqual(outcome.status, 4)
        (histogram,) = outcome.objects("histogram")
        self.assertGreater(sum(each["count"] for each in histogram["buckets"]), 0)

    def test_a_limit_that_is_high_enough(self) -> None:
        limit = ("--max-overhead", "10000", "--duration", "3")  # measured each second
        with Tool("opensnoop", *NEVER, *limit) as tool:
            outcome = tool.wait()
        self.assertEqual(outcome.status, 0)


@support.only_on("5.10")
class Privilege(support.LiveTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        sysctl = Path("/proc/sys/kernel/bpf_stats_enabled")
        if sysctl.read_text().strip() != "0":
            raise unittest.SkipTest("this machine measures all programs")

    def test_a_limit_that_cannot_be_kept_is_refused(self) -> None:
        command = [*holding(enough()), support.SKEP, "opensnoop", "--max-overhead", "1"]
        done = subprocess.run(
            command, capture_output=True, timeout=support.START_SECONDS
        )
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"lacks CAP_SYS_ADMIN\n", done.stderr)

    def test_otherwise_the_cost_is_unknown(self) -> None:
        with Tool("opensnoop", "-v", prefix=holding(enough())) as tool:
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        told = b"the cost of programs is not known: not permitted to measure programs"
        self.assertIn(told, outcome.stderr)


@support.only_on("5.10")
class Refused(support.LiveTest):
    def test_values_that_are_no_share(self) -> None:
        for value in ("0", "-1", "nan", "inf", "much", ""):
            with self.subTest(value=value):
                text = self.assert_usage_error("opensnoop", "--max-overhead", value)
                self.assertIn("--max-overhead: ", text)
