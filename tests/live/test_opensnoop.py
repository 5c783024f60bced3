"""opensnoop shows every open, once, as it was made."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.live import support, workload
from tests.live.support import Outcome, Tool

OPENS = 101
THREADS = 10

SHOWN = 255  # bytes of a path


def row(call: workload.Open, comm: str = "opens", extended: bool = False) -> str:
    """The line of one call; of a call whose path is shown as it is."""
    fd, error = (call.result, 0) if call.result >= 0 else (-1, -call.result)
    creates = call.flags & os.O_CREAT or call.flags & os.O_TMPFILE == os.O_TMPFILE
    mode = f"{call.mode:04o} " if creates else "n/a  "
    more = f"{call.flags:08o} {mode}" if extended else ""
    path = (call.path or b"").decode()
    return f"{call.pid:<6d} {comm:<16s} {fd:>4d} {error:>3d} {more}{path}"


def is_plain(call: workload.Open) -> bool:
    """A call whose path is readable, short and needs no escapes."""
    path = call.path
    return path is not None and bool(re.fullmatch(rb"[-./\w]{0,%d}" % SHOWN, path))


def rows_of(outcome: Outcome, calls: list[workload.Open]) -> list[str]:
    """The lines about the processes that made the calls."""
    pids = {str(call.pid) for call in calls}
    lines = outcome.lines()[1:]
    return [line for line in lines if line.split(" ", 1)[0] in pids]


def try_open(path: str, flags: int = os.O_RDONLY, dir_fd: int | None = None) -> None:
    """Opens a path in this thread."""
    with suppress(OSError):
        os.close(os.open(path, flags, dir_fd=dir_fd))


class OpensnoopTest(support.LiveTest):
    """Each test has a directory of its own."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="skep-opens-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def marker(self, name: str) -> str:
        """A path that names nothing and occurs in no other test."""
        return os.path.join(self.directory, name)

    def open_in_child(self, name: str, uid: int = 0) -> int:
        """Opens a marker in a forked child of this process; returns its pid."""

        def open_as_user() -> None:
            os.setuid(uid)
            try_open(self.marker(name))

        return support.fork(open_as_user)

    def trace(
        self, *options: str, run: str = "cases", program: str = "opens"
    ) -> tuple[list[workload.Open], Outcome]:
        """Traces a run of the workload; returns what it did and the outcome."""
        more = [OPENS, THREADS] if run == "threads" else []
        with Tool("opensnoop", *options) as tool:
            text = workload.run(program, run, self.directory, *more)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        return workload.parse_opens(text), outcome

    def paths(self, outcome: Outcome) -> list[str]:
        """The names of this test's markers, in the order of the output."""
        found = (line.partition(f" {self.directory}/") for line in outcome.lines())
        return [name for _, separator, name in found if separator]


class Rows(OpensnoopTest):
    def test_header_and_rows_as_bcc_prints_them(self) -> None:
        calls, outcome = self.trace()
        self.assertEqual(outcome.lines()[0], "PID    COMM               FD ERR PATH")
        rows = rows_of(outcome, calls)
        self.assertEqual(len(rows), len(calls))
        expected = [row(call) for call in calls if is_plain(call)]
        self.assertGreater(len(expected), 30)
        self.assertEqual([line for line in rows if line in expected], expected)

    def test_flags_and_mode(self) -> None:
        calls, outcome = self.trace("-e")
        header = "PID    COMM               FD ERR FLAGS    MODE PATH"
        self.assertEqual(outcome.lines()[0], header)
        expected = [row(call, extended=True) for call in calls if is_plain(call)]
        rows = rows_of(outcome, calls)
        self.assertEqual([line for line in rows if line in expected], expected)

    def test_32_bit_program(self) -> None:
        calls, outcome = self.trace("-e", program="opens_32")
        rows = rows_of(outcome, calls)
        self.assertEqual(len(rows), len(calls))
        expected = [row(c, "opens_32", extended=True) for c in calls if is_plain(c)]
        self.assertEqual([line for line in rows if line in expected], expected)

    def test_ten_threads_at_once(self) -> None:
        calls, outcome = self.trace(run="threads")
        self.assertEqual(len(calls), OPENS * THREADS)
        self.assert_rows(outcome, rows_of(outcome, calls), map(row, calls))

    def test_thread_ids(self) -> None:
        with Tool("opensnoop", "-t", str(os.getpid())) as tool:
            header = tool.output().decode()
            try_open(self.marker("main-thread"))
            outcome = tool.stop()
        self.assertTrue(header.startswith("TID    COMM "), header)
        self.assertEqual(self.paths(outcome), ["main-thread"])

    def test_result_of_an_unreadable_path(self) -> None:
        calls, outcome = self.trace()
        unreadable = [call for call in calls if call.path is None]
        rows = [line for line in rows_of(outcome, calls) if " -1  14 " in line]
        self.assertEqual(len(rows), len(unreadable))


