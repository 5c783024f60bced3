"""execsnoop shows every execution, once, with its arguments and its result."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence

from tests.live import support, workload
from tests.live.support import Outcome, Tool
from tests.live.workload import Exec

EXECS = 31
PROCESSES = 10

HEADER = "COMM             PID     PPID    RET ARGS"


def row(child: Exec, comm: str, *arguments: str) -> str:
    """The line of one child, whose arguments are shown as they are."""
    words = " ".join((*arguments, child.label))
    result = -child.error
    return f"{comm:<16s} {child.pid:<7d} {child.parent:<7d} {result:>3d} {words}"


def rows_of(outcome: Outcome, children: Sequence[Exec]) -> list[str]:
    """The lines about the children; for tools run without further columns."""
    pids = {child.pid for child in children}
    found = support.matches(r"\S+ +(\d+) +(\d+|\?) +-?\d+ .*", outcome.lines())
    return [match[0] for match in found if int(match[1]) in pids]


class ExecsnoopTest(support.LiveTest):
    """Traces runs of the workload."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="skep-execs-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.child = workload.program("child")

    def trace(
        self,
        *options: str,
        how: str = "exec",
        run: str = "execs",
        program: str = "",
        arguments: Sequence[workload.Argument] = (),
        count: int = 1,
        processes: int = 1,
    ) -> tuple[list[Exec], Outcome]:
        """Traces executions of a program; returns the children and the outcome."""
        program = program or self.child
        with Tool("execsnoop", *options) as tool:
            text = workload.run(run, how, count, processes, program, *arguments)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        return workload.parse_execs(text), outcome

    def shown(self, *options: str, **how: object) -> str:
        """The arguments shown of one execution."""
        children, outcome = self.trace(*options, **how)  # type: ignore[arg-type]
        rows = rows_of(outcome, children)
        self.assertEqual(len(rows), 1, rows)
        return rows[0].split(None, 4)[4]

    def file(self, name: str, content: str, mode: int) -> str:
        """Makes a file in this test's directory and returns its path."""
        path = os.path.join(self.directory, name)
        with open(path, "w") as stream:
            stream.write(content)
        os.chmod(path, mode)
        return path


class Successes(ExecsnoopTest):
    def assert_every_row(self, program: str = "child", **how: object) -> None:
        """Ten processes at once; every execution of theirs is shown, once."""
        path = workload.program(program)
        children, outcome = self.trace(
            program=path,
            arguments=["a", "bc"],
            count=EXECS,
            processes=PROCESSES,
            **how,  # type: ignore[arg-type]
        )
        self.assertEqual(len(children), EXECS * PROCESSES)
        expected = [row(child, program, path, "a", "bc") for child in children]
        self.assert_rows(outcome, rows_of(outcome, children), expected)
        self.assertEqual(outcome.lines()[0], HEADER)

    def test_execve(self) -> None:
        self.assert_every_row()

    def test_from_a_thread(self) -> None:
        self.assert_every_row(how="thread")

    def test_execveat(self) -> None:
        self.assert_every_row(how="at")

    @support.only_on("5.10", "7.2")
    def test_32_bit_program_from_64_bit(self) -> None:
        self.assert_every_row("child_32")

    def test_64_bit_program_from_32_bit(self) -> None:
        self.assert_every_row(run="execs_32")

    def test_32_bit_program_from_32_bit(self) -> None:
        self.assert_every_row("child_32", run="execs_32")

    def test_32_bit_program_from_a_thread(self) -> None:
        self.assert_every_row("child_32", how="thread")

    def test_execveat_from_32_bit(self) -> None:
        self.assert_every_row(run="execs_32", how="at")

    def test_descriptor(self) -> None:
        arguments = ["a", "bc"]
        children, outcome = self.trace(how="fd", arguments=arguments, count=EXECS)
        if children[0].error:
            self.skipTest("this kernel executes no descriptor")
        rows = rows_of(outcome, children)
        self.assertEqual(len(rows), EXECS)
        for child, line in zip(children, rows):
            self.assertTrue(line.endswith(f"   0 {line.split()[4]} a bc {child.label}"))

    def test_script(self) -> None:
        script = self.file("script", f"#!{self.child} --option\n", 0o755)
        children, outcome = self.trace(program=script, arguments=["a"])
        expected = [row(child, "script", script, "a") for child in children]
        self.assertEqual(rows_of(outcome, children), expected)


