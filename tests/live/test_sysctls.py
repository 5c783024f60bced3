"""Sysctls that restrict tracing: tools work, or say what they lack."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.live import support
from tests.live.capabilities import CapabilitiesTest, enough, holding
from tests.live.support import SKEP, START_SECONDS, Outcome, Paused, Tool

HIDDEN = b"symbols: the kernel hides the addresses of its functions"


@support.only_on("6.12")
class Sysctls(CapabilitiesTest):
    def set(self, name: str, value: int) -> None:
        """Give a sysctl of the kernel a value until the test ends."""
        file = Path("/proc/sys/kernel", name)
        self.addCleanup(file.write_text, file.read_text())
        file.write_text(str(value))

    def stacks(self, prefix: Sequence[str]) -> Outcome:
        """Trace a call with its stack in the kernel."""
        child = Paused(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
        command = ("trace", "-K", "-p", str(child.pid), "p::sys_openat")
        with Tool(*command, prefix=prefix) as tool:
            child.proceed()
            return tool.stop()

    def test_hidden_addresses_of_the_kernel(self) -> None:
        capable = holding([*enough(), "syslog"])
        cases = (
            (1, capable, True),
            (1, holding(enough()), False),
            (2, (), False),
        )
        for value, prefix, named in cases:
            with self.subTest(kptr_restrict=value, prefix=prefix):
                self.set("kptr_restrict", value)
                outcome = self.stacks(prefix)
                self.assertEqual(outcome.status, 0, outcome.stderr)
                self.assertEqual(b"do_syscall_64" in outcome.stdout, named)
                self.assertEqual(b"[unknown]" in outcome.stdout, not named)
                self.assertEqual(HIDDEN in outcome.stderr, not named)

    def test_perf_events(self) -> None:
        for value in (-1, 2, 4):
            with self.subTest(perf_event_paranoid=value):
                self.set("perf_event_paranoid", value)
                self.short(enough(), 0, "trace", "c:getpid")
                self.short((), 1, "trace", "c:getpid")

    def test_bpf_for_everybody(self) -> None:
        # 1 cannot be taken back, and allows as little as 2.
        for value in (0, 2):
            with self.subTest(unprivileged_bpf_disabled=value):
                self.set("unprivileged_bpf_disabled", value)
                self.short(enough(), 0, "biolatency")
                self.short((), 1, "biolatency")

    def short(self, held: Sequence[str], status: int, *command: str) -> None:
        """A short run with these capabilities ends well, or says what is missing."""
        done = subprocess.run(
            [*holding(held), SKEP, *command, "--duration", "0.1"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS + support.STOP_SECONDS,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        if status:
            self.assertIn(b"this process lacks CAP_BPF and CAP_PERFMON", done.stderr)