@support.only_on("5.10", "7.2")
class Paths(OpensnoopTest):
    def test_json_has_the_bytes(self) -> None:
        with Tool("opensnoop", "--json", knock=lambda: try_open("/dev/null")) as tool:
            text = workload.run("opens", "cases", self.directory)
            outcome = tool.stop()
        calls = workload.parse_opens(text)
        events = [e for e in outcome.objects("event") if e["pid"] == calls[0].pid]
        shown = Counter((e["ret"], support.json_bytes(e, "path")) for e in events)
        made = Counter((c.result, c.path and c.path[:SHOWN]) for c in calls)
        self.assertEqual(shown, made)

    def test_json_says_what_it_cut(self) -> None:
        start = self.marker("x")
        options = "--json", "-p", str(os.getpid())
        with Tool("opensnoop", *options, knock=lambda: try_open("/dev/null")) as tool:
            for length in (SHOWN - 1, SHOWN, SHOWN + 1, 4000):
                try_open(start.ljust(length, "x"))
            outcome = tool.stop()
        paths = [event["path"] for event in outcome.objects("event")]
        lengths = [len(path) for path in paths if (path or "").startswith(start)]
        self.assertEqual(lengths, [SHOWN - 1, SHOWN, SHOWN, SHOWN])
        self.assertEqual(outcome.ledger(), {"truncated": 2})

    def test_odd_bytes_never_reach_a_terminal(self) -> None:
        calls, outcome = self.trace()
        self.assertEqual(re.findall(rb"[^\n\x20-\x7e\xc3\xa9]", outcome.stdout), [])
        odd = [call for call in calls if not is_plain(call)]
        names = [line.rpartition("/")[2] for line in rows_of(outcome, odd)]
        for name in (r"new\nline", r"esc\x1b[31mred", r"\xff\xfe", r"back\slash"):
            self.assertIn(name, names)

    def test_full_path(self) -> None:
        os.mkdir(self.marker("cwd"))
        os.mkdir(self.marker("dir"))
        dir_fd = os.open(self.marker("dir"), os.O_PATH)
        self.addCleanup(os.close, dir_fd)

        def open_from_cwd() -> None:
            os.chdir(self.marker("cwd"))
            try_open("relative")
            try_open("sub/relative")
            try_open("relative", dir_fd=dir_fd)
            try_open("../up", dir_fd=dir_fd)
            try_open(self.marker("absolute"))
            try_open(self.marker("absolute"), dir_fd=dir_fd)

        with Tool("opensnoop", "-F") as tool:
            support.fork(open_from_cwd)
            outcome = tool.stop()
        expected = ["cwd/relative", "cwd/sub/relative", "dir/relative", "dir/../up"]
        self.assertEqual(self.paths(outcome), [*expected, "absolute", "absolute"])

    def test_full_path_crosses_mounts(self) -> None:
        directory = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(directory.cleanup)
        deep = os.path.join(directory.name, *"abcdefghijkl")
        os.makedirs(deep)

        def open_below() -> None:
            os.chdir(deep)
            try_open("below-a-mount")

        with Tool("opensnoop", "-F", "-x") as tool:
            support.fork(open_below)
            outcome = tool.stop()
        shown = [line for line in outcome.lines() if "below-a-mount" in line]
        self.assertEqual(len(shown), 1)
        self.assertTrue(shown[0].endswith(f" {deep}/below-a-mount"), shown)

    def test_full_path_below_a_deleted_directory(self) -> None:
        gone = self.marker("gone")
        os.mkdir(gone)

        def open_below() -> None:
            os.chdir(gone)
            os.rmdir(gone)
            try_open("nothing")

        with Tool("opensnoop", "-F", "-x") as tool:
            pid = support.fork(open_below)
            outcome = tool.stop()
        shown = [line for line in outcome.lines() if line.startswith(f"{pid} ")]
        self.assertEqual(len(shown), 1)
        self.assertIn("gone", shown[0])
        self.assertTrue(shown[0].endswith("/nothing"), shown)


