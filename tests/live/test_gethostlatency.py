"""gethostlatency shows every lookup, once, with its name."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from typing import Any, ClassVar, NamedTuple

from tests.live import dns, lookups, support, workload
from tests.live.support import Outcome, Tool
from tests.live.test_uprobes import LowerRung

COUNT = 23
CALLS = ("addr", "host", "host2")
HEADER = "TIME      PID     COMM                  LATms HOST"

PYTHON = (sys.executable, lookups.__file__)


class Call(NamedTuple):
    """A lookup as the workload made it: 0 is found; how long it took."""

    name: str
    result: int
    elapsed_ns: int


class Workload:
    """A program that looks up names when it is told to."""

    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe)

    def __enter__(self) -> Workload:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()

    def run(self) -> list[Call]:
        """Lets it run, and returns its calls."""
        text, _ = self.process.communicate(timeout=workload.RUN_SECONDS)
        if self.process.returncode:
            raise RuntimeError(f"{self.process.args!r} failed")
        rows = (line.split() for line in text.decode().splitlines())
        return [Call(name, int(result), int(ns)) for name, result, ns in rows]


class LookupsTest(support.LiveTest):
    """All tests of a class share a name server."""

    server: ClassVar[dns.NameServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        server = dns.NameServer()
        cls.server = server.__enter__()
        cls.addClassCleanup(server.__exit__, None, None, None)

    def workload(
        self, how: str, domain: str, program: tuple[str, ...] = PYTHON
    ) -> Workload:
        """Starts a program that waits."""
        command = self.server.command(*program, how, str(COUNT), domain)
        return Workload(*command)

    def events(self, outcome: Outcome, program: Workload) -> list[dict[str, Any]]:
        """The events of a program."""
        pid = program.process.pid
        return [e for e in outcome.objects("event") if e["pid"] == pid]

    def assert_events(self, events: list[dict[str, Any]], calls: list[Call]) -> None:
        """There is an event for each call, no longer than the call."""
        self.assertEqual([e["host"] for e in events], [call.name for call in calls])
        for event, call in zip(events, calls):
            self.assertGreater(event["latency_ns"], 0)
            self.assertLess(event["latency_ns"], call.elapsed_ns)

    def assert_nothing_lost(self, outcome: Outcome) -> None:
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.ledger(), {})


def tool(*options: str) -> Tool:
    """The tool; with -v, the first thing that it prints is a receipt."""
    return Tool("gethostlatency", "--json", "-v", *options)


class Lookups(LookupsTest):
    @support.only_on("6.1")
    def test_header_and_rows_as_bcc_prints_them(self) -> None:
        with Tool("gethostlatency") as running:
            with self.workload("addr", dns.FOUND) as program:
                calls = program.run()
            outcome = running.stop()
        self.assert_clean(outcome)
        self.assertEqual(outcome.lines()[0], HEADER)
        pid = program.process.pid
        rows = [line for line in outcome.lines()[1:] if line[10:18].strip() == str(pid)]
        self.assertEqual(len(rows), COUNT)
        for row, call in zip(rows, calls):
            comm = row[18:34].strip()
            match = re.fullmatch(r"(\d\d:\d\d:\d\d) .{7} .{16} ( *\d+\.\d\d) (.*)", row)
            assert match is not None, row
            self.assertEqual(
                f"{match[1]:<9s} {pid:<7d} {comm:<16s} "
                f"{float(match[2]):>10.2f} {call.name}",
                row,
            )

    def test_names_that_are_found(self) -> None:
        for how in CALLS:
            with self.subTest(how=how), tool() as running:
                with self.workload(how, dns.FOUND) as program:
                    calls = program.run()
                outcome = running.stop()
                self.assert_nothing_lost(outcome)
                events = self.events(outcome, program)
                self.assertEqual([call.result for call in calls], [0] * COUNT)
                self.assert_events(events, calls)
                self.assertEqual([event["ret"] for event in events], [0] * COUNT)
                self.assertNotIn("error", events[0])

    @support.only_on("5.10", "7.2")
    def test_names_that_are_missing(self) -> None:
        for how in CALLS:
            with self.subTest(how=how), tool() as running:
                with self.workload(how, dns.MISSING) as program:
                    calls = program.run()
                outcome = running.stop()
                self.assert_nothing_lost(outcome)
                events = self.events(outcome, program)
                self.assert_events(events, calls)
                self.assertEqual(
                    [event["ret"] for event in events], [call.result for call in calls]
                )
                error = "EAI_NONAME" if how == "addr" else "NOT_FOUND"
                self.assertEqual({event["error"] for event in events}, {error})

    @support.only_on("6.1", "6.12")
    def test_no_name_is_no_lookup(self) -> None:
        with tool() as running:
            with self.workload("null", dns.FOUND) as program:
                self.assertEqual(len(program.run()), COUNT)
            outcome = running.stop()
        self.assertEqual(self.events(outcome, program), [])

    def test_threads(self) -> None:
        with tool() as running:
            with self.workload("threads", dns.FOUND) as program:
                calls = program.run()
            outcome = running.stop()
        self.assert_nothing_lost(outcome)
        events = self.events(outcome, program)
        self.assertEqual(len(calls), COUNT * lookups.THREADS)
        shown = Counter(event["host"] for event in events)
        self.assertEqual(shown, Counter(call.name for call in calls))

    @support.only_on("6.12")
    def test_long_name(self) -> None:
        domain = ".".join("x" * 63 for _ in range(3))
        with tool() as running:
            with self.workload("addr", domain) as program:
                program.run()
            outcome = running.stop()
        events = self.events(outcome, program)
        self.assertEqual(
            [event["host"] for event in events],
            [f"n{i}.{domain}"[:80] for i in range(COUNT)],
        )

    def test_one_process(self) -> None:
        with (
            self.workload("addr", dns.FOUND) as mine,
            self.workload("addr", dns.FOUND) as other,
            tool("-p", str(mine.process.pid)) as running,
        ):
            other.run()
            calls = mine.run()
            outcome = running.stop()
        self.assert_nothing_lost(outcome)
        self.assert_events(outcome.objects("event"), calls)
        self.assertEqual(
            {e["pid"] for e in outcome.objects("event")}, {mine.process.pid}
        )


@support.only_on("5.10", "7.2")
class Libraries(LookupsTest):
    """Files of the C library other than the machine's own."""

    def test_container_with_its_own_glibc(self) -> None:
        # The copy is in the mount namespace of the container only.
        setup = (
            'file=$(realpath "$0"); mount -t tmpfs tmpfs /mnt; cp "$file" /mnt/copy;'
            ' mount --bind /mnt/copy "$file"; exec "$@"'
        )
        command = self.server.command(
            *("unshare", "--mount", "sh", "-ec", setup, own_libc()),
            *(*PYTHON, "addr", str(COUNT), dns.FOUND),
        )
        with Workload(*command) as program:
            self.assertTrue(
                support.wait_until(lambda: maps_other_file(program.process.pid))
            )
            with tool() as running:
                calls = program.run()
                outcome = running.stop()
        self.assert_nothing_lost(outcome)
        self.assert_events(self.events(outcome, program), calls)
        notes = " ".join(item["note"] for item in outcome.objects("receipt"))
        self.assertIn(f"of process {program.process.pid}", notes)

    def test_musl(self) -> None:
        # Its gethostbyname ends in a jump to gethostbyname2.
        times = {"addr": 1, "host": 2, "host2": 1}
        for how in CALLS:
            with self.subTest(how=how):
                program = (workload.program("lookups_musl"),)
                with self.workload(how, dns.FOUND, program) as running:
                    self.assertTrue(
                        support.wait_until(lambda: maps(running.process.pid, b"musl"))
                    )
                    with tool() as traced:
                        calls = running.run()
                        outcome = traced.stop()
                self.assert_nothing_lost(outcome)
                shown = Counter(e["host"] for e in self.events(outcome, running))
                expected = {call.name: times[how] for call in calls}
                self.assertEqual(len(calls), COUNT)
                self.assertEqual(shown, expected)

    def test_static_program_by_its_pid(self) -> None:
        program = (workload.program("lookups_musl_static"),)
        with self.workload("addr", dns.FOUND, program) as running:
            self.assertTrue(
                support.wait_until(lambda: maps(running.process.pid, b"lookups"))
            )
            with tool("-p", str(running.process.pid)) as traced:
                calls = running.run()
                outcome = traced.stop()
        self.assert_nothing_lost(outcome)
        self.assert_events(self.events(outcome, running), calls)


