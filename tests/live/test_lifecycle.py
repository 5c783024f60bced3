"""Tools start, end, and share the kernel with each other, as their users expect."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.live import support, workload
from tests.live.bpf_objects import existing_objects, held_objects
from tests.live.support import SKEP, SLOW, Paused, Tool

EVENT_TOOLS = ("opensnoop", "execsnoop")
TOOLS = (*EVENT_TOOLS, "tcplife", "biolatency")

STARTS = int(os.environ.get("SKEP_STARTS") or 20)
"""How often tools are started in a row; ./test --soak sets 1000."""

CALLS = str(support.TREE / "tests" / "live" / "tools" / "calls.py")


@contextmanager
def hangups(action: signal.Handlers) -> Iterator[None]:
    """What is started meanwhile has this action for SIGHUP, also under nohup(1)."""
    before = signal.signal(signal.SIGHUP, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def execute_something() -> None:
    """Opens and executes a program."""
    os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)


@support.only_on("5.10")
class Lifecycle(support.LiveTest):
    def test_interrupt_ends_well(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                execute_something()
                self.assert_clean(tool.stop())

    def test_rows_appear_while_tracing(self) -> None:
        for name in EVENT_TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                execute_something()
                tool.wait_for(lambda output: output.count(b"\n") > 1)

    def test_reader_goes_away(self) -> None:
        for name in EVENT_TOOLS:
            with self.subTest(tool=name):
                self.assert_head_ends_quietly([name], execute_something)

    def test_nothing_is_left_after_kill(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                with Tool(name) as tool:
                    held = held_objects(tool.process.pid)
                    self.assertGreater(len(held & existing_objects()), 1)
                    tool.process.kill()
                    tool.process.wait()
                self.assert_freed(held)

    def test_many_starts_in_a_row(self) -> None:
        pins = pinned()
        held = set()
        for number in range(STARTS):
            with Tool(TOOLS[number % len(TOOLS)]) as tool:
                held |= held_objects(tool.process.pid)
                self.assertEqual(tool.stop().status, 0)
        self.assertGreater(len(held), 2 * STARTS)
        self.assert_freed(held)
        self.assertEqual(pinned(), pins)

    def test_sigterm_ends_well(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                execute_something()
                tool.process.send_signal(signal.SIGTERM)
                self.assert_clean(tool.wait())

    def test_terminal_is_closed(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                user, terminal = os.openpty()
                command = [SKEP, name]
                with subprocess.Popen(command, stdout=terminal, stderr=-1) as process:
                    os.close(terminal)
                    self.assertTrue(os.read(user, 1))
                    held = held_objects(process.pid)
                    os.close(user)
                    _, stderr = process.communicate(timeout=support.STOP_SECONDS)
                self.assertEqual((process.returncode, stderr), (0, b""))
                self.assert_freed(held)

    def test_hangup_ends_well(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            recording = os.path.join(directory, "recording")
            words = ("opensnoop", "--record", recording, "-p", str(os.getpid()))
            with hangups(signal.SIG_DFL), Tool(*words) as tool:
                execute_something()
                tool.process.send_signal(signal.SIGHUP)
                self.assert_clean(tool.wait())
            shown = subprocess.run([SKEP, "replay", recording], capture_output=True)
            self.assertEqual((shown.returncode, shown.stderr), (0, b""))

    def test_who_ignores_hangups_goes_on(self) -> None:
        with hangups(signal.SIG_IGN), Tool("opensnoop") as tool:
            tool.process.send_signal(signal.SIGHUP)
            execute_something()
            tool.wait_for(lambda output: output.count(b"\n") > 1)
            self.assert_clean(tool.stop())

    def test_disk_becomes_full(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            size = ("-o", "size=64k")
            subprocess.run(
                ["mount", "-t", "tmpfs", *size, "tmpfs", directory], check=True
            )
            try:
                with open(f"{directory}/rows", "wb") as rows:
                    command = [SKEP, "opensnoop", "-n", "opens"]
                    process = subprocess.Popen(command, stdout=rows, stderr=-1)
                while not os.path.getsize(f"{directory}/rows"):
                    time.sleep(0.01)
                workload.run("opens", "flood", 5000, "/dev/null", 0)
                _, stderr = process.communicate(timeout=support.STOP_SECONDS)
                size_written = os.path.getsize(f"{directory}/rows")
            finally:
                subprocess.run(["umount", directory], check=True)
        message = b"skep: cannot write the output: No space left on device\n"
        self.assertEqual((process.returncode, stderr), (1, message))
        self.assertGreater(size_written, 32768)

    def test_probed_process_ends(self) -> None:
        program = workload.program("calls")
        with subprocess.Popen([program, "hang", "2"]) as probed:
            options = ("--case", "entry", "--only", str(probed.pid), "-v")
            with Tool(CALLS, program, *options) as tool:
                held = held_objects(tool.process.pid)
                probed.kill()
                probed.wait()
                workload.run("calls", "entry", 7)
                outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        self.assertEqual(len(outcome.lines()), 1)
        self.assert_freed(held)

    def test_memory_stays_flat(self) -> None:
        """A million events with as many paths, of many processes."""

        total = int(1_000_000 / SLOW)
        sizes = []
        with Tool("opensnoop", "--comm", "flat", "-b", "4096") as tool:
            for part in range(10):
                end = (part + 1) * total // 10
                Paused(partial(open_all, part * total // 10, end)).proceed()
                tool.wait_for(partial(ends_with, b"/nowhere/%07d\n" % (end - 1)))
                sizes.append(resident_kb(tool.process.pid))
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        self.assertLess(max(sizes[2:]) - sizes[1], 2048, sizes)

    def test_same_tool_twice(self) -> None:
        with Tool("execsnoop") as first, Tool("execsnoop") as second:
            execute_something()
            outcomes = first.stop(), second.stop()
        for outcome in outcomes:
            shown = [line for line in outcome.lines() if "/bin/true" in line]
            self.assertEqual(len(shown), 1)


def open_all(first: int, last: int) -> None:
    """Opens files that are not there, as a process called "flat"."""
    Path("/proc/self/comm").write_text("flat")
    for number in range(first, last):
        try:
            os.open(f"/nowhere/{number:07}", os.O_RDONLY)
        except OSError:
            pass


def ends_with(row: bytes, output: bytes) -> bool:
    """Whether the last row ends so."""
    return output.endswith(row)


def pinned() -> list[str]:
    """What is pinned in the BPF file system."""
    return [str(path) for path in sorted(Path("/sys/fs/bpf").glob("**/*"))]


def resident_kb(pid: int) -> int:
    """The memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0
