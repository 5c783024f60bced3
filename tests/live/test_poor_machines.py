"""Tools on machines that lack what is always there: a tool works, or says what is
missing."""

from __future__ import annotations

import subprocess

from tests.live import support
from tests.live.support import SKEP

OPENS = (SKEP, "opensnoop", "-d", "0.1")
MALLOC = (SKEP, "stackcount", "-U", "-D", "0.1", "c:malloc")


@support.only_on()
class PoorMachines(support.LiveTest):
    """One sentence, and never a traceback."""

    def run_in(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertNotIn("Traceback", done.stderr, command)
        self.assertIn(done.returncode, (0, 1), done)
        if done.returncode:
            said = done.stdout + done.stderr
            self.assertRegex(said, "(?m)^skep: |^/usr/bin/python3: |does not describe")
        return done

    def without(self, directory: str, *command: str) -> str:
        """What a tool says to nothing being mounted there."""
        hidden = f'mount -t tmpfs none {directory} && exec "$@"'
        inside = ("unshare", "-m", "sh", "-c", hidden, "sh", *command)
        return self.run_in(*inside).stderr

    def test_no_proc(self) -> None:
        self.assertEqual(self.without("/proc", *OPENS), "")
        functions = (SKEP, "funccount", "-d", "0.1", "vfs_read")
        self.without("/proc", *functions)
        self.without("/proc", *MALLOC)
        self.without("/proc", SKEP, "biolatency", "-D", "0.1", "1")
        lookups = self.without("/proc", SKEP, "gethostlatency", "--duration", "0.1")
        self.assertIn("/proc is not mounted\n  hint: mount", lookups)

    def test_no_sys(self) -> None:
        self.assertIn("no /sys/kernel/btf/vmlinux", self.without("/sys", *OPENS))
        self.without("/sys", SKEP, "doctor", "opensnoop")

    def test_a_pid_namespace(self) -> None:
        inside = ("unshare", "-pf", "--mount-proc")
        said = self.run_in(*inside, *OPENS).stderr
        self.assertNotIn("namespace", said)
        self.assertIn(
            "is a pid namespace", self.run_in(*inside, *OPENS, "-p", "1").stderr
        )
        done = self.run_in(*inside, SKEP, "trace", "-U", "--duration", "1", "c:malloc")
        self.assertIn("functions of programs have no names", done.stderr)
        self.assertNotIn("malloc+", done.stdout)

    def test_few_files(self) -> None:
        for limit in range(4, 24, 3):
            for command in (OPENS, MALLOC):
                self.run_in("prlimit", f"--nofile={limit}", *command)
