"""fsslower shows every operation on files of a type of file system, once."""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import threading
import time
import unittest
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any, Callable, ClassVar, NamedTuple
from unittest import mock

from tests.live import filesystems, nfs, support
from tests.live.support import Outcome, Tool
from tests.live.test_functions import HAS_KPROBES
from tests.live.test_rungs import LAUNCHER

NAMES = (
    "short",
    *("n" * length for length in (31, 32, 40)),
    "long-" * 50,
    "spaced \x1b[31m name",
)
"""Names in the dentry itself, and ones that lie elsewhere; up to 40 bytes fit."""

PIECES = 7
DIRECT = 5 * 4096
SYNCED_BYTES = 16 << 20

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
"""_IOWR('X', 119, int) and _IOWR('X', 120, int), include/uapi/linux/fs.h."""


class Row(NamedTuple):
    """What a row says but for the times."""

    operation: str
    result: int
    offset: int
    name: str


def use_file(directory: str, name: str) -> list[Row]:
    """Does each kind of operation to a file some times; what rows it makes."""
    path = os.path.join(directory, name)
    rows = [Row("open", 0, 0, name)]
    file = os.open(path, os.O_CREAT | os.O_RDWR)

    def did(operation: str, result: int, offset: int = 0) -> None:
        rows.append(Row(operation, result, offset, name))

    position = 0
    for size in (1009 * number for number in range(1, PIECES + 1)):
        did("write", os.write(file, b"x" * size), position)
        position += size
    did("write", os.writev(file, [b"ab" * 500, b"c"]), position)
    did("write", os.pwrite(file, b"y" * 499, 70001), 70001)
    did("write", os.pwritev(file, [b"z" * 100, b"z" * 13], 90007), 90007)
    os.fsync(file)
    did("sync", 0)
    os.fdatasync(file)
    did("sync", 0)
    os.lseek(file, 2048, os.SEEK_SET)
    did("read", len(os.read(file, 4001)), 2048)
    did("read", os.readv(file, [bytearray(17), bytearray(5003)]), 2048 + 4001)
    did("read", len(os.pread(file, 300, 70100)), 70100)
    did("read", os.preadv(file, [bytearray(7)], 90009), 90009)
    did("read", len(os.pread(file, 100, 1 << 30)), 1 << 30)  # behind the end
    did("read", len(os.pread(file, 0, 11)), 11)
    os.close(file)
    return rows


def append_and_bypass(directory: str) -> list[Row]:
    """Appends to a file, and goes round the cache; what rows that makes."""
    path = os.path.join(directory, "direct")
    page = mmap.mmap(-1, DIRECT)
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_DIRECT)
    first = os.writev(file, [page])
    second = os.writev(file, [page])
    os.close(file)
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    third = os.preadv(file, [page], DIRECT)
    os.close(file)
    results = ((first, 0), (second, DIRECT), (third, DIRECT))
    kinds = ("write", "write", "read")
    opens = 2 * [Row("open", 0, 0, "direct")]
    return opens + [Row(k, *r, "direct") for k, r in zip(kinds, results)]


RWF_APPEND = 0x10  # os.RWF_APPEND, which Python has since 3.10


def append_at_an_offset(directory: str) -> list[Row]:
    """Writes to a place in a file that is open for appending; what rows it makes."""
    path = os.path.join(directory, "appended")
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    first = os.write(file, b"x" * 1009)
    second = os.pwrite(file, b"y" * 503, 7)
    os.close(file)
    file = os.open(path, os.O_WRONLY)
    third = os.pwritev(file, [b"z" * 251], 3, RWF_APPEND)
    os.close(file)
    writes = ((first, 0), (second, first), (third, first + second))
    kinds = ("open", "write", "write", "open", "write")
    results = ((0, 0), *writes[:2], (0, 0), writes[2])
    return [Row(kind, *result, "appended") for kind, result in zip(kinds, results)]