class Failures(ExecsnoopTest):
    def assert_failure(self, program: str, result: int, how: str = "exec") -> str:
        """Shown with -x, and only then; returns the arguments."""
        children, outcome = self.trace(program=program, how=how, count=EXECS)
        self.assertEqual(rows_of(outcome, children), [])
        children, outcome = self.trace("-x", program=program, how=how, count=EXECS)
        rows = rows_of(outcome, children)
        self.assertEqual(len(rows), EXECS)
        self.assertEqual({line.split()[0] for line in rows}, {"execs"})
        self.assertEqual({int(line.split()[3]) for line in rows}, {result})
        self.assertEqual({child.error for child in children}, {-result})
        return rows[0].split(None, 4)[4]

    def test_missing(self) -> None:
        path = os.path.join(self.directory, "missing")
        for how in ("exec", "at", "thread"):
            with self.subTest(how=how):
                self.assertEqual(self.assert_failure(path, -2, how), f"{path} 0.0")

    @support.only_on("6.1", "6.12")
    def test_not_executable(self) -> None:
        path = self.file("data", "", 0o644)
        self.assertEqual(self.assert_failure(path, -13), f"{path} 0.0")

    @support.only_on("5.10", "7.2")
    def test_no_program(self) -> None:
        path = self.file("noise", "\x7fnoise", 0o755)
        self.assertEqual(self.assert_failure(path, -8), f"{path} 0.0")

    @support.only_on("6.1", "7.2")
    def test_unreadable_arguments(self) -> None:
        shown = self.assert_failure(self.child, -14, "fault")
        self.assertEqual(shown.split(" ")[0], self.child)

    @support.only_on("6.1", "6.12")
    def test_empty_arguments(self) -> None:
        missing = os.path.join(self.directory, "missing")
        arguments = ["", "x", ""]
        shown = self.shown("-x", program=missing, arguments=arguments)
        self.assertEqual(shown, f"{missing}  x  0.0")

    @support.only_on("5.10", "6.12")
    def test_successes_too(self) -> None:
        children, outcome = self.trace("-x", count=EXECS)
        self.assertEqual(len(rows_of(outcome, children)), EXECS)


@support.only_on("7.2")
class Arguments(ExecsnoopTest):
    def test_any_number(self) -> None:
        # The workload adds one, its label, and the name of the program is the first.
        for count in (0, 1, 17, 18, 19, 20, 60):
            with self.subTest(count=count):
                arguments = [f"arg{i}" for i in range(count)]
                words = [self.child, *arguments, "0.0"]
                if len(words) > 20:
                    words[20:] = ["..."]
                shown = self.shown(arguments=arguments)
                self.assertEqual(shown, " ".join(words))

    def test_more_on_request(self) -> None:
        arguments = [f"arg{i}" for i in range(60)]
        for limit in (1, 3, 61, 62, 100):
            with self.subTest(limit=limit):
                words = [self.child, *arguments, "0.0"]
                if len(words) > limit:
                    words[limit:] = ["..."]
                shown = self.shown("--max-args", str(limit), arguments=arguments)
                self.assertEqual(shown, " ".join(words))

    def test_no_vector(self) -> None:
        for how in ("bare", "null"):
            with self.subTest(how=how):
                self.assertEqual(self.shown(how=how), self.child)

    def test_empty(self) -> None:
        shown = self.shown(arguments=["", "x", ""])
        self.assertEqual(shown, f"{self.child}  x  0.0")

    def test_quoted(self) -> None:
        shown = self.shown("-q", arguments=["", "two words", 'say "hi"'])
        self.assertEqual(shown, rf'"{self.child}" "" "two words" "say \"hi\"" "0.0"')

    def test_newline(self) -> None:
        shown = self.shown(arguments=["one\ntwo"])
        self.assertEqual(shown, rf"{self.child} one\ntwo 0.0")

    def test_odd_bytes_never_reach_a_terminal(self) -> None:
        _, outcome = self.trace(arguments=[b"\xff\x1b[31m", "é"])
        self.assertEqual(re.findall(rb"[^\n\x20-\x7e\xc3\xa9]", outcome.stdout), [])
        self.assertIn(rf" {self.child} \xff\x1b[31m é 0.0", outcome.stdout.decode())

    def test_long(self) -> None:
        longest = "x" * 1000
        shown = self.shown(arguments=["y" * 127, longest, "z"])
        words = shown.split(" ")
        self.assertEqual(words[1], "y" * 127)
        self.assertTrue(longest.startswith(words[2]))
        self.assertGreaterEqual(len(words[2]), 127)
        self.assertEqual(words[3:], ["z", "0.0"])

    def test_json(self) -> None:
        arguments: list[str | bytes] = ["", "two words", b"\xff\n", 'say "hi"', "é"]
        with Tool("execsnoop", "--json", knock=lambda: os.system("true")) as tool:
            text = workload.run("execs", "exec", EXECS, 1, self.child, *arguments)
            outcome = tool.stop()
        children = {child.pid: child for child in workload.parse_execs(text)}
        events = [e for e in outcome.objects("event") if e["pid"] in children]
        self.assertEqual(len(events), EXECS)
        for event in events:
            child = children[event["pid"]]
            shown = support.json_bytes(event, "args")
            words = [self.child, *arguments, child.label]
            self.assertEqual(shown, [os.fsencode(word) for word in words])
            self.assertEqual((event["ppid"], event["ret"]), (child.parent, 0))