@support.only_on("5.10", "6.12")
class Filters(OpensnoopTest):
    def test_failed(self) -> None:
        calls, outcome = self.trace("-x")
        failures = [call for call in calls if call.result < 0]
        self.assertEqual(len(rows_of(outcome, calls)), len(failures))

    def test_pid(self) -> None:
        with Tool("opensnoop", "-p", str(os.getpid())) as tool:
            try_open(self.marker("mine"))
            self.open_in_child("of-a-child")
            thread = threading.Thread(target=try_open, args=(self.marker("thread"),))
            thread.start()
            thread.join()
            outcome = tool.stop()
        self.assertEqual(sorted(self.paths(outcome)), ["mine", "thread"])

    def test_tid(self) -> None:
        go = threading.Event()

        def wait_and_open() -> None:
            go.wait()
            try_open(self.marker("thread"))

        thread = threading.Thread(target=wait_and_open)
        thread.start()
        try:
            with Tool("opensnoop", "-t", str(thread.native_id)) as tool:
                try_open(self.marker("main"))
                go.set()
                thread.join()
                outcome = tool.stop()
        finally:
            go.set()
        self.assertEqual(self.paths(outcome), ["thread"])
        self.assertTrue(outcome.lines()[1].startswith(f"{thread.native_id} "))

    def test_uid(self) -> None:
        for uid, expected in ((54321, "other"), (0, "root")):
            with self.subTest(uid=uid), Tool("opensnoop", "-u", str(uid)) as tool:
                self.open_in_child("root")
                self.open_in_child("other", uid=54321)
                outcome = tool.stop()
                self.assertEqual(self.paths(outcome), [expected])

    def test_name_is_a_substring(self) -> None:
        for name, shown in (("pen", True), ("opens", True), ("opensn", False)):
            with self.subTest(name=name):
                calls, outcome = self.trace("-n", name)
                rows = rows_of(outcome, calls)
                self.assertEqual(len(rows), len(calls) if shown else 0)

    def test_flags(self) -> None:
        cases = (["O_WRONLY"], ["O_CREAT"], ["O_APPEND", "O_EXCL"], ["O_RDWR"])
        for names in cases:
            wanted = 0
            options = []
            for name in names:
                wanted |= getattr(os, name)
                options += ["-f", name]
            with self.subTest(flags=names):
                calls, outcome = self.trace(*options)
                expected = [call for call in calls if call.flags & wanted]
                self.assertEqual(len(rows_of(outcome, calls)), len(expected))

    def test_flags_for_reading(self) -> None:
        for more in ([], ["-f", "O_CREAT"]):
            with self.subTest(more=more):
                calls, outcome = self.trace("-f", "O_RDONLY", *more)
                expected = [
                    call
                    for call in calls
                    if call.flags & os.O_ACCMODE == os.O_RDONLY
                    or (more and call.flags & os.O_CREAT)
                ]
                self.assertEqual(len(rows_of(outcome, calls)), len(expected))
                self.assertLess(len(expected), len(calls))

    def test_together(self) -> None:
        calls, outcome = self.trace("-x", "-f", "O_CREAT", "-n", "opens", "-e")
        expected = [c for c in calls if c.result < 0 and c.flags & os.O_CREAT]
        rows = [row(call, extended=True) for call in expected]
        self.assertEqual(rows_of(outcome, calls), rows)


