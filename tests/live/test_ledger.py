"""What is delivered and what the ledger calls lost is all that happened."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence

from skep.toolkit.library import start
from skep.tools import opensnoop
from tests.live import preemption, support, workload
from tests.live.support import SKEP, SLOW, Outcome, Paused, Tool

TOOLS = support.TREE / "tests" / "live" / "tools"

COUNT = 1009
"""Calls with as many different arguments; the tools here have room for few."""


def told(outcome: Outcome, cause: str) -> int:
    """How many the tool says it lost, by the beginning of what it says."""
    found = re.findall(rb"(\d+) " + cause.encode(), outcome.stderr)
    return int(found[-1]) if found else 0  # the last says how many in all


def ring_full(outcome: Outcome) -> int:
    """The events that the tool says it lost as its buffer was full."""
    return told(outcome, "events lost because the ring buffer")


@support.only_on("5.10", "7.2")
class Flood(support.LiveTest):
    """A program opens one file at full speed on one CPU."""

    def setUp(self) -> None:
        fd, self.path = tempfile.mkstemp(prefix="skep-flood-")
        os.close(fd)
        self.addCleanup(os.unlink, self.path)

    def flood(
        self, count: int, *options: str, status: int = 0
    ) -> tuple[Outcome, int, int]:
        """Traces `count` opens; returns the outcome, the delivered and the lost."""
        program = workload.program("opens")
        command = [program, "flood", str(count), self.path, "0"]
        child = Paused(lambda: os.execv(program, command))
        # Losses are counted before filters in user space, so the filter is by pid.
        with Tool("opensnoop", "-p", str(child.pid), *options) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(outcome.status, status)
        delivered = outcome.stdout.count(self.path.encode())
        return outcome, delivered, ring_full(outcome)

    def test_delivered_and_lost_are_all(self) -> None:
        count = int(1_000_000 / SLOW)
        outcome, delivered, lost = self.flood(count)
        self.assertGreater(delivered, 0)
        self.assert_sum(outcome, delivered + lost, count)

    def test_a_small_buffer_loses_and_says_so(self) -> None:
        count = int(100_000 / SLOW)
        outcome, delivered, lost = self.flood(count, "-b", "1")
        self.assertGreater(lost, 0)
        self.assert_sum(outcome, delivered + lost, count)

    def test_strict(self) -> None:
        outcome, _, lost = self.flood(20_000, "-b", "1", "--strict", status=3)
        last = outcome.stderr.decode().splitlines()[-1]
        self.assertIn(f"skep: the output is not complete: {lost} events lost", last)
        outcome, _, lost = self.flood(100, "--json", "-v", "--strict")
        self.assertEqual((lost, outcome.ledger()), (0, {}))

    def test_strict_in_json(self) -> None:
        outcome, delivered, lost = self.flood(
            20_000, "-b", "1", "--strict", "--json", "-v", status=3
        )
        self.assertEqual(outcome.ledger()["ring_full"], lost)
        (error,) = outcome.objects("error")
        self.assertIn(f"{lost} events lost", error["message"])
        self.assert_sum(outcome, delivered + lost, 20_000)

    def test_json_has_the_same_sum(self) -> None:

        def knock() -> None:
            workload.run("opens", "flood", 1, "/dev/null", 0)

        options = "--json", "-b", "1", "-n", "opens"
        with Tool("opensnoop", *options, knock=knock) as tool:
            workload.run("opens", "flood", int(100_000 / SLOW), self.path, 0)
            outcome = tool.stop()
        self.assertEqual(outcome.ledger().get("ring_full"), ring_full(outcome))


class SlowReader(support.LiveTest):
    """Opens at full speed, and rows that are not read, or not written, meanwhile."""

    def setUp(self) -> None:
        fd, self.path = tempfile.mkstemp(prefix="skep-flood-")
        os.close(fd)
        self.addCleanup(os.unlink, self.path)

    def flood(self, *signals: int) -> None:
        """Traces opens with a small buffer into a pipe that is read at the end.

        The tool gets the first signal before the opens, the others after them.
        """
        count = int(60_000 / SLOW)
        command = [workload.program("opens"), "flood", str(count), self.path, "0"]
        child = Paused(lambda: os.execv(command[0], command))
        tool = [SKEP, "opensnoop", "-p", str(child.pid), "-b", "16"]
        with subprocess.Popen(tool, bufsize=0, stdout=-1, stderr=-1) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for number in signals[:1]:
                process.send_signal(number)
            child.proceed()
            for number in (*signals[1:], signal.SIGINT):
                process.send_signal(number)
            stdout, stderr = process.communicate(timeout=support.STOP_SECONDS)
        outcome = Outcome(process.returncode, stdout, stderr)
        preemption.note(stderr)
        self.assertEqual(outcome.status, 0, stderr)
        lost, delivered = ring_full(outcome), stdout.count(self.path.encode())
        self.assertGreater(lost, 0)
        self.assertGreater(delivered, 0)
        self.assert_sum(outcome, delivered + lost, count)

    def test_nobody_reads_the_pipe(self) -> None:
        self.flood()

    def test_the_tool_is_stopped(self) -> None:
        self.flood(signal.SIGSTOP, signal.SIGCONT)


@support.only_on("6.12")
class FullMaps(support.LiveTest):
    """More keys than there is room for, in tables and histograms."""

    def trace(self, tool: str, *options: str) -> Outcome:
        program = workload.program("calls")
        arguments = (str(TOOLS / tool), program, "-v", "--comm", "calls", *options)
        with Tool(*arguments) as running:
            workload.run("calls", "entry", COUNT)
            return running.stop()

    def balanced(self, outcome: Outcome, counted: int) -> None:
        self.assertEqual(outcome.status, 0)
        lost = told(outcome, "events lost or not counted because a map was full")
        self.assertGreater(lost, 0)
        self.assertGreater(counted, 0)
        self.assertEqual(counted + lost, COUNT)

    def test_table_in_json(self) -> None:
        outcome = self.trace("full_table.py", "--json")
        rows = outcome.objects("table")
        self.assertEqual(len({row["a"] for row in rows}), len(rows))
        self.balanced(outcome, sum(row["calls"] for row in rows))
        self.assertEqual(outcome.ledger(), {"map_full": COUNT - len(rows)})

    def test_histogram_in_json(self) -> None:
        outcome = self.trace("full_histogram.py", "--json")
        histograms = outcome.objects("histogram")
        buckets = [bucket for each in histograms for bucket in each["buckets"]]
        self.balanced(outcome, sum(bucket["count"] for bucket in buckets))
        for each in histograms:  # in the right one of its buckets
            (bucket,) = [bucket for bucket in each["buckets"] if bucket["count"]]
            self.assertLessEqual(bucket["low"], each["a"])
            self.assertLessEqual(each["a"], bucket["high"])

    def test_strict(self) -> None:
        counts = {  # in what a tool shows as text
            "full_table.py": r"^ *\d+ +(\d+)$",
            "full_histogram.py": r"^ *\d+ -> \d+ *: (\d+) ",
        }
        for tool, count in counts.items():
            with self.subTest(tool=tool):
                outcome = self.trace(tool, "--strict")
                self.assertEqual(outcome.status, 3)
                lost = told(outcome, "events lost or not counted because a map")
                last = outcome.stderr.decode().splitlines()[-1]
                expected = f"skep: the output is not complete: {lost} events lost"
                self.assertEqual(last[: len(expected)], expected)
                shown = re.findall(count, outcome.stdout.decode(), re.MULTILINE)
                self.assertEqual(sum(map(int, shown)) + lost, COUNT)


@support.only_on("5.10", "7.2")
class Stacks(support.LiveTest):
    """More stacks than a table's stack maps have room for: 16384, and 1024 beside."""

    def trace(self, depth: int) -> tuple[Outcome, dict[bool, int]]:
        """The outcome, and the calls with and without a stack."""
        program = workload.program("calls")
        with Tool(str(TOOLS / "stacks.py"), program, "--json", "-v") as running:
            workload.run("calls", "paths", depth)
            outcome = running.stop()
        self.assertEqual(outcome.status, 0)
        rows = outcome.objects("stacks")
        calls = {
            known: sum(r["calls"] for r in rows if (r["stack"] is not None) is known)
            for known in (True, False)
        }
        return outcome, calls

    def test_each_way_has_a_stack(self) -> None:
        outcome, calls = self.trace(7)
        self.assertEqual(calls, {True: 1 << 7, False: 0})
        self.assertEqual(len(outcome.objects("stacks")), 1 << 7)
        self.assertEqual(outcome.ledger(), {})

    @support.only_on("5.10")
    def test_stacks_that_have_no_room_are_counted(self) -> None:
        outcome, calls = self.trace(15)
        self.assertGreater(calls[True], 1 << 12)
        self.assertGreater(calls[False], 0)
        self.assertEqual(calls[True] + calls[False], 1 << 15)
        self.assertEqual(outcome.ledger(), {"stack_collision": calls[False]})
        self.assertEqual(told(outcome, "stacks lost because"), calls[False])


