"""What a tool that runs is still allowed to do, and that this is enough."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from skep.runtime.dropping import NAMING_PROGRAMS, NAMING_THE_KERNEL, WRITING
from skep.runtime.privileges import CAP_SYS_ADMIN
from tests.live import support
from tests.live.capabilities import enough, holding
from tests.live.support import SKEP, Paused, Tool

CAP_BPF = 1 << 39


def status(pid: int) -> dict[str, int]:
    """The lines on privileges of /proc/PID/status."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.findall(r"^(Cap\w+|NoNewPrivs):\s+(\w+)$", text, re.MULTILINE)
    return {name: int(value, 16) for name, value in found}


@support.only_on("5.10", "6.12", support.ARM64)
class Dropping(support.LiveTest):
    def assert_left(self, pid: int, most: int, by_root: bool = True) -> None:
        """That the process has no capability that is not in `most`."""
        left = status(pid)
        # Before 6.0 reading maps takes CAP_BPF.
        self.assertEqual(left["CapEff"] & ~CAP_BPF & ~most, 0, left)
        self.assertEqual(left["CapPrm"], left["CapEff"])
        if by_root:  # who may change it
            bounds = 1 << CAP_SYS_ADMIN | CAP_BPF  # one of them, to read maps
            self.assertEqual(left["CapBnd"] & ~bounds & ~most, 0, left)
        self.assertEqual((left["CapInh"], left["CapAmb"]), (0, 0))
        self.assertEqual(left["NoNewPrivs"], 1)

    def test_rows(self) -> None:
        child = Paused(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
        with Tool("opensnoop", "-p", str(child.pid)) as tool:
            self.assert_left(tool.process.pid, NAMING_THE_KERNEL)
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        self.assertEqual(len(outcome.lines()), 2)

    def test_it_leaves_no_rows_of_its_own(self) -> None:
        # Asking /proc what there is to drop would be traced.
        def knock() -> None:
            os.close(os.open("/etc/passwd", os.O_RDONLY))

        with Tool("opensnoop", "--json", knock=knock) as tool:
            pid = tool.process.pid
            own = [e for e in tool.stop().objects("event") if e["pid"] == pid]
        facts = [e["path"] for e in own if e["path"].startswith(("/proc", "/sys"))]
        self.assertEqual(facts, [])

    def test_ambient_capabilities(self) -> None:
        child = Paused(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
        command = ("opensnoop", "-p", str(child.pid))
        with Tool(*command, prefix=holding(enough())) as tool:
            self.assert_left(tool.process.pid, 0, by_root=False)
            child.proceed()
            self.assertEqual(len(tool.stop().lines()), 2)

    def test_stacks_of_programs_have_names(self) -> None:
        child = Paused(lambda: [os.getppid() for _ in range(7)])
        with tempfile.TemporaryDirectory() as directory:
            os.chown(directory, 65534, 65534)  # root may write there by a capability
            graph = f"{directory}/graph.svg"
            options = ("-U", "-p", str(child.pid), "--flamegraph", graph, "--folded")
            with subprocess.Popen(
                [SKEP, "stackcount", *options, "c:getppid"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as running:
                # There is no header: this is how it shows that all is attached.
                self.assertTrue(
                    support.wait_until(
                        lambda: status(running.pid).get("NoNewPrivs") == 1,
                        support.START_SECONDS,
                    )
                )
                most = NAMING_THE_KERNEL | NAMING_PROGRAMS | WRITING
                self.assert_left(running.pid, most)
                child.proceed()
                running.send_signal(signal.SIGINT)
                text, said = running.communicate(timeout=support.STOP_SECONDS)
            self.assertEqual(running.returncode, 0, said)
            self.assertIn(b"getppid", text)
            self.assertIn(b"<svg", Path(graph).read_bytes())