def be_refused(directory: str) -> list[Row]:
    """Makes calls that fail before they come to the file system; no row but one."""
    path = os.path.join(directory, "refused")
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    for fails in (lambda: os.read(file, 1), lambda: os.pwrite(file, b"x", -5)):
        with suppress(OSError):
            fails()
    os.close(file)
    return [Row("open", 0, 0, "refused")]


def sync_directory(parent: str, kind: str) -> list[Row]:
    """Syncs a directory, which XFS has another function for; what rows that makes."""
    path = os.path.join(parent, "directory")
    os.mkdir(path)
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(file)
    os.close(file)
    os.rmdir(path)
    return [Row("sync", 0, 0, "directory")] if kind != "xfs" else []


def lose_descriptor(directory: str) -> list[Row]:
    """Writes while another thread closes the descriptor; what rows that makes.

    The file system is frozen meanwhile, so that the call waits.
    """
    path = os.path.join(directory, "closed")
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    whole = os.open(os.path.join(directory, "whole"), os.O_CREAT)
    writer = threading.Thread(target=os.write, args=(file, b"x" * 499))
    fcntl.ioctl(whole, FIFREEZE, 0)
    try:
        writer.start()
        support.wait_until(lambda: state_of(writer) == "D")
        os.close(file)
    finally:
        fcntl.ioctl(whole, FITHAW, 0)
    writer.join()
    os.close(whole)
    opens = [Row("open", 0, 0, name) for name in ("closed", "whole")]
    return [*opens, Row("write", 499, 0, "closed")]


def state_of(thread: threading.Thread) -> str:
    """What a thread of this process does, as proc(5) says it."""
    with open(f"/proc/self/task/{thread.native_id}/stat") as stat:
        return stat.read().rpartition(") ")[2][0]


class FsslowerTest(support.LiveTest):
    """Traces a child that works in a directory of the file system."""

    kind: ClassVar[str]
    plan: ClassVar[int] = 0
    rung: ClassVar[int] = 0
    directory: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if cls.plan == 0 and not HAS_KPROBES:
            raise unittest.SkipTest("this kernel lets no functions be traced")
        stack = ExitStack()
        cls.addClassCleanup(stack.close)
        cls.directory = stack.enter_context(cls.mounted())
        environment = mock.patch.dict(
            os.environ, PLAN=str(cls.plan), RUNG=str(cls.rung)
        )
        stack.enter_context(environment)
        stack.enter_context(mock.patch.object(support, "SKEP", LAUNCHER))

    @classmethod
    def mounted(cls) -> Any:
        """The mount point of an empty file system, as a context manager."""
        return filesystems.mounted(cls.kind)

    def setUp(self) -> None:
        for name in os.listdir(self.directory):
            if name != "lost+found":
                os.unlink(os.path.join(self.directory, name))

    def trace(
        self,
        work: Callable[[], object],
        *options: str,
        least: str = "0",
        everybody: bool = False,
    ) -> Outcome:
        """The tool's output while a child does some work, and nobody else's."""
        child = support.Paused(work)
        if "--json" in options:
            options = (*options, "-v")  # for a first line that says it is attached
        if not everybody:
            options = (*options, "-p", str(child.pid))
        tool = (f"{self.kind}slower", least, *options)
        with Tool(*tool) as running:
            child.proceed()
            outcome = running.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        return outcome

    def rows(self, outcome: Outcome) -> list[Row]:
        """The rows of JSON output, which must be complete."""
        self.assertEqual(outcome.ledger(), {})
        return [
            Row(e["operation"], e["ret"], e["offset"], e["file"])
            for e in outcome.objects("event")
        ]