class Columns(OpensnoopTest):
    def test_time_and_uid(self) -> None:
        with Tool("opensnoop", "-T", "-U") as tool:
            pids = [
                self.open_in_child("first", uid=54321),
                self.open_in_child("second"),
            ]
            outcome = tool.stop()
        header = "TIME(s)       UID   PID    COMM               FD ERR PATH"
        self.assertEqual(outcome.lines()[0], header)
        line = r"(\d+\.\d{9}) +(\d+) +(\d+) +.* " + re.escape(self.directory) + "/.*"
        rows = [match.groups() for match in support.matches(line, outcome.lines())]
        self.assertEqual([int(uid) for _, uid, _ in rows], [54321, 0])
        self.assertEqual([int(pid) for _, _, pid in rows], pids)
        self.assertLessEqual(float(rows[0][0]), float(rows[1][0]))
        self.assertLess(float(rows[1][0]), support.STOP_SECONDS)

    def test_tmpfile_shows_its_mode(self) -> None:
        with Tool("opensnoop", "-e", "-p", str(os.getpid())) as tool:
            fd = os.open(self.directory, os.O_TMPFILE | os.O_RDWR, 0o640)
            self.assertTrue(stat.S_ISREG(os.fstat(fd).st_mode))
            os.close(fd)
            outcome = tool.stop()
        flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
        self.assertIn(f"{flags:08o} 0640 {self.directory}\n", outcome.stdout.decode())


@support.only_on("5.10", "7.2")
class Ends(OpensnoopTest):
    def test_duration(self) -> None:
        with Tool("opensnoop", "-d", "1", "-p", str(os.getpid())) as tool:
            try_open(self.marker("in-time"))
            outcome = tool.wait()
        self.assert_clean(outcome)
        self.assertEqual(self.paths(outcome), ["in-time"])

    def test_command(self) -> None:
        path = self.marker("file")
        Path(path).touch()
        command = workload.program("opens"), "flood", "3", path, "0"
        with Tool("opensnoop", "--exec", *command) as tool:
            outcome = tool.wait()
        self.assertEqual(outcome.status, 0)
        self.assertEqual(self.paths(outcome), ["file"] * 3)
        rows = support.matches(r"(\d+) +\S+ +-?\d+ +\d+ .*", outcome.lines())
        self.assertEqual(len({row[1] for row in rows}), 1)

    def test_a_command_that_cannot_be_run(self) -> None:
        for command, reason in (("/nope", "No such file"), ("/etc/passwd", "Perm")):
            with self.subTest(command=command):
                with Tool("opensnoop", "--json", "-v", "--exec", command) as tool:
                    outcome = tool.wait()
                self.assertEqual(outcome.status, 1)
                (error,) = outcome.objects("error")
                message = f"cannot run {command}: {reason}"
                self.assertIn(message, error["message"])
                self.assertIn(f"skep: {message}", outcome.stderr.decode())

    @support.only_on("7.2")  # its Python imports something to search for a command
    def test_exec_shows_nothing_of_skep(self) -> None:
        with Tool("opensnoop", "--exec", "true") as tool:
            rows = support.matches(r"\d+ +(\S+) +-?\d+ .*", tool.wait().lines())
        self.assertEqual({row[1] for row in rows}, {"true"})

    def test_usage_errors(self) -> None:
        for arguments in (
            ("--no-such-option",),
            ("-p", "none"),
            ("-f", "O_NONSENSE"),
            ("-f", "nonsense"),
            ("-u", "no-such-user"),
            ("-b", "7"),
            ("-d", "-1"),
            ("unexpected",),
            ("--exec",),
            ("-p", "1", "--exec", "true"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage_error("opensnoop", *arguments)
