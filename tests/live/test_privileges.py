"""What tracing takes, and what is said when it is missing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from tests.live import support
from tests.live.capabilities import CapabilitiesTest, enough, holding
from tests.live.support import SKEP, START_SECONDS, Tool

TOOLS = (
    ("opensnoop",),
    ("opensnoop", "-F", "--container"),
    ("execsnoop", "-x"),
    ("tcplife",),
    ("biolatency",),
    ("biolatency", "-QD"),
)


@support.only_on("5.10")
class Privileges(CapabilitiesTest):
    def refused(self, capabilities: Sequence[str], *arguments: str) -> str:
        """What skep says when it ends with status 1."""
        done = subprocess.run(
            [*holding(capabilities), SKEP, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS,
        )
        message = done.stderr.decode()
        self.assertEqual(done.returncode, 1, message)
        self.assertEqual(done.stdout, b"")
        self.assertTrue(message.startswith("skep: "), message)
        self.assertNotIn("Traceback", message)
        return message

    def test_capabilities_instead_of_root(self) -> None:
        for arguments in TOOLS:
            with self.subTest(tool=arguments):
                with Tool(*arguments, prefix=holding(enough())) as tool:
                    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
                    outcome = tool.stop()
                self.assert_clean(outcome)

    def test_without_any(self) -> None:
        for arguments in TOOLS:
            with self.subTest(tool=arguments):
                message = self.refused((), *arguments)
                self.assertIn("lacks CAP_BPF and CAP_PERFMON", message)
                self.assertIn("run as root", message)
                # The same reason is not told again for every candidate.
                self.assertEqual(message.count("lacks"), 1)

    def test_the_missing_one_is_named(self) -> None:
        for missing, name in (("bpf", "CAP_BPF"), ("perfmon", "CAP_PERFMON")):
            held = [one for one in enough() if one != missing]
            with self.subTest(missing=missing):
                message = self.refused(held, "opensnoop")
                self.assertIn(f"lacks {name}\n", message)

    def test_errors_in_json(self) -> None:
        done = subprocess.run(
            [*holding(()), SKEP, "opensnoop", "--json"],
            capture_output=True,
            timeout=START_SECONDS,
        )
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["type"]), (1, "error"))
        self.assertIn("lacks CAP_BPF", found["message"])

    def test_usage_errors_take_none(self) -> None:
        for arguments in (("--pid", "none"), ("--nonsense",), ("--dump", "all")):
            with self.subTest(arguments=arguments):
                done = subprocess.run(
                    [*holding(()), SKEP, "opensnoop", *arguments],
                    capture_output=True,
                    timeout=START_SECONDS,
                )
                self.assertEqual(done.returncode, 2)

    def test_code_can_be_shown_without_any(self) -> None:
        for stage in ("tree", "ir", "asm", "spec"):
            with self.subTest(stage=stage):
                done = subprocess.run(
                    [*holding(()), SKEP, "execsnoop", "--dump", stage],
                    capture_output=True,
                    timeout=START_SECONDS,
                )
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertTrue(done.stdout.startswith(b"# executed: "))

    def test_the_doctor_sees_it(self) -> None:
        done = subprocess.run(
            [*holding(()), SKEP, "doctor", "--json"],
            capture_output=True,
            timeout=START_SECONDS,
        )
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        system, *tools = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertFalse(any(system["capabilities"].values()))
        self.assertFalse(system["features"]["maps"]["ok"])
        for tool in tools:
            self.assertFalse(tool["works"])
            for probe in tool["probes"]:
                # Of a module that is not loaded nothing is tried.
                if "is not loaded" not in probe["error"]:
                    # Classic tracepoints begin with files that are for root only.
                    refused = "lacks CAP_BPF|no permission to read tracefs"
                    self.assertRegex(probe["error"], refused)