def own_libc() -> str:
    """The path of the C library of this process."""
    with open("/proc/self/maps") as file:
        found = re.search(r"/\S*/libc[.-]\S*so\S*", file.read())
    assert found is not None
    return found[0]


def maps(pid: int, name: bytes) -> bool:
    """Whether a process has mapped a file with this in its name as code."""
    with open(f"/proc/{pid}/maps", "rb") as file:
        return any(name in line and b" r-xp " in line for line in file)


def maps_other_file(pid: int) -> bool:
    """Whether a process runs Python with another libc than this one."""
    pattern = r"r-xp \S+ (\S+ \d+) .*/(?:libc[.-]|copy)"
    try:
        with open(f"/proc/{pid}/maps") as file:
            theirs = set(re.findall(pattern, file.read()))
        with open("/proc/self/maps") as file:
            mine = set(re.findall(pattern, file.read()))
        with open(f"/proc/{pid}/cmdline") as file:
            is_python = file.read().startswith(sys.executable)
    except OSError:
        return False
    return is_python and bool(theirs - mine)


@support.only_on("7.2")
class LookupsByEvents(LowerRung, Lookups):
    def test_is_attached(self) -> None:
        with tool() as running:
            receipts = running.stop().objects("receipt")
        for receipt in receipts:
            self.assertTrue(receipt["attached"].startswith("uretprobe:"), receipt)


@support.only_on("7.2")
class LibrariesByEvents(LowerRung, Libraries):
    test_is_attached = None  # type: ignore[assignment]
