"""Known numbers of calls of functions, for the tools that find functions by pattern."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.live import support
from tests.live.support import Outcome, Tool

RENAMES, TRUNCATES, LENGTH = 53, 29, 7
LABS, PPIDS, GIDS = 101, 43, 19

TRACEABLE = "/sys/kernel/tracing/available_filter_functions"

HAS_FUNCTIONS = os.path.isdir("/sys/bus/event_source/devices/kprobe")


def rename_and_truncate(directory: str) -> None:
    """RENAMES calls of vfs_rename, and TRUNCATES of vfs_truncate to LENGTH."""
    for number in range(RENAMES):
        os.rename(f"{directory}/r{number}", f"{directory}/r{number + 1}")
    for _ in range(TRUNCATES):
        os.truncate(f"{directory}/file", LENGTH)


def call_libc() -> None:
    """LABS calls of labs of the C library."""
    library = ctypes.CDLL(None)
    for _ in range(LABS):
        library.labs(-7)


def call_kernel() -> None:
    """PPIDS calls of getppid(2), and GIDS of getgid(2)."""
    for _ in range(PPIDS):
        os.getppid()
    for _ in range(GIDS):
        os.getgid()


class PlacesTest(support.LiveTest):
    """Traces a child of the test while it does something."""

    def trace(self, tool: str, run: Any, *arguments: str) -> Outcome:
        """The outcome of a tool with `-p` of a process that calls `run`."""
        child = support.Paused(run)
        with Tool(tool, "--json", "-v", "-p", str(child.pid), *arguments) as running:
            child.proceed()
            outcome = running.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        self.assertEqual(outcome.ledger(), {})
        return outcome

    def trace_files(self, tool: str, *arguments: str) -> Outcome:
        """The same while the process renames and truncates files."""
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "file").touch()
            Path(directory, "r0").touch()
            return self.trace(tool, lambda: rename_and_truncate(directory), *arguments)
