"""Kernel functions, by fentry and by kprobes: every call, with its own arguments."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from tests.live import support
from tests.live.support import Tool
from tests.live.test_own_tools import TOOLS
from tests.live.test_rungs import LAUNCHER

OPENS, TRUNCATES = 53, 29
TMPFS, OVERLAY = 0x01021994, 0x794C7630  # include/uapi/linux/magic.h

HAS_KPROBES = os.path.isdir("/sys/bus/event_source/devices/kprobe")


class FunctionTest(support.LiveTest):
    """Tests of functions run where the kernel lets functions be traced."""

    rung: ClassVar[int] = 0

    def setUp(self) -> None:
        if not HAS_KPROBES:
            self.skipTest("this kernel was built without kprobes")
        for patch in (
            mock.patch.dict(os.environ, RUNG=str(self.rung)),
            mock.patch.object(support, "SKEP", LAUNCHER),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def trace(self, directory: str, *options: str) -> list[dict[str, Any]]:
        """The calls while a process opens OPENS files of a directory."""
        for number in range(OPENS):
            Path(directory, f"file{number}").touch()

        def workload() -> None:
            for number in range(OPENS):
                os.close(os.open(f"{directory}/file{number}", os.O_RDONLY))

        child = support.Paused(workload)
        tool = str(TOOLS / "functions.py")
        with Tool(tool, "--json", "-v", "--pid", str(child.pid), *options) as running:
            child.proceed()
            outcome = running.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        self.assertEqual(outcome.ledger(), {})
        self.receipt = outcome.stderr.decode()
        return outcome.objects("event")


class Typed(FunctionTest):
    kinds = ("fentry:do_dentry_open", "fexit:do_dentry_open")

    def test_every_return_is_seen_once(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            calls = self.trace(directory)
        names = [call["name"] for call in calls if call["name"].startswith("file")]
        self.assertEqual(names, [f"file{number}" for number in range(OPENS)])
        self.assertEqual({call["ret"] for call in calls}, {0})
        self.assertTrue(all(call["elapsed_ns"] > 0 for call in calls))
        self.assertIn(self.kinds[1], self.receipt)

    def test_calls_that_nest_are_told_apart(self) -> None:
        with tempfile.TemporaryDirectory() as directory, overlay(directory) as merged:
            calls = self.trace(merged, "--entry")
        calls = [call for call in calls if call["name"].startswith("file")]
        self.assertEqual(len(calls), 4 * OPENS)
        for outer, inner, inner_end, outer_end in zip(*[iter(calls)] * 4):
            self.assertEqual([outer["at"], inner["at"]], [0, 0])
            self.assertEqual([inner_end["at"], outer_end["at"]], [1, 1])
            self.assertEqual(outer["file"], outer_end["file"])
            self.assertEqual(inner["file"], inner_end["file"])
            self.assertEqual((outer_end["magic"], inner_end["magic"]), (OVERLAY, TMPFS))
            self.assertGreater(outer_end["elapsed_ns"], inner_end["elapsed_ns"])
        self.assertIn(self.kinds[0], self.receipt)


class Plain(Typed):
    rung = 1
    kinds = ("kprobe:do_dentry_open", "kretprobe:do_dentry_open")


class Patterns(FunctionTest):
    kind = "probe_multi"

    def setUp(self) -> None:
        super().setUp()
        if self.kind == "probe_multi" and platform.release().startswith("5.10."):
            self.skipTest("one link for many functions came with 5.18")

    def count(self, *options: str) -> dict[int, int]:
        """Calls by result, while a process renames and truncates files."""
        with tempfile.TemporaryDirectory() as directory:
            file = os.path.join(directory, "file")
            other = os.path.join(directory, "other")
            Path(file).touch()
            Path(f"{other}0").touch()

            def workload() -> None:
                for number in range(OPENS):
                    os.rename(f"{other}{number}", f"{other}{number + 1}")
                for _ in range(TRUNCATES):
                    os.truncate(file, 7)

            child = support.Paused(workload)
            pid = ("--pid", str(child.pid))
            tool = (str(TOOLS / "patterns.py"), *pid, "--json", "-v", *options)
            functions = ("--function", "vfs_renam*", "--function", "vfs_trunc*")
            with Tool(*tool, *functions) as running:
                child.proceed()
                outcome = running.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        self.assertIn(self.kind, outcome.stderr.decode())
        self.assertFalse(any(outcome.ledger().values()))
        return {row["ret"]: row["calls"] for row in outcome.objects("table")}

    def test_entries(self) -> None:
        self.assertEqual(self.count(), {0: OPENS + TRUNCATES})

    def test_results(self) -> None:
        self.assertEqual(self.count("--results"), {0: OPENS + TRUNCATES})

    def test_hundreds_of_functions_are_gone_when_the_tool_is_killed(self) -> None:
        before = enabled_functions()
        pattern = "tcp_v4_*" if self.kind == "probes:" else "tcp_*"
        tool = (str(TOOLS / "patterns.py"), "--json", "-v", "--function", pattern)
        with Tool(*tool) as running:
            attached = enabled_functions() - before
            running.process.kill()
            running.process.wait()
        self.assertGreater(len(attached), 20 if self.kind == "probes:" else 300)
        support.wait_until(
            lambda: not attached & enabled_functions(), support.STOP_SECONDS, poll=0.05
        )
        self.assertEqual(attached & enabled_functions(), set())

    @support.only_on("6.12")
    def test_nothing_matches(self) -> None:
        message = self.assert_fails(
            1, str(TOOLS / "patterns.py"), "--function", "no_such_*"
        )
        self.assertIn("matches 'no_such_*'", message)


@support.only_on("5.10", "6.12")
class SinglePatterns(Patterns):
    rung = 1
    kind = "probes:"


def enabled_functions() -> set[str]:
    """The functions that something traces by now.

    Kprobes on arm64 are breakpoints, of which ftrace knows nothing: they have a list of
    their own.
    """
    lines = Path("/sys/kernel/tracing/enabled_functions").read_text().splitlines()
    functions = {line.split()[0] for line in lines}
    with contextlib.suppress(FileNotFoundError):
        probes = Path("/sys/kernel/debug/kprobes/list").read_text().splitlines()
        functions |= {line.split()[2].partition("+")[0] for line in probes}
    return functions


class overlay:
    """An overlay file system of two tmpfs directories, as a context manager."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def __enter__(self) -> str:
        mount = ("mount", "-t")
        subprocess.run((*mount, "tmpfs", "tmpfs", self.directory), check=True)
        subprocess.run(("modprobe", "-q", "overlay"))
        for name in ("lower", "upper", "work", "merged"):
            Path(self.directory, name).mkdir()
        merged = f"{self.directory}/merged"
        options = ",".join(
            f"{name}dir={self.directory}/{name}" for name in ("lower", "upper", "work")
        )
        subprocess.run(
            (*mount, "overlay", "overlay", "-o", options, merged), check=True
        )
        return merged

    def __exit__(self, *exception: object) -> None:
        subprocess.run(("umount", f"{self.directory}/merged"), check=True)
        subprocess.run(("umount", self.directory), check=True)


class Refused(support.LiveTest):
    """Where functions cannot be traced, one message says why."""

    @unittest.skipIf(HAS_KPROBES, "functions can be traced here")
    def test_message(self) -> None:
        message = self.assert_fails(1, str(TOOLS / "functions.py"))
        self.assertIn("also tried: this kernel was built without kprobes", message)
