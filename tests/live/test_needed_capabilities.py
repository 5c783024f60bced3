"""Commands run with the capabilities that the manual says, and with none less."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.live import support
from tests.live.capabilities import CapabilitiesTest, holding
from tests.live.support import SKEP, START_SECONDS, STOP_SECONDS
from tests.live.test_functions import HAS_KPROBES

MANUAL = support.TREE / "docs" / "privileges.md"

PARANOID = int(Path("/proc/sys/kernel/perf_event_paranoid").read_text())
"""With more than 2, Debian's kernels want CAP_SYS_ADMIN for perf events."""

_ROW = re.compile(r"^\| `(.+)` \| (CAP_[A-Z_, ]+) \|$", re.MULTILINE)


COMMON = "CAP_BPF, CAP_PERFMON"


def rows() -> list[tuple[str, list[str]]]:
    """Commands and capabilities, as far as this kernel can have them.

    In a guest, which is slow, one of the tools that need no more than all do.
    """
    found = _ROW.findall(MANUAL.read_text())
    if support.KERNEL:
        found = found[:1] + [
            row for row in found if row[1] != COMMON or "vfs_" in row[0]
        ]
    return [
        (command.replace("PID", str(os.getpid())), re.findall(r"CAP_(\w+)", held))
        for command, held in found
        if HAS_KPROBES or "vfs_" not in command
    ]


@support.only_on("6.12")
class Needed(CapabilitiesTest):
    def run_with(
        self, capabilities: Sequence[str], command: str
    ) -> subprocess.CompletedProcess[str]:
        tool, *arguments = shlex.split(command)
        short = [] if tool == "tplist" else ["--duration", "0.1"]
        return subprocess.run(
            [*holding(capabilities), SKEP, tool, *short, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS + STOP_SECONDS,
        )

    def test_each_command(self) -> None:
        self.assertGreater(len(rows()), 7 if support.KERNEL else 15)
        for command, names in rows():
            needed = [name.lower() for name in names]
            with self.subTest(command=command):
                done = self.run_with(needed, command)
                if " t:" in command and PARANOID > 2:
                    self.assertIn("kernel.perf_event_paranoid is", done.stderr)
                    done = self.run_with([*needed, "sys_admin"], command)
                self.assertEqual(done.returncode, 0, done.stderr)
            for missing in needed:
                if "sys_admin" in needed and missing != "sys_admin":
                    continue  # which stands for the others
                with self.subTest(command=command, missing=missing):
                    left = [name for name in needed if name != missing]
                    done = self.run_with(left, command)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertRegex(done.stderr, r"\Askep: ")
                    self.assertIn(f"CAP_{missing.upper()}", done.stderr)
                    self.assertNotIn("Traceback", done.stderr)

    def test_in_a_user_namespace(self) -> None:
        inside = ("unshare", "--user", "--map-root-user")
        if subprocess.run([*inside, "true"], capture_output=True).returncode:
            self.skipTest("no user namespaces here")
        for command in ("opensnoop", "funccount vfs_read", "tcplife --max-overhead 1"):
            with self.subTest(command=command):
                done = subprocess.run(
                    [*inside, SKEP, *command.split()],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=START_SECONDS,
                )
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                message, hint = done.stderr.splitlines()
                self.assertIn("this process is in a user namespace of its own", message)
                self.assertEqual(hint, "  hint: run as root of the machine itself")
