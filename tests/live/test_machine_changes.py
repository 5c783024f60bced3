"""CPUs that go and come, and modules that are unloaded, while tools trace."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

from tests.live import filesystems, places, support
from tests.live.bpf_objects import held_objects
from tests.live.support import KERNEL, SKEP, START_SECONDS, Tool

ONLINE = Path("/sys/devices/system/cpu/cpu1/online")

# Others may need the CPUs and modules of a machine that was not booted for the tests.
in_guests = unittest.skipIf(KERNEL is None, "changes the machine: in guests only")


@in_guests
@support.only_on("6.12")
class Cpus(support.LiveTest):
    def setUp(self) -> None:
        if not ONLINE.exists():
            self.skipTest("no CPU can be taken offline")
        self.addCleanup(ONLINE.write_text, "1")

    def test_one_goes_and_comes_back(self) -> None:
        def work() -> None:
            for cpu in sorted(os.sched_getaffinity(0)):
                os.sched_setaffinity(0, {cpu})
                places.call_libc()
                os.close(os.open("/dev/zero", os.O_RDONLY))

        everything = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, everything)
        own = ("-p", str(os.getpid()))
        with (
            Tool("opensnoop", *own) as opens,
            Tool("funccount", *own, "c:labs") as calls,
        ):
            held = held_objects(opens.process.pid) | held_objects(calls.process.pid)
            runs = 0
            for state in ("1", "0", "1"):
                ONLINE.write_text(state)
                cpus = everything if state == "1" else everything - {1}
                os.sched_setaffinity(0, cpus)
                work()
                runs += len(cpus)
            shown, counted = opens.stop(), calls.stop()
        self.assert_clean(shown)
        self.assert_clean(counted)
        rows = [line for line in shown.lines() if line.endswith("/dev/zero")]
        self.assertEqual(len(rows), runs)
        (row,) = [line for line in counted.lines() if line.startswith("labs ")]
        self.assertEqual(int(row.split()[1]), runs * places.LABS)
        self.assert_freed(held)

    def test_one_is_away_from_the_start(self) -> None:
        ONLINE.write_text("0")
        for words in (("biolatency",), ("opensnoop",), ("stackcount", "-U", "c:labs")):
            with self.subTest(tool=words[0]):
                done = subprocess.run(
                    [SKEP, *words, "--duration", "0.1"],
                    capture_output=True,
                    timeout=START_SECONDS,
                )
                self.assertEqual((done.returncode, done.stderr), (0, b""))


@in_guests
@support.only_on("5.10", "6.12")
class Modules(support.LiveTest):
    def test_a_module_that_is_traced(self) -> None:
        with filesystems.mounted("xfs"):
            pass  # a guest that has none skips this
        for words in (("xfsslower", "0"), ("trace", "p::xfs_file_open")):
            subprocess.run(("modprobe", "xfs"), check=True)
            with self.subTest(tool=words[0]):
                with Tool(*words) as tool:
                    held = held_objects(tool.process.pid)
                    # Programs keep a module; kprobes go with it.
                    unload = subprocess.run(("rmmod", "xfs"), stderr=subprocess.PIPE)
                    self.assert_clean(tool.stop())
                if unload.returncode:
                    self.assertIn(b"in use", unload.stderr)
                    subprocess.run(("rmmod", "xfs"), check=True)
                self.assert_freed(held)
