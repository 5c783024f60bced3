"""The workloads do what they say, as far as the kernel counts without being traced."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from tests.live import support, workload
from tests.live.disk import scratch_disk

COUNT = 31
SIZE = 4096

# Documentation/admin-guide/iostats.rst: completed reads, writes, discards, flushes.
_STAT_FIELDS = {"read": 0, "write": 4, "discard": 11, "flush": 15}


class Opens(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="skep-opens-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def test_cases_give_the_same_results_in_32_bits(self) -> None:
        results = []
        for program in ("opens", "opens_32"):
            text = workload.run(program, "cases", self.directory)
            results.append([call.result for call in workload.parse_opens(text)])
        self.assertEqual(results[0], results[1])

    def test_threads_use_every_path_once(self) -> None:
        text = workload.run("opens", "threads", self.directory, COUNT, 10)
        calls = workload.parse_opens(text)
        self.assertEqual(len({call.path for call in calls}), COUNT * 10)
        self.assertEqual(len({call.tid for call in calls}), 10)
        self.assertEqual({call.result < 0 for call in calls}, {True, False})

    def test_paced_takes_its_time(self) -> None:
        rate = int(10_000 / support.SLOW)
        elapsed = workload.run("opens", "paced", rate // 10, rate, "/dev/null", 0)
        self.assertGreater(int(elapsed), 99e6 * (1 - 10 / rate))


class Execs(unittest.TestCase):
    @support.only_on("5.10", "7.2", support.ARM64)
    def test_results(self) -> None:
        child = workload.program("child")
        # "fd" is missing: Debian's 5.10 in a guest answers it with ENOENT.
        hows = {"exec": 0, "thread": 0, "at": 0, "bare": 0, "null": 0, "fault": 14}
        for how, error in hows.items():
            with self.subTest(how=how):
                text = workload.run("execs", how, COUNT, 3, child, "argument")
                children = workload.parse_execs(text)
                self.assertEqual({child.error for child in children}, {error})
                self.assertEqual(len({child.label for child in children}), COUNT * 3)
                self.assertEqual(len({child.parent for child in children}), 3)


class BlockIo(support.LiveTest):
    def test_requests(self) -> None:
        with scratch_disk() as device:
            path = Path("/sys/class/block", os.path.basename(device), "stat")
            for kind, field in _STAT_FIELDS.items():
                with self.subTest(kind=kind):
                    before = path.read_text().split()
                    if field >= len(before):
                        self.skipTest("this kernel does not count them")
                    try:
                        workload.run("blockio", device, kind, COUNT, SIZE)
                    except RuntimeError as error:
                        if kind != "discard":
                            raise
                        self.skipTest(str(error))
                    after = path.read_text().split()
                    self.assertEqual(int(after[field]) - int(before[field]), COUNT)