class EveryOperation:
    """Mixed into a test of each type of file system."""

    def test_every_operation_is_a_row(self: Any) -> None:
        def work() -> list[Row]:
            rows = [row for name in NAMES for row in use_file(self.directory, name)]
            for others in (append_and_bypass, append_at_an_offset, be_refused):
                rows += others(self.directory)
            if self.kind != "zfs":  # which cannot be frozen
                rows += lose_descriptor(self.directory)
            return rows + sync_directory(self.directory, self.kind)

        outcome = self.trace(work, "--json")
        # What it did is known by doing it once more, unseen.
        self.setUp()
        expected = work()
        found = Counter(self.rows(outcome))
        # On 6.1, not on 7.2, XFS opens directories by its function for files.
        if self.kind == "xfs":
            del found[Row("open", 0, 0, "directory")]
        self.assertEqual(found, Counter(expected))
        self.assertIn(self.attached, outcome.stderr.decode())


class Output(EveryOperation):
    """Mixed into tests of types that stand for all."""

    @support.only_on("6.1", "6.12")
    def test_rows_are_those_of_bcc(self: Any) -> None:
        outcome = self.trace(lambda: use_file(self.directory, "a\x1b[1mb"))
        banner, header, *lines = outcome.lines()
        self.assertEqual(banner, f"Tracing {self.title} operations")
        self.assertEqual(
            header,
            "TIME     COMM           PID    T BYTES   OFF_KB   LAT(ms) FILENAME",
        )
        row = (
            r"\d\d:\d\d:\d\d .{14} \d+ +([OWRS]) (\d+) +(\d+) +\d+\.\d\d"
            r" a\\x1b\[1mb"
        )
        found = [(m[1], int(m[2]), int(m[3])) for m in support.matches(row, lines)]
        made = use_file(self.directory, "a\x1b[1mb")
        self.assertEqual(len(lines), len(made))
        self.assertEqual(
            found, [(r.operation[0].upper(), r.result, r.offset // 1024) for r in made]
        )

    @support.only_on("6.1")
    def test_comma_separated_values(self: Any) -> None:
        begin = time.monotonic_ns() // 1000
        outcome = self.trace(lambda: use_file(self.directory, "file"), "-j")
        header, *lines = outcome.lines()
        self.assertEqual(
            header, "ENDTIME_us,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE"
        )
        fields = [line.split(",") for line in lines]
        made = use_file(self.directory, "file")
        self.assertEqual(
            [(f[3], int(f[4]), int(f[5]), f[7]) for f in fields],
            [(r.operation[0].upper(), r.result, r.offset, r.name) for r in made],
        )
        end = time.monotonic_ns() // 1000
        for each in fields:
            self.assertTrue(begin < int(each[0]) < end)
            self.assertLessEqual(int(each[6]), int(each[0]) - begin)

    @support.only_on("6.1", "7.2")
    def test_only_slow_operations(self: Any) -> None:
        told = os.path.join(self.directory, "told")

        def work() -> None:
            file = os.open(told, os.O_CREAT | os.O_RDWR)
            os.write(file, bytes(SYNCED_BYTES))
            begin = time.monotonic_ns()
            os.fsync(file)
            took = time.monotonic_ns() - begin
            for _ in range(101):
                os.pread(file, 1, 0)
            with open(os.path.join(self.directory, "took"), "w") as note:
                note.write(str(took))

        outcome = self.trace(work, "--json", least="1")
        events = outcome.objects("event")
        for event in events:
            self.assertGreater(event["latency_ns"], 1_000_000)
        with open(os.path.join(self.directory, "took")) as note:
            took = int(note.read())
        syncs = [e["latency_ns"] for e in events if e["operation"] == "sync"]
        self.assertEqual(len(syncs), 1, events)
        self.assertLessEqual(syncs[0], took)
        self.assertGreater(syncs[0], took / 2)

    @support.only_on("5.10", "6.1")
    def test_other_file_systems_are_not_shown(self: Any) -> None:
        with filesystems.mount_point("tmpfs", "tmpfs") as elsewhere:
            outcome = self.trace(lambda: use_file(elsewhere, "file"), "--json")
        self.assertEqual(self.rows(outcome), [])


class Xfs(Output, FsslowerTest):
    kind, title = "xfs", "XFS"
    attached = ":xfs_file_read_iter"


class Ext4(EveryOperation, FsslowerTest):
    kind = "ext4"
    attached = ":ext4_file_read_iter"


class Btrfs(EveryOperation, FsslowerTest):
    kind = "btrfs"
    attached = ":btrfs_file_write_iter"


class F2fs(EveryOperation, FsslowerTest):
    kind = "f2fs"
    attached = ":f2fs_file_write_iter"


class Nfs(FsslowerTest):
    """A directory of this machine's own NFS server."""

    kind = "nfs"
    version: ClassVar[str] = "4.2"

    @classmethod
    def mounted(cls) -> Any:
        return nfs.mounted(cls.version)

    def test_every_read_write_and_open_is_a_row(self) -> None:
        path = os.path.join(self.directory, "again")

        def work() -> None:
            for name in NAMES:
                use_file(self.directory, name)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            for _ in range(PIECES):
                # A file that is being made may be opened by the request that makes it.
                os.close(os.open(path, os.O_RDONLY))
                os.stat(path)

        outcome = self.trace(work, "--json")
        rows = self.rows(outcome)
        expected = [row for name in NAMES for row in use_file(self.directory, name)]
        moved = ("read", "write")
        self.assertEqual(
            Counter(row for row in rows if row.operation in moved),
            Counter(row for row in expected if row.operation in moved),
        )
        opens = [row for row in rows if row[0] == "open" and row.name == "again"]
        self.assertIn(len(opens), (PIECES, PIECES + 1))
        stats = [row for row in rows if row == Row("getattr", 0, 0, "again")]
        self.assertEqual(len(stats), PIECES)
        self.assertIn(":nfs_file_read", outcome.stderr.decode())

    def test_commits(self) -> None:
        """What takes more than one request to write is committed by another."""

        def work() -> None:
            file = os.open(
                os.path.join(self.directory, "large"), os.O_CREAT | os.O_RDWR
            )
            os.write(file, bytes(SYNCED_BYTES))
            os.fsync(file)
            os.close(file)

        # Threads of the kernel send commits.
        outcome = self.trace(work, "--json", everybody=True)
        rows = [row for row in self.rows(outcome) if row.name == "large"]
        self.assertIn(Row("write", SYNCED_BYTES, 0, "large"), rows)
        commits = {row for row in rows if row.operation == "commit"}
        self.assertEqual(commits, {Row("commit", 0, 0, "large")})


@support.only_on("5.10", "7.2")
class Nfs3(Nfs):
    version = "3"


@support.only_on("6.1")
class XfsByCalls(Output, FsslowerTest):
    kind, title = "xfs", "XFS"
    plan = 1
    attached = ":sys_exit"


@support.only_on("6.1")
class XfsByTracepoints(EveryOperation, FsslowerTest):
    kind = "xfs"
    plan, rung = 1, 2
    attached = "tracepoint:syscalls:sys_exit_read"


@support.only_on("7.2")
class Ext4ByCalls(EveryOperation, FsslowerTest):
    kind = "ext4"
    plan = 1
    attached = ":sys_exit"


@support.only_on("5.10")
class BtrfsByCalls(EveryOperation, FsslowerTest):
    kind = "btrfs"
    plan = 1
    attached = ":sys_exit"


class Usage(support.LiveTest):
    @support.only_on("6.1")
    def test_messages(self) -> None:
        self.assertIn("which type", self.assert_usage_error("fsslower"))
        wrong = self.assert_usage_error("fsslower", "-t", "xfx")
        self.assertIn("did you mean xfs", wrong)
        self.assertIn(
            "less than zero", self.assert_usage_error("xfsslower", "--", "-1")
        )
        self.assertIn("-t", self.assert_usage_error("xfsslower", "-t", "ext4"))

    def test_help(self) -> None:
        import subprocess

        done = subprocess.run(
            [support.SKEP, "nfsslower", "--help"], capture_output=True, text=True
        )
        self.assertIn("usage: skep nfsslower [options] [MIN_MS]", done.stdout)
        self.assertIsNone(re.search("--type", done.stdout))
