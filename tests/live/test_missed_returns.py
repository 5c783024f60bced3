"""Returns that a kretprobe missed are in the ledger, where the kernel counts them."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import subprocess
import sys
import time
from pathlib import Path

from tests.live import support
from tests.live.support import Tool
from tests.live.test_functions import HAS_KPROBES

TOOL = str(support.TREE / "tests" / "live" / "tools" / "eventfd_reads.py")

THREADS = 67
"""More than a kretprobe can follow at a time: 10, or two for each CPU."""

READERS = f"""
import os, threading
threads = [threading.Thread(target=os.read, args=(0, 8)) for _ in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

_EFD_SEMAPHORE = 1


def states(pid: int) -> str:
    """The states of a process's threads, a letter each."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return "".join(stat.read_text().rpartition(")")[2].split()[0] for stat in stats)


class MissedReturns(support.LiveTest):
    def setUp(self) -> None:
        if not HAS_KPROBES:
            self.skipTest("this kernel was built without kprobes")

    def test_shown_and_missed_are_all(self) -> None:
        counter = ctypes.CDLL(None).eventfd(0, _EFD_SEMAPHORE)
        self.addCleanup(os.close, counter)
        with Tool(TOOL, "--json", "-v") as tool:
            command = [sys.executable, "-S", "-c", READERS]
            with subprocess.Popen(command, stdin=counter) as readers:
                deadline = time.monotonic() + support.STOP_SECONDS
                while states(readers.pid) != "S" * (THREADS + 1):
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                os.write(counter, struct.pack("=Q", THREADS))
                readers.wait()
            outcome = tool.stop()
        rows = [row for row in outcome.objects("event") if row["pid"] == readers.pid]
        ends = [row for row in rows if row["ret"] == 8]
        self.assertEqual(len({row["tid"] for row in ends}), len(ends))
        # How many calls a kretprobe follows at once: one for each CPU where the kernel
        # is not preempted, as Debian's 5.10 (register_kretprobe, kernel/kprobes.c).
        self.assertGreaterEqual(len(ends), os.cpu_count() or 1)
        self.assertLess(len(ends), THREADS)
        missed = outcome.objects("loss")[-1]["missed_returns"]
        release = tuple(map(int, platform.release().split(".")[:2]))
        if release < (6, 7):
            self.assertIsNone(missed)
            self.assertEqual(outcome.ledger(), {})
            return
        self.assertEqual(len(ends) + missed, THREADS)
        self.assertIn(
            f"{missed} events lost because the kernel missed returns".encode(),
            outcome.stderr,
        )