@support.only_on("6.12")
class Texts(support.LiveTest):
    """Texts that are cut, and memory that cannot be read: each is counted once."""

    def opens(self, *paths: int, options: tuple[str, ...] = ()) -> Outcome:
        """Traces openat(2) of texts at these addresses."""
        child = self.opening(paths)
        with Tool("opensnoop", "-p", str(child.pid), *options) as tool:
            child.proceed()
            return tool.stop()

    def opening(self, paths: Sequence[int]) -> Paused:
        """A process that is going to open them."""
        call = ctypes.CDLL(None, use_errno=True).openat

        def workload() -> None:
            for path in paths:
                call(-1, ctypes.c_void_p(path), 0)

        return Paused(workload)

    def long_texts(self) -> list[int]:
        """Addresses of paths around the length of the field, in bytes with the NUL."""
        sizes = [253, 254, 255, 256, 257, 1009, 4095, 4096, 8192]
        self.texts = [ctypes.create_string_buffer(b"a" * (n - 1)) for n in sizes]
        return [ctypes.addressof(text) for text in self.texts]

    def test_cut_text(self) -> None:
        outcome = self.opens(*self.long_texts(), options=("--json", "-v", "--strict"))
        rows = outcome.objects("event")
        lengths = [len(row["path"]) for row in rows]
        self.assertEqual(lengths, [252, 253, 254, *6 * [255]])
        cut = [row.get("path_truncated", False) for row in rows]
        self.assertEqual(cut, [*4 * [False], *5 * [True]])
        self.assertEqual(outcome.ledger(), {"truncated": 5})
        self.assertEqual(outcome.status, 3)

    def unreadable(self) -> tuple[list[int], list[int]]:
        """Addresses of readable paths, and of such as cannot be read."""
        page = mmap.PAGESIZE
        self.memory = mmap.mmap(-1, 3 * page)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.memory[page - 8 : page] = b"readable"
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.mprotect(ctypes.c_void_p(first + page), page, 0), 0)
        # The first is readable up to its NUL, which is behind the end of the page.
        self.memory[0:6] = b"known\0"
        return [first], [first + page - 8, first + page, first + page + 16, 8, 1 << 60]

    def test_memory_that_cannot_be_read(self) -> None:
        good, bad = self.unreadable()
        outcome = self.opens(*good, *bad, *good, options=("--json", "-v", "--strict"))
        paths = [row["path"] for row in outcome.objects("event")]
        self.assertEqual(paths, ["known", *len(bad) * [None], "known"])
        self.assertEqual(outcome.ledger(), {"failed_read": len(bad)})
        self.assertEqual(outcome.status, 3)

    def paged_out(self) -> int:
        """The address of a path that nobody has read from its file yet."""
        with tempfile.TemporaryFile() as file:
            file.write(b"paged\0".ljust(mmap.PAGESIZE))
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        return ctypes.addressof(ctypes.c_char.from_buffer(self.memory))

    def test_memory_that_is_paged_out(self) -> None:
        # The call itself has read it when opensnoop does, at the return.
        outcome = self.opens(self.paged_out(), options=("--json", "-v"))
        paths = [row["path"] for row in outcome.objects("event")]
        self.assertEqual(paths, ["paged"])
        self.assertEqual(outcome.ledger(), {})

    def test_memory_that_is_paged_out_at_entry(self) -> None:
        child = self.opening([self.paged_out()])
        probe = 'p::sys_openat "%s", filename'
        with Tool("trace", "-p", str(child.pid), "--json", "-v", probe) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(len(outcome.objects("event")), 1)
        self.assertEqual(outcome.ledger(), {"failed_read": 1})

    def test_the_same_in_a_table(self) -> None:
        good, bad = self.unreadable()
        outcome = self.opens(*good, *bad, *self.long_texts())
        self.assertEqual(len(outcome.lines()), 1 + len(good) + len(bad) + 9)
        self.assertEqual(told(outcome, "reads of memory failed"), len(bad))
        self.assertEqual(told(outcome, "texts were longer"), 5)
        self.assertEqual(outcome.status, 0)

    def test_the_same_in_folded_stacks(self) -> None:
        # The readable text is left out: a fork leaves its memory, which is shared, to
        # be mapped when the call reads it, and that is after the program.
        _, bad = self.unreadable()
        cut = self.long_texts()  # trace's texts are shorter than opensnoop's
        child = self.opening([*bad, *cut])
        probe = 'sys_openat "%s", filename'
        options = ("-U", "--folded", "--strict", "-v", "-p", str(child.pid))
        with subprocess.Popen(
            [SKEP, "trace", *options, probe],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            assert running.stderr is not None
            running.stderr.readline()  # what is attached: there is no header
            child.proceed()
            running.send_signal(signal.SIGINT)
            texts = running.communicate(timeout=support.STOP_SECONDS)
        outcome = Outcome(running.returncode, *texts)
        self.assertEqual(len(outcome.lines()), len(bad) + len(cut))
        self.assertEqual(told(outcome, "reads of memory failed"), len(bad))
        self.assertEqual(told(outcome, "texts were longer"), len(cut))
        self.assertEqual(outcome.status, 3)

    def test_the_same_in_a_library(self) -> None:
        good, bad = self.unreadable()
        paths = [*good, *bad, *self.long_texts()]
        child = self.opening(paths)
        with start(opensnoop, pid=child.pid) as events:
            child.proceed()
            self.assertEqual(len(events.read()), len(paths))
            losses = events.losses()
        self.assertEqual(losses["failed read"], len(bad))
        self.assertEqual(losses["truncated"], 5)
