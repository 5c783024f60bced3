"""The filters that all tools about tasks share, and the cgroup as a column."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Callable

from tests.live import support
from tests.live.support import Tool

NAME = "skep tâche"


def cgroup2() -> str | None:
    """Where version 2 of cgroups is mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith("cgroup2 "):
            return mount.split()[4]
    return None


def rename_myself() -> None:
    """Gives this process a name that no other has."""
    Path("/proc/self/comm").write_text(NAME)


@support.only_on("5.10", "7.2")
class TaskFilters(support.LiveTest):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="skep-tasks-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def make_cgroup(self) -> tuple[str, Callable[[], object]]:
        """A new cgroup, and what moves the process that calls it there."""
        mount = cgroup2()
        if mount is None:
            self.skipTest("cgroup2 is not mounted")
        path = os.path.join(mount, f"skep-test-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError as error:
            self.skipTest(f"no cgroup can be made: {error}")
        self.addCleanup(os.rmdir, path)
        return path, lambda: Path(path, "cgroup.procs").write_text("0")

    def open_as(self, name: str, prepare: Callable[[], object]) -> None:
        """Opens a name of this test in a child, after `prepare`; the child ends."""

        def run() -> None:
            prepare()
            Path(self.directory, name).write_bytes(b"")

        support.fork(run)

    def opened(self, *options: str, prepare: Callable[[], object]) -> list[str]:
        """The lines about a child after `prepare` and one that is as this process."""
        with Tool("opensnoop", *options) as tool:
            self.open_as("other", lambda: None)
            self.open_as("chosen", prepare)
            lines = tool.stop().lines()
        return [line for line in lines if self.directory in line]

    def assert_chosen(self, lines: list[str]) -> None:
        names = [line.rpartition("/")[2] for line in lines]
        self.assertEqual(names, ["chosen"])

    def test_comm(self) -> None:
        lines = self.opened("--comm", NAME, prepare=rename_myself)
        self.assert_chosen(lines)
        self.assertIn(f" {NAME} ", lines[0])

    def test_comm_is_the_whole_name(self) -> None:
        self.assertEqual(self.opened("--comm", NAME[:-1], prepare=rename_myself), [])

    def test_cgroup_by_path_and_by_id(self) -> None:
        path, enter = self.make_cgroup()
        for cgroup in (path, os.path.basename(path), str(os.stat(path).st_ino)):
            with self.subTest(cgroup=cgroup):
                self.assert_chosen(self.opened("--cgroup", cgroup, prepare=enter))

    def test_column(self) -> None:
        path, enter = self.make_cgroup()
        lines = self.opened("--container", prepare=enter)
        shown = [f" /{os.path.basename(path)} " in line for line in lines]
        self.assertEqual(shown, [False, True], lines)

    def test_mount_namespace(self) -> None:
        mine = os.stat("/proc/self/ns/mnt").st_ino
        with Tool("opensnoop", "--mntns", str(mine)) as tool:
            self.open_as("mine", lambda: None)
            marker = os.path.join(self.directory, "other")
            subprocess.run(["unshare", "--mount", "touch", marker], check=True)
            lines = tool.stop().lines()
        shown = [line for line in lines if self.directory in line]
        self.assertEqual([line.rpartition("/")[2] for line in shown], ["mine"])

    def test_executions(self) -> None:
        path, enter = self.make_cgroup()

        def execute_inside(program: str) -> None:
            enter()
            os.execv(program, [program, "inside"])

        # The name is that of the program that has just started.
        with Tool("execsnoop", "--comm", "true", "--cgroup", path) as tool:
            for program in ("/bin/true", "/bin/false"):
                subprocess.run([program, "outside"])
                support.fork(partial(execute_inside, program))
            lines = tool.stop().lines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[1], r"^true .* 0 /bin/true inside$")
