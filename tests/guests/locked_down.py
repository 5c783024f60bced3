"""What the manual says of kernels that are locked down, tried on one: a guest's.

A kernel can be locked down while it runs, step by step, and never be freed again: so
these are no live tests.  test_locked_down.py boots a guest for them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import unittest
from pathlib import Path
from typing import Any

from tests.live import every_tool, support
from tests.live.capabilities import enough, holding
from tests.live.support import SKEP, START_SECONDS, Tool

LOCKDOWN = Path("/sys/kernel/security/lockdown")
MANUAL = support.TREE / "docs" / "privileges.md"

WORKS = "works"

TASKS_HAVE_TYPES = support.KERNEL != "5.10"
"""Since Linux 5.11: from a task the way to much else is known."""

_CELL = r"(works|`[^|]+`)(?: \([^|]*\))?"
_ROW = re.compile(rf"^\| `(.+)` \| {_CELL} \|(?: {_CELL})? \|$", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Commands, and whether they work on this kernel or what they say."""
    _, _, section = MANUAL.read_text().partition("<!-- read by tests/guests/locked")
    return [
        (command, (said if TASKS_HAVE_TYPES else before or said).strip("`"))
        for command, said, before in _ROW.findall(section)
    ]


def run(command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool for a moment."""
    tool, *arguments = shlex.split(command)
    short = [] if tool == "tplist" else ["--duration", "0.1"]
    return subprocess.run(
        [SKEP, tool, *short, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS + support.STOP_SECONDS,
    )


def lock_down(level: str) -> None:
    """Lock the kernel down; a higher level than it has."""
    LOCKDOWN.write_text(level)
    assert f"[{level}]" in LOCKDOWN.read_text()


def doctor() -> tuple[dict[str, Any], dict[str, bool]]:
    """What `skep doctor` says of the machine, and of some tools whether they work."""
    command = [SKEP, "doctor", "--json", "tcplife", "ext4slower", "nfsslower"]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=START_SECONDS)
    system, *tools = map(json.loads, done.stdout.splitlines())
    return system, {each["tool"]: each["works"] for each in tools}


class LockedDown(support.LiveTest):
    """The levels in turn: unittest runs tests in the order of their names."""

    def test_0_bpf_for_the_capable_for_good(self) -> None:
        """The value of the sysctl that cannot be taken back."""
        Path("/proc/sys/kernel/unprivileged_bpf_disabled").write_text("1")
        command = [*holding(enough()), SKEP, "opensnoop", "--duration", "0.1"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def test_1_integrity_takes_nothing_away(self) -> None:
        """It closes nothing that skep uses."""
        subprocess.run(["modprobe", "-a", "ext4", "xfs", "nfs"], check=True)
        lock_down("integrity")
        system, tools = doctor()
        self.assertEqual(system["lockdown"], "integrity")
        self.assertTrue(all(tools.values()), tools)
        for name in ("reads of kernel memory", "kprobes", "fentry and fexit"):
            self.assertTrue(system["features"][name]["ok"], name)
        for command, said in rows():
            if said != WORKS:
                with self.subTest(command=command):
                    done = run(command)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_2_confidentiality_is_told_by_the_doctor(self) -> None:
        """What is closed, and which tools that concerns."""
        lock_down("confidentiality")
        system, tools = doctor()
        self.assertEqual(system["lockdown"], "confidentiality")
        for name in ("reads of kernel memory", "kprobes"):
            verdict = system["features"][name]
            self.assertFalse(verdict["ok"], name)
            self.assertIn("locked down", verdict["reason"])
        ext4slower = TASKS_HAVE_TYPES
        wanted = {"tcplife": True, "ext4slower": ext4slower, "nfsslower": False}
        self.assertEqual(tools, wanted)

    def test_3_each_command_of_the_manual(self) -> None:
        """It works, or says what the manual says."""
        self.assertGreater(len(rows()), 10)
        for command, said in rows():
            with self.subTest(command=command):
                done = run(command)
                self.assertNotIn("Traceback", done.stderr)
                if said == WORKS:
                    self.assertEqual(done.returncode, 0, done.stderr)
                else:
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertEqual(done.stderr.splitlines()[0], said)

    def test_4_events_come(self) -> None:
        """By types alone tools show what they show elsewhere."""
        for name in ("execsnoop", "tcplife", *["ext4slower"] * TASKS_HAVE_TYPES):
            with self.subTest(tool=name), every_tool.case_of(name) as case:
                whose = ("--pid", str(os.getpid())) if case.by_pid else ()
                command = (name, "--json", "-v", *whose, *case.arguments)
                with Tool(*command, knock=lambda: None) as tool:
                    case.work()
                    outcome = tool.stop()
                self.assertEqual(outcome.status, 0, outcome.stderr)
                found = outcome.objects("event")
                if name == "ext4slower":  # a degraded tool, with a receipt
                    case.line["file"] = None
                    (*_, receipt) = outcome.objects("receipt")
                    self.assertIn("texts in the kernel's memory", receipt["note"])
                    self.assertEqual(outcome.ledger()["failed_read"], len(found))
                wanted = case.line.items()
                self.assertTrue([e for e in found if wanted <= e.items()], found)


if __name__ == "__main__":
    unittest.main()
