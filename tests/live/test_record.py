"""A replay shows what the run showed."""

from __future__ import annotations

import os
import subprocess
import tempfile

from tests.live import support
from tests.live.support import Tool

COMMAND = ["--exec", "cat", "/nope"]

COUNTING = "p:c:setlocale(int category, char *name):int,char *:category,name"
DISTRIBUTING = "r:c:setlocale():u64:$latency#ns"

RUNS = [
    ["opensnoop", "-T", "-U", "--container", "-n", "cat"],
    ["stackcount", "--json", "-i", "1", "c:setlocale"],
    ["trace", "-U", 'c:setlocale "%d %s %U", arg1, arg2, arg2'],
    ["argdist", "-C", COUNTING, "-H", DISTRIBUTING],
]


class RecordTest(support.LiveTest):
    """Recordings in a directory of their own."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="skep-record-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "file")

    @support.only_on("6.12")
    def test_rows_are_those_of_the_run(self) -> None:
        for words in RUNS:
            with self.subTest(" ".join(words)):
                with Tool(*words, "--record", self.path, knock=_work) as tool:
                    _work()
                    live = tool.stop().lines()
                anew = ["-n", "cat"] if "-n" in words else []
                anew += [each for each in words if each == "--json"]
                with Tool("replay", self.path, *anew) as tool:
                    again = tool.wait()
                os.unlink(self.path)
                self.assertEqual(again.status, 0)
                self.assertRegex("".join(live), "/nope|setlocale|category")
                self.assertEqual(_rows(live), _rows(again.lines()))

    @support.only_on("6.12")
    def test_what_skep_opens_for_its_output_is_no_row(self) -> None:
        with Tool("opensnoop", "--json", "--record", self.path, *COMMAND) as tool:
            events = tool.wait().objects("event")
            self.assertNotIn(tool.process.pid, [event["pid"] for event in events])
        self.assertIn("/nope", [event["path"] for event in events])
        with Tool("replay", self.path, "--format", "csv") as tool:
            self.assertEqual(len(events), len(tool.wait().lines()) - 1)


def _work() -> None:
    """What all of them show."""
    subprocess.run(["cat", "/nope"], stderr=subprocess.DEVNULL, check=False)


def _rows(lines: list[str]) -> list[str]:
    """All but what was lost, which a run tells more than once."""
    return [line for line in lines if not line.startswith('{"type":"loss"')]
