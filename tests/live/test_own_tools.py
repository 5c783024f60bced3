"""Tools in files of their own: what the three that skep ships do not use."""

from __future__ import annotations

import os
import subprocess
import time
import unittest
from pathlib import Path

from tests.live import support
from tests.live.support import Outcome, Tool

TOOLS = Path(__file__).resolve().parent / "tools"

CALLS = 10_007
"""A prime number of calls of getppid, which nothing else in this process makes."""

GETPPID = 110 if os.uname().machine == "x86_64" else 173


def call_getppid(times: int) -> None:
    """Makes so many system calls."""
    for _ in range(times):
        os.getppid()


class Aggregates(support.LiveTest):
    """Reports every 100 ms, while the counted calls go on, lose no count."""

    def trace(self, tool: str, *options: str) -> Outcome:
        """Traces this process while it makes CALLS calls."""
        arguments = (str(TOOLS / tool), "--pid", str(os.getpid()), "--json", "0.1")
        with Tool(*arguments, *options, knock=os.getuid) as running:
            call_getppid(CALLS)
            outcome = running.stop()
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.ledger(), {})
        return outcome

    def test_a_table_sums_up_to_all_calls(self) -> None:
        rows = self.trace("sums.py").objects("table")
        mine = [row for row in rows if row["number"] == GETPPID]
        self.assertEqual(sum(row["calls"] for row in mine), CALLS)
        self.assertEqual(sum(row["numbers"] for row in mine), CALLS * GETPPID)

    def test_histograms_sum_up_to_all_calls(self) -> None:
        for options in ((), ("--by-pid",)):
            with self.subTest(options=options):
                reports = self.trace("numbers.py", *options).objects("histogram")
                slots = [
                    bucket["count"]
                    for report in reports
                    for bucket in report["buckets"]
                    if bucket["low"] <= GETPPID <= bucket["high"]
                ]
                # Other calls have numbers between 64 and 127, too, but few.
                self.assertLess(abs(sum(slots) - CALLS), CALLS / 10)
                self.assertGreaterEqual(sum(slots), CALLS)


class Records(support.LiveTest):
    """Records that are put together piece by piece."""

    def test_a_record_that_is_not_sent_does_not_block_the_next(self) -> None:
        tool = str(TOOLS / "begun.py")
        missing = "/no-such-file"
        arguments = (tool, "--pid", str(os.getpid()), "--json")
        with Tool(*arguments, knock=lambda: _try_open("/no-such-knock")) as running:
            for _ in range(101):
                _try_open(os.devnull)
                _try_open(missing)
            outcome = running.stop()
        self.assertEqual(outcome.ledger(), {})
        rows = [event["parts"] for event in outcome.objects("event")]
        self.assertEqual(rows.count([missing, missing]), 101)


def _try_open(path: str) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        pass


class Places(support.LiveTest):
    """Timers, samples, paired system calls, both kinds of tracepoint."""

    def test_every_kind_of_probe_runs(self) -> None:
        tool = Tool(str(TOOLS / "places.py"), "--json", knock=os.getuid)
        with tool as running:
            begin = time.monotonic()
            child = subprocess.Popen(["sleep", "0.1"])
            child.wait()
            time.sleep(0.5)
            seconds = time.monotonic() - begin
            outcome = running.stop()
        self.assertEqual(outcome.status, 0)
        events = outcome.objects("event")
        mine = [event for event in events if event["pid"] == child.pid]
        by_kind = {event["what"]: event for event in mine}
        # More than once if an earlier task had the same address.
        self.assertGreaterEqual(by_kind[4]["number"], 1)
        self.assertEqual(by_kind[5]["comm"], "sleep")
        self.assertEqual(by_kind[5]["number"], child.pid)
        self.assertGreaterEqual(by_kind[3]["number"], 100_000_000)
        self.assertLess(by_kind[3]["number"], seconds * 1e9)
        ticks = [event for event in events if event["what"] == 1]
        self.assertGreater(len(ticks), 5)
        self.assertTrue([event for event in events if event["what"] == 2])


if __name__ == "__main__":
    unittest.main()
