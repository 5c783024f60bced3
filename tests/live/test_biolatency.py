"""biolatency counts every request to a block device, once, in its histogram."""

from __future__ import annotations

import ast
import os
import re
import time
from collections import Counter
from typing import NamedTuple

from tests.live import support, workload
from tests.live.disk import scratch_disk
from tests.live.support import Outcome, Tool

REQUESTS = 101
PROCESSES = 10
ROUNDS = 5
SIZE = 8192

BANNER = "Tracing block device I/O... Hit Ctrl-C to end."
SLOT = r" +(\d+) -> (\d+) +: (\d+) +\|(\**) *\|"


class Slot(NamedTuple):
    """One line of a histogram."""

    low: int
    high: int
    requests: int
    stars: int


def slots(lines: list[str]) -> list[Slot]:
    """The lines of all histograms, in order."""
    found = support.matches(SLOT, lines)
    return [Slot(int(m[1]), int(m[2]), int(m[3]), len(m[4])) for m in found]


def total(outcome: Outcome) -> int:
    """The requests in all histograms."""
    return sum(slot.requests for slot in slots(outcome.lines()))


def sections(outcome: Outcome, key: str) -> dict[str, int]:
    """The requests of each section "KEY = NAME"."""
    parts = re.split(rf"^{key} = (.*)$", outcome.stdout.decode(), flags=re.MULTILINE)
    counts: dict[str, int] = {}
    for name, text in zip(parts[1::2], parts[2::2]):
        count = sum(slot.requests for slot in slots(text.splitlines()))
        counts[name] = counts.get(name, 0) + count
    return counts


class BiolatencyTest(support.LiveTest):
    """Each test has the scratch disk for itself."""

    def setUp(self) -> None:
        disk = scratch_disk()
        self.device = disk.__enter__()
        self.addCleanup(disk.__exit__, None, None, None)
        self.disk = os.path.basename(self.device)

    def request(self, kind: str, count: int = REQUESTS) -> int:
        """Makes requests of one kind; returns the nanoseconds that all took."""
        return int(workload.run("blockio", self.device, kind, count, SIZE))

    def trace(self, *options: str, kind: str = "read") -> Outcome:
        """Traces requests of one kind to the scratch disk."""
        with Tool("biolatency", "-d", self.disk, *options) as tool:
            self.request(kind)
            outcome = tool.stop()
        self.assert_clean(outcome)
        return outcome


