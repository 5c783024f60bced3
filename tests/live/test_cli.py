"""The command line on the running kernel: doctor, dumps, files and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from tests.live import every_tool, preemption, support
from tests.live.bpf_objects import held_objects
from tests.live.support import SKEP, SLOW, START_SECONDS, Tool

# The command line depends on Python, and hardly on the kernel.
oldest_and_newest = support.only_on("5.10", "7.2")

TOOLS = ("biolatency", "execsnoop", "opensnoop", "tcplife")
ALL_TOOLS = (*every_tool.TOOLS, "fsslower", "tplist")


def run(*arguments: str | bytes, **settings: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs skep to its end."""
    done = subprocess.run(
        [SKEP, *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=START_SECONDS,
        **{"stdout": subprocess.PIPE, **settings},
    )
    preemption.note(done.stderr)
    return done


def execute_something() -> None:
    """Opens and executes a program."""
    os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)


@oldest_and_newest
class Words(support.LiveTest):
    def assert_succeeds(self, *arguments: str) -> str:
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def test_list(self) -> None:
        lines = self.assert_succeeds("list").splitlines()
        self.assertEqual([line.split()[0] for line in lines], sorted(ALL_TOOLS))

    def test_proc_that_is_not_mounted(self) -> None:
        script = 'umount -l /proc && exec "$0" gethostlatency'
        done = subprocess.run(
            ("unshare", "--mount", "sh", "-c", script, SKEP),
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        message = b"skep: /proc is not mounted\n  hint: mount -t proc proc /proc\n"
        self.assertEqual((done.returncode, done.stderr), (1, message))

    def test_help(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                text = self.assert_succeeds(name, "--help")
                self.assertEqual(text, self.assert_succeeds("help", name))
                self.assertIn("examples:", text)
        for word in ("help", "-h", "--help"):
            self.assertIn("skep doctor", self.assert_succeeds(word))

    def test_version(self) -> None:
        self.assertRegex(self.assert_succeeds("--version"), r"^skep \d+\.\d+\.\d+\n$")

    def test_usage_errors(self) -> None:
        for arguments in (
            (),
            ("no-such-tool",),
            ("",),
            ("../cli",),
            ("tools.opensnoop",),
            ("__init__",),
            ("--nonsense",),
            ("list", "all"),
            ("help", "no-such-tool"),
            ("doctor", "no-such-tool"),
            ("doctor", "--nonsense"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage_error(*arguments)

    def test_near_matches(self) -> None:
        self.assertIn("did you mean opensnoop?", self.assert_usage_error("opensnop"))

    def test_odd_values(self) -> None:
        for arguments in (
            ("--pid", "-1"),
            ("--pid", "4294967296"),
            ("--pid", ""),
            ("--uid", "4294967296"),
            ("--comm", "longer-than-any-name"),
            ("--cgroup", ""),
            ("--cgroupmap", ""),
            ("--mntns", "0"),
            ("--duration", "nan"),
            ("--duration", "-1"),
            ("--limit", "0"),
            ("--sort", ""),
            ("--sort", "SIZE"),
            ("--columns", ""),
            ("--columns", "PID,,COMM"),
            ("--buffer-pages", "1099511627776"),
            ("unexpected",),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage_error("opensnoop", *arguments)

    def test_bytes_that_are_not_text(self) -> None:
        done = run("opensnoop", "--uid", b"\xff")
        self.assertEqual(done.returncode, 2)
        for option in ("--comm", "--name"):
            done = run("opensnoop", option, b"\xff", "--duration", "0.1")
            self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_missing_map_is_named(self) -> None:
        message = self.assert_fails(1, "opensnoop", "--cgroupmap", "/no/such/map")
        self.assertIn("/no/such/map", message)
        message = self.assert_fails(1, "opensnoop", "--cgroupmap", __file__)
        self.assertIn(f"{__file__} is no pinned map", message)


@support.only_on("6.1")
class Doctor(support.LiveTest):
    def test_all_tools_run(self) -> None:
        done = run("doctor")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        text = done.stdout.decode()
        for name in TOOLS:
            self.assertIn(f"\n{name}: works\n", text)

    def test_json(self) -> None:
        done = run("doctor", "--json", "execsnoop")
        system, tool = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(system["kernel"], os.uname().release)
        self.assertTrue(system["features"]["ring buffer"]["ok"])
        self.assertEqual((tool["tool"], tool["works"]), ("execsnoop", True))
        options = {probe["program"]: probe["option"] for probe in tool["probes"]}
        self.assertEqual(options, {"executed": None, "failed, failed_at": "-x"})


@oldest_and_newest
class Dump(support.LiveTest):
    def dump(self, name: str, stage: str) -> str:
        done = run(name, "--dump", stage)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def test_log_is_the_verifiers(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                log = self.dump(name, "log")
                self.assertRegex(log, r"(?m)^processed \d+ insns")
                self.assertRegex(log, r"(?m)^# \w+: \w+:\w+$")
                # The kernel quotes the Python source.
                self.assertRegex(log, r"(?m)^; \w+")

    def test_every_stage(self) -> None:
        for stage in ("tree", "ir", "asm", "spec"):
            with self.subTest(stage=stage):
                self.assertTrue(self.dump("opensnoop", stage).startswith("# opened"))


@oldest_and_newest
class Rejection(support.LiveTest):
    # Every program reads a register that has no value.
    BROKEN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from skep.asm import mov
from skep.cli import main
from skep.toolkit import dump, session

given = session.collection_of

def broken(programs):
    spec = given(programs)
    return spec._replace(programs=[spoilt(program) for program in spec.programs])

def spoilt(program):
    code = list(program.instructions)
    at = next(i for i, one in enumerate(code) if i and one.span)
    span = code[at].span
    code[at] = mov(0, 5)
    code[at].span = span
    return program._replace(instructions=code)

session.collection_of = dump.collection_of = broken
sys.exit(main())
"""

    def run_broken(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-c", self.BROKEN, support.TREE / "src", *arguments],
            capture_output=True,
            timeout=START_SECONDS,
        )
        message = done.stderr.decode()
        self.assertEqual(done.returncode, 1, message)
        self.assertRegex(message, r"^skep: \S+/opensnoop\.py:\d+:\d+: the kernel's ver")
        self.assertIn("R5 !read_ok", message)
        self.assertIn("this is a bug in skep", message)
        return done

    def test_it_is_reported_at_the_python_line(self) -> None:
        self.assertEqual(self.run_broken("opensnoop").stdout, b"")

    def test_the_log_can_be_had(self) -> None:
        log = self.run_broken("opensnoop", "--dump", "log").stdout
        self.assertRegex(log.decode(), r"(?s)^# tp_btf:.*\n\d+: .*R5 !read_ok")


@oldest_and_newest
class Receipts(support.LiveTest):
    def test_text(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                done = run(name, "-v", "--duration", "0.1")
                self.assertEqual(done.returncode, 0)
                self.assertRegex(done.stderr.decode(), r"^\w[\w, ]*: \w+:\w+")

    def test_json(self) -> None:
        done = run("opensnoop", "-v", "--json", "--duration", "0.1")
        first = json.loads(done.stdout.splitlines()[0])
        self.assertEqual(first["type"], "receipt")
        self.assertEqual(first["program"], "opened, opened_at, opened_how")
        self.assertRegex(first["attached"], r"^\w+:")


@oldest_and_newest
class Output(support.LiveTest):
    def test_full_disk(self) -> None:
        for arguments in (("list",), ("opensnoop", "--help"), *((t,) for t in TOOLS)):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = run(*arguments, stdout=full)
                self.assertEqual(done.returncode, 1)
                message = "skep: cannot write the output: No space left on device\n"
                self.assertEqual(done.stderr.decode(), message)

    def test_closed_files(self) -> None:
        shell = f"exec {SKEP} opensnoop --duration 0.1"
        for closed, status in ((">&-", 1), ("2>&-", 0), ("<&-", 0)):
            with self.subTest(closed=closed):
                done = subprocess.run(
                    ["sh", "-c", f"{shell} {closed}"],
                    capture_output=True,
                    timeout=START_SECONDS,
                )
                self.assertEqual(done.returncode, status)
                self.assertNotIn(b"Traceback", done.stderr)

    def test_end_with_the_reader_though_nothing_happens(self) -> None:
        command = [SKEP, "execsnoop", "--comm", "nobody"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(START_SECONDS), 0)


@oldest_and_newest
class Signals(support.LiveTest):
    def ended(
        self, arguments: Sequence[str], number: int, delay: float
    ) -> tuple[int, bytes]:
        """Status and messages of a tool that gets a signal early."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen([SKEP, *arguments], stdout=output, stderr=output)
            time.sleep(delay)
            process.send_signal(number)
            try:
                status = process.wait(START_SECONDS)
            finally:
                process.kill()
            return status, os.pread(output.fileno(), 1 << 16, 0)

    def test_while_starting(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            for delay in (0.04, 0.06, 0.08, 0.1):
                with self.subTest(signal=number, delay=delay):
                    status, said = self.ended(["biolatency"], number, delay * SLOW)
                    # Before its first line the interpreter may say where it was.
                    if said and b"Traceback" not in said:  # it had started
                        self.assertEqual(status, 0)
                    else:
                        self.assertIn(status, (128 + number, -number))
                    self.assertNotIn(b"/src/skep/", said)

    def test_terminate_ends_well(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                tool.process.terminate()
                self.assert_clean(tool.wait())

    def test_nothing_is_left_by_the_doctor(self) -> None:
        process = subprocess.Popen([SKEP, "doctor"], stdout=subprocess.DEVNULL)
        held: set[tuple[str, int]] = set()
        while not held and process.poll() is None:
            held = held_objects(process.pid)
        process.kill()
        process.wait()
        self.assertTrue(held)
        self.assert_freed(held)