@support.only_on("5.10", "6.12")
class Filters(ExecsnoopTest):
    def test_uid(self) -> None:
        for uid, expected in (("54321", 54321), ("0", 0), ("root", 0)):
            with self.subTest(uid=uid), Tool("execsnoop", "-U", "-u", uid) as tool:
                subprocess.run(["/bin/true", self.directory], user=54321)
                subprocess.run(["/bin/true", self.directory])
                lines = tool.stop().lines()
                shown = [line for line in lines if line.endswith(self.directory)]
                self.assertEqual([int(line.split()[0]) for line in shown], [expected])

    def test_parent(self) -> None:
        with Tool("execsnoop", "-P", str(os.getpid())) as tool:
            mine = subprocess.Popen(["/bin/true", self.directory])
            mine.wait()
            others = workload.parse_execs(
                workload.run("execs", "exec", EXECS, 1, self.child)
            )
            outcome = tool.stop()
        self.assertEqual(rows_of(outcome, others), [])
        me = Exec(mine.pid, os.getpid(), 0, self.directory)
        self.assertEqual(rows_of(outcome, [me]), [row(me, "true", "/bin/true")])

    def test_name_is_a_regular_expression(self) -> None:
        for pattern, shown in (("^chi", True), ("h.l", True), ("hil$", False)):
            with self.subTest(pattern=pattern):
                children, outcome = self.trace("-n", pattern, count=EXECS)
                rows = rows_of(outcome, children)
                self.assertEqual(len(rows), EXECS if shown else 0)

    def test_line_is_a_regular_expression(self) -> None:
        for pattern, shown in (
            ("two words", True),
            (r"w.r+ds 0\.0$", True),
            ("r3", False),
        ):
            with self.subTest(pattern=pattern):
                arguments = ["two words"]
                children, outcome = self.trace("-l", pattern, arguments=arguments)
                self.assertEqual(len(rows_of(outcome, children)), int(shown))


class Columns(ExecsnoopTest):
    def test_all(self) -> None:
        cpu = max(os.sched_getaffinity(0))
        before = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, before)
        with Tool("execsnoop", "-T", "-t", "-U", "-C", "-M") as tool:
            os.sched_setaffinity(0, {cpu})
            process = subprocess.Popen(["/bin/true", self.directory])
            process.wait()
            lines = tool.stop().lines()
        header = "TIME     TIME(s) UID   COMM             PID     "
        header += "PCOMM            PPID    CPU  RET ARGS"
        self.assertEqual(lines[0], header)
        with open("/proc/self/comm") as stream:
            comm = stream.read().strip()
        time = r"\d\d:\d\d:\d\d (\d+\.\d{3}) +"
        task = f"0     true             {process.pid:<7d} "
        parent = f"{comm:<16s} {os.getpid():<7d} {cpu:<4d} "
        line = time + re.escape(f"{task}{parent}  0 /bin/true {self.directory}")
        self.assertEqual(len(support.matches(line, lines)), 1, lines)


@support.only_on("5.10", "7.2")
class Ends(ExecsnoopTest):
    def test_usage_errors(self) -> None:
        for arguments in (
            ("--no-such-option",),
            ("-u", "no-such-user"),
            ("-n", "("),
            ("-l", "["),
            ("--max-args", "0"),
            ("--max-args", "many"),
            ("-P", "none"),
            ("unexpected",),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage_error("execsnoop", *arguments)
