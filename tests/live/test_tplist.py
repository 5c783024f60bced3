"""tplist against tracefs itself, and against a program whose USDT probes are known."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from unittest import mock

from tests.live import support, workload

TRACEFS = Path("/sys/kernel/tracing")
ON_X86 = os.uname().machine == "x86_64"
PROBES = ["skep:each", "skep:forms", "skep:mixed"]


class TplistTest(support.LiveTest):
    def tplist(self, *arguments: str) -> list[str]:
        """The lines that the tool prints."""
        support.started.add("tplist")
        done = subprocess.run(
            [support.SKEP, "tplist", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=support.START_SECONDS,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode().splitlines()


class Tracepoints(TplistTest):
    def test_all(self) -> None:
        expected = (TRACEFS / "available_events").read_text().split()
        self.assertEqual(self.tplist(), sorted(expected))

    @support.only_on("6.1")
    def test_filters_are_those_of_shells(self) -> None:
        events = (TRACEFS / "available_events").read_text().split()
        patterns = {
            "sched:sched_*": "sched:sched_.*",
            "sched:sched_wa[ik]*": "sched:sched_wa[ik].*",
            "block:block_rq_issu?": "block:block_rq_issu.",
            "sched:sched_switch": "sched:sched_switch",
        }
        for pattern, expression in patterns.items():
            with self.subTest(pattern=pattern):
                expected = [each for each in events if re.fullmatch(expression, each)]
                self.assertEqual(self.tplist(pattern), sorted(expected))
                self.assertTrue(expected)

    @support.only_on("6.1")
    def test_fields(self) -> None:
        for category, event in (("sched", "sched_switch"), ("task", "task_rename")):
            with self.subTest(event=event):
                text = (TRACEFS / "events" / category / event / "format").read_text()
                fields = re.findall(r"field:(.*?);\toffset:(\d+);\tsize:(\d+);", text)
                own = [field for field in fields if "common_" not in field[0]]
                lines = self.tplist("-v", f"{category}:{event}")
                self.assertEqual(lines[0], f"{category}:{event}")
                self.assertEqual(lines[-1], "")
                shown = [line.replace("[16]", "[]") for line in lines[1:-1]]
                names = [re.sub(r"\[.*\]", "[]", field[0]) for field in own]
                expected = [f"    {name};" for name in names]
                self.assertEqual(shown, expected)
                (line,) = self.tplist("--json", f"{category}:{event}")
                found = json.loads(line)
                self.assertEqual(found["type"], "listing")
                self.assertEqual(found["name"], f"{category}:{event}")
                places = [(f["offset"], f["size"]) for f in found["fields"]]
                self.assertEqual(places, [(int(f[1]), int(f[2])) for f in own])

    @support.only_on("6.1")
    def test_rows_can_be_limited_and_sorted(self) -> None:
        every = self.tplist("sched:*")
        self.assertEqual(self.tplist("sched:*", "--limit", "3"), every[:3])
        self.assertEqual(self.tplist("sched:*", "--sort=-name"), every[::-1])
        csv = self.tplist("sched:*", "--format", "csv")
        self.assertEqual(csv, ["NAME", *every])

    @support.only_on("6.1")
    def test_none_of_that_name(self) -> None:
        message = self.assert_fails(1, "tplist", "sched:sched_swich")
        self.assertIn("there is no tracepoint sched:sched_swich", message)
        self.assertIn("did you mean sched:sched_switch", message)

    @support.only_on("6.1")
    def test_without_permission(self) -> None:
        message = self.assert_fails(1, "tplist", user=65534)
        self.assertIn("no permission to read tracefs in", message)
        self.assertIn("tracefs is for root only", message)


@support.only_on("7.2")
class Usdt(TplistTest):
    def setUp(self) -> None:
        self.program = workload.program("calls")

    def test_names(self) -> None:
        lines = self.tplist("-l", self.program)
        expected = [f"{self.program} {name}" for name in PROBES]
        self.assertEqual(sorted(lines), expected)
        lines = self.tplist("-l", self.program, "*:each")
        self.assertEqual(lines, expected[:1])
        directory, name = os.path.split(self.program)
        path = f"{directory}:{os.environ['PATH']}"
        with mock.patch.dict(os.environ, PATH=path):
            self.assertEqual(self.tplist("-l", name, "*each"), expected[:1])

    def test_numbers(self) -> None:
        lines = self.tplist("-l", self.program, "-v", "skep:each")
        self.assertRegex(lines[0], r"^skep:each \[sema 0x[0-9a-f]+]$")
        self.assertNotIn("0x0", lines[0])
        self.assertEqual(lines[1:], ["  1 location(s)", "  3 argument(s)", ""])

    def test_places_and_arguments(self) -> None:
        lines = self.tplist("-l", self.program, "-vv", "skep:forms")
        self.assertEqual(lines[0], "skep:forms [sema 0x0]")
        place = rf"  location #1 {re.escape(self.program)} 0x[0-9a-f]+"
        self.assertRegex(lines[1], f"^{place}$")
        arguments = lines[2:-1]
        for number, line in enumerate(arguments, 1):
            form = rf"    argument #{number} [1248] (signed  |unsigned) bytes @ \S.*"
            self.assertRegex(line, f"^{form}$")
        if ON_X86:
            forms = [line.partition(" @ ")[2] for line in arguments]
            self.assertEqual(forms[:2], ["-7", "1000003"])
            self.assertIn("*(&skep_global)", forms)
            self.assertIn("*(&skep_pair + 4)", forms)
            self.assertIn("&skep_table", forms)
            scaled = [form for form in forms if " * 8)" in form]
            self.assertRegex(scaled[0], r"^\*\(\w+ [+-] \d+ \+ \w+ \* 8\)$")

    def test_objects(self) -> None:
        lines = self.tplist("-l", self.program, "--json")
        found = {each["name"]: each for each in map(json.loads, lines)}
        self.assertEqual(sorted(found), PROBES)
        (place,) = found["skep:each"]["locations"]
        self.assertEqual(len(place["arguments"]), 3)
        self.assertEqual([a["size"] for a in place["arguments"]], [8, 8, 2])
        self.assertGreater(found["skep:each"]["semaphore"], 0)

    def test_of_a_process(self) -> None:
        process = subprocess.Popen(
            [self.program, "hang", "3"], stdout=subprocess.DEVNULL, close_fds=False
        )
        try:
            expected = [f"{self.program} {name}" for name in PROBES]
            lines = self.tplist("-p", str(process.pid))
            self.assertEqual(sorted(lines), expected)
            lines = self.tplist("-p", str(process.pid), "-l", self.program, "*:mixed")
            self.assertEqual(lines, expected[2:])
            lines = self.tplist("-p", str(process.pid), "skep:e*")
            self.assertEqual(lines, expected[:1])
        finally:
            process.kill()
            process.wait()
        message = self.assert_fails(2, "tplist", "-p", str(process.pid))
        self.assertIn(f"there is no process {process.pid}", message)

    def test_files_without_probes(self) -> None:
        message = self.assert_fails(1, "tplist", "-l", workload.program("opens"))
        self.assertIn("there are no USDT probes in", message)
        message = self.assert_fails(1, "tplist", "-l", "dl")
        self.assertRegex(message, r"no USDT probes in /.*/libdl\.so\.2")
        message = self.assert_fails(1, "tplist", "-l", "no-such-library")
        self.assertIn("there is no library or program called", message)
        message = self.assert_fails(1, "tplist", "-l", self.program, "skep:eech")
        self.assertIn("did you mean skep:each", message)

    def test_usage(self) -> None:
        self.assertIn(
            "no programs to dump", self.assert_usage_error("tplist", "--dump", "asm")
        )
        self.assert_usage_error("tplist", "-l", "")
        self.assert_usage_error("tplist", "-p", "x")
        self.assert_usage_error("tplist", "--columns", "nothing")
