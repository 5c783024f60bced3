"""No byte that drives a terminal comes from a traced program to the screen."""

from __future__ import annotations

import ctypes
import json
import os
import struct
from collections.abc import Sequence
from typing import Callable

from tests.live import support
from tests.live.support import Outcome, Paused, Tool, json_bytes
from tests.live.test_task_filters import cgroup2

DRIVING = b"\x1b[2J\x1b]0;title\x07\r\n\t\x7f\x9b31m\xff\xc3(end"
"""Clears the screen, sets the title, and so on; the last bytes are not UTF-8."""

NAMES = (DRIVING, DRIVING * 190, b"\n" * 4000, bytes(range(1, 256)).replace(b"/", b""))
"""The second has 4 KB; the last all bytes that a name can have."""

COMM = DRIVING[:9] + b"\n\x9b\xff"

_PR_SET_NAME = 15
_AI_NUMERICHOST = 4


class Hostile(support.LiveTest):
    """Traces a process that calls itself, and all it uses, by hostile names."""

    def traced(
        self,
        work: Callable[[], object],
        tool: str,
        *options: str,
        cgroup: str | None = None,
    ) -> Outcome:
        libc = ctypes.CDLL(None)

        def child() -> None:
            libc.prctl(_PR_SET_NAME, COMM, 0, 0, 0)
            if cgroup:
                with open(f"{cgroup}/cgroup.procs", "w") as file:
                    file.write(str(os.getpid()))
            work()

        paused = Paused(child)
        with Tool(tool, "-p", str(paused.pid), "-v", *options) as running:
            paused.proceed()
            outcome = running.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        return outcome

    def assert_harmless(self, outcome: Outcome, rows: int) -> list[str]:
        """Lines of printable characters, as many as there should be."""
        for text in (outcome.stdout, outcome.stderr):
            odd = {byte for byte in text if byte < 0x20 or 0x7F <= byte < 0xA0}
            self.assertLessEqual(odd, {ord("\n")})
        lines = outcome.lines()[1:]
        self.assertEqual(len(lines), rows)
        return lines

    def assert_exact(
        self, outcome: Outcome, key: str, expected: Sequence[object]
    ) -> None:
        """JSON has the bytes themselves."""
        self.assertTrue(outcome.stdout.isascii())
        for line in outcome.stdout.splitlines():
            json.loads(line)
        events = outcome.objects("event")
        self.assertEqual([json_bytes(event, key) for event in events], list(expected))
        self.assertEqual({json_bytes(event, "comm") for event in events}, {COMM})


@support.only_on("6.12")
class Paths(Hostile):
    @staticmethod
    def work() -> None:
        call = ctypes.CDLL(None).openat
        for name in NAMES:
            call(-1, name, 0)

    def test_table_and_csv(self) -> None:
        for form in ("table", "csv"):
            with self.subTest(form=form):
                outcome = self.traced(self.work, "opensnoop", "--format", form)
                lines = self.assert_harmless(outcome, len(NAMES))
                for line in lines:
                    self.assertIn(r"\x1b[2J\x1b]0;t\n\x9b\xff", line)
                self.assertIn(r"0;title\x07\r\n\t\x7f\x9b31m\xff\xc3(end", lines[0])

    def test_full_paths(self) -> None:
        options = ("--full-path",)
        self.assert_harmless(self.traced(self.work, "opensnoop", *options), len(NAMES))

    def test_json(self) -> None:
        outcome = self.traced(self.work, "opensnoop", "--json")
        self.assert_exact(outcome, "path", [name[:255] for name in NAMES])


@support.only_on("6.12")
class Cgroups(Hostile):
    def test_names_of_cgroups(self) -> None:
        # The kernel accepts everything but line feeds there.
        name = DRIVING.replace(b"\n", b"")
        mount = cgroup2()
        if mount is None:
            self.skipTest("cgroup2 is not mounted")
        cgroup = os.path.join(mount, os.fsdecode(name))
        os.mkdir(cgroup)
        self.addCleanup(os.rmdir, cgroup)
        options: tuple[str, ...] = ("--container", "-x")
        outcome = self.traced(Paths.work, "opensnoop", *options, cgroup=cgroup)
        for line in self.assert_harmless(outcome, len(NAMES)):
            self.assertIn(r"/\x1b[2J\x1b]0;title\x07\r\t\x7f\x9b31m\xff\xc3(end", line)
        options = ("--container", "-x", "--json")
        outcome = self.traced(Paths.work, "opensnoop", *options, cgroup=cgroup)
        self.assert_exact(outcome, "cgroup_path", len(NAMES) * [b"/" + name])


@support.only_on("6.12")
class Arguments(Hostile):
    def run_tool(self, *options: str) -> Outcome:
        # The name of the thread is that of the file from the exec on.
        with Tool("execsnoop", "-v", *options) as tool:
            for name in NAMES:
                pid = os.posix_spawn("/bin/true", [b"true", b"hostile", name], {})
                os.waitpid(pid, 0)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        return outcome

    def test_table(self) -> None:
        outcome = self.run_tool("-n", "true", "-l", "hostile")
        lines = self.assert_harmless(outcome, len(NAMES))
        self.assertIn(r"\x1b[2J\x1b]0;title\x07\r\n\t\x7f\x9b31m\xff\xc3(end", lines[0])

    def test_json(self) -> None:
        outcome = self.run_tool("-n", "true", "-l", "hostile", "--json")
        shown = [json_bytes(event, "args") for event in outcome.objects("event")]
        self.assertEqual([args[1] for args in shown], len(NAMES) * [b"hostile"])
        self.assertEqual(shown[0][2], NAMES[0])


@support.only_on("6.12")
class Hosts(Hostile):
    @staticmethod
    def work() -> None:
        libc = ctypes.CDLL(None)
        # Only numbers are valid: nobody is asked.
        hints = ctypes.create_string_buffer(struct.pack("=i", _AI_NUMERICHOST), 48)
        found = ctypes.c_void_p()
        for name in NAMES:
            libc.getaddrinfo(name, None, hints, ctypes.byref(found))

    def test_table(self) -> None:
        outcome = self.traced(self.work, "gethostlatency")
        lines = self.assert_harmless(outcome, len(NAMES))
        self.assertIn(r"\x1b[2J\x1b]0;title\x07\r\n\t\x7f\x9b31m\xff\xc3(end", lines[0])

    def test_json(self) -> None:
        outcome = self.traced(self.work, "gethostlatency", "--json")
        shown = [json_bytes(event, "host") for event in outcome.objects("event")]
        self.assertEqual([len(host) > 10 for host in shown], len(NAMES) * [True])
        self.assertEqual(shown[0], NAMES[0])