class Counts(BiolatencyTest):
    def test_every_request_is_counted_once(self) -> None:
        for kind in ("read", "write"):
            for options in ((), ("-Q",), ("-m",), ("-Q", "-m")):
                with self.subTest(kind=kind, options=options):
                    self.assertEqual(total(self.trace(*options, kind=kind)), REQUESTS)

    def test_flush_and_discard(self) -> None:
        for kind in ("flush", "discard"):
            try:
                self.request(kind, count=1)
            except RuntimeError:
                self.skipTest(f"{self.disk} does not {kind}")
            with self.subTest(kind=kind):
                self.assertEqual(total(self.trace(kind=kind)), REQUESTS)

    def test_ten_processes_at_the_same_sectors(self) -> None:
        for options in ((), ("-Q",)):
            with self.subTest(options=options):
                with Tool("biolatency", "-d", self.disk, *options) as tool:
                    arguments = self.device, "read", REQUESTS, SIZE
                    running = [
                        workload.start("blockio", *arguments) for _ in range(PROCESSES)
                    ]
                    for process in running:
                        workload.finish(process)
                    outcome = tool.stop()
                made = REQUESTS * PROCESSES
                self.assert_counted(outcome, total(outcome), made)

    def test_other_disks_are_not_counted(self) -> None:
        with scratch_disk() as other, Tool("biolatency", "-d", self.disk) as tool:
            if other == self.device:
                self.skipTest("there is only one scratch disk")
            workload.run("blockio", other, "read", REQUESTS, SIZE)
            outcome = tool.stop()
        self.assertEqual(total(outcome), 0)

    def test_by_disk(self) -> None:
        with Tool("biolatency", "-D") as tool:
            self.request("read")
            outcome = tool.stop()
        self.assertEqual(sections(outcome, "disk")[self.disk], REQUESTS)

    def test_by_flags(self) -> None:
        with Tool("biolatency", "-F", "-d", self.disk) as tool:
            self.request("read")
            self.request("write", count=2 * REQUESTS)
            outcome = tool.stop()
        counts: dict[str, int] = {}
        for flags, count in sections(outcome, "flags").items():
            counts[flags.rpartition("-")[2]] = count
        self.assertEqual(counts, {"Read": REQUESTS, "Write": 2 * REQUESTS})
        self.assertIn("Idle-Sync-Write", sections(outcome, "flags"))

    @support.only_on("5.10", "7.2")
    def test_flags_of_flush_and_discard(self) -> None:
        for kind in ("flush", "discard"):
            try:
                self.request(kind, count=1)
            except RuntimeError:
                self.skipTest(f"{self.disk} does not {kind}")
            with self.subTest(kind=kind):
                counts: Counter[str] = Counter()
                for flags, count in sections(
                    self.trace("-F", kind=kind), "flags"
                ).items():
                    counts[flags.rpartition("-")[2]] += count
                self.assertEqual(counts, {kind.capitalize(): REQUESTS})

    def test_flags_of_reading_ahead(self) -> None:
        with Tool("biolatency", "-F", "-d", self.disk) as tool:
            with open(self.device, "rb", buffering=0) as device:
                os.posix_fadvise(device.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                os.posix_fadvise(device.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                for _ in range(64):
                    device.read(SIZE)
            outcome = tool.stop()
        self.assertGreater(sections(outcome, "flags").get("ReadAhead-Read", 0), 0)


@support.only_on("5.10", "6.1")
class Output(BiolatencyTest):
    def test_layout(self) -> None:
        lines = self.trace().lines()
        self.assertEqual(lines[:2], [BANNER, ""])
        header = "     usecs               : count     distribution"
        self.assertEqual(lines[2], header)
        found = slots(lines)
        self.assertEqual(len(found), len(lines) - 3)
        self.assertEqual(found[0][:2], (0, 1))
        for line, slot in zip(lines[3:], found):
            stars = "*" * (40 * slot.requests // max(s.requests for s in found))
            bounds = f"{slot.low:>10d} -> {slot.high:<10d}"
            self.assertEqual(line, f"{bounds} : {slot.requests:<8d} |{stars:<40s}|")
        for below, slot in zip(found, found[1:]):
            self.assertEqual((slot.low, slot.high), (below.high + 1, slot.low * 2 - 1))
        self.assertGreater(found[-1].requests, 0)

    def test_latency_is_within_the_time_it_took(self) -> None:
        for options in ((), ("-Q",)):
            with Tool("biolatency", "-e", "-d", self.disk, *options) as tool:
                elapsed = self.request("read") // 1000
                outcome = tool.stop()
            summary = r"avg = (\d+) usecs, total: (\d+) usecs, count: (\d+)"
            found = support.matches(summary, outcome.lines())
            self.assertEqual(len(found), 1)
            average, sum_us, count = (int(text) for text in found[0].groups())
            self.assertEqual((average, count), (sum_us // REQUESTS, REQUESTS))
            self.assertLessEqual(sum_us, elapsed)
            lowest = sum(s.low * s.requests for s in slots(outcome.lines()))
            highest = sum((s.high + 1) * s.requests for s in slots(outcome.lines()))
            self.assertTrue(lowest <= sum_us <= highest, outcome.stdout)

    def test_milliseconds(self) -> None:
        lines = self.trace("-m").lines()
        self.assertEqual(lines[2], "     msecs               : count     distribution")

    def test_intervals(self) -> None:
        options = "-T", "-d", self.disk, "2", "3"
        with Tool("biolatency", *options) as tool:
            for _ in range(ROUNDS):
                self.request("read")
                time.sleep(0.5)
            outcome = tool.wait()
        self.assert_clean(outcome)
        times = support.matches(r"\d\d:\d\d:\d\d", outcome.lines())
        self.assertEqual(len(times), 3)
        self.assertEqual(total(outcome), ROUNDS * REQUESTS)

    def test_interrupt_reports_what_is_left(self) -> None:
        with Tool("biolatency", "-d", self.disk, "3600") as tool:
            self.request("read")
            outcome = tool.stop()
        self.assertEqual(total(outcome), REQUESTS)

    def test_nothing_happened(self) -> None:
        with Tool("biolatency", "-e", "-d", self.disk) as tool:
            outcome = tool.stop()
        self.assert_clean(outcome)
        self.assertEqual([line for line in outcome.lines() if line], [BANNER])

    def test_bcc_json(self) -> None:
        # Without a banner; reads are made until the first report appears.
        options = "-jF", "-d", self.disk, "1"
        with Tool("biolatency", *options, knock=lambda: self.request("read")) as tool:
            self.request("write")
            outcome = tool.stop()
        self.assert_clean(outcome)
        written = 0
        for line in outcome.lines():
            report = ast.literal_eval(line)
            self.assertEqual(report["val_type"], "usecs")
            self.assertRegex(report["ts"], r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
            if report["flags"].endswith("Write"):
                written += sum(slot["count"] for slot in report["data"])
        self.assertEqual(written, REQUESTS)

    def test_json(self) -> None:
        options = "--json", "-F", "-d", self.disk, "1"
        with Tool("biolatency", *options, knock=lambda: self.request("read")) as tool:
            self.request("write")
            outcome = tool.stop()
        counted = [
            slot["count"]
            for histogram in outcome.objects("histogram")
            for slot in histogram["buckets"]
            if histogram["flags_text"].endswith("Write")
        ]
        self.assertEqual(sum(counted), REQUESTS)


@support.only_on("5.10", "7.2")
class Refusals(BiolatencyTest):
    def test_usage_errors(self) -> None:
        for arguments in (
            ("--no-such-option",),
            ("-D", "-F"),
            ("-d", "no-such-disk"),
            ("0",),
            ("1", "0"),
            ("often",),
            ("1", "2", "3"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage_error("biolatency", *arguments)

    def test_unknown_disk_is_named(self) -> None:
        message = self.assert_usage_error("biolatency", "-d", "no-such-disk")
        self.assertIn("no such disk 'no-such-disk'", message)
