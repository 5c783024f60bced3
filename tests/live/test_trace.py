"""trace: every form of a probe shows every event once, with its values."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.live import workload
from tests.live.support import ARM64, Tool, only_on
from tests.live.trace_rows import (
    COUNT,
    NOWHERE,
    TraceTest,
    kill_nobody,
    libc,
    names,
    open_nothing,
    row_of,
)

PREFIX = {"x86_64": "__x64_sys", "aarch64": "__arm64_sys"}[platform.machine()]

NAMED_ONE = [name for name in names() if name.startswith(f"{NOWHERE}/1")]


@only_on("5.10")
class SystemCalls(TraceTest):
    def test_by_the_names_of_functions(self) -> None:
        for text in (
            'sys_openat "%s", filename',
            'p::sys_openat "%s", arg2',
            f'{PREFIX}_openat "%s", filename',
            f'p::{PREFIX}_openat(int dir, const char *name) "%s", name',
            't:syscalls:sys_enter_openat "%s", args->filename',
        ):
            with self.subTest(text=text):
                self.assertEqual(self.messages(text, run=open_nothing), names())

    def test_returns(self) -> None:
        for text in (
            'r::sys_openat "%d", retval',
            f'r::{PREFIX}_openat "%d", (int)retval',
            'r::sys_openat "%ld", ret',
            't:syscalls:sys_exit_openat "%ld", args->ret',
        ):
            with self.subTest(text=text):
                self.assertEqual(self.messages(text, run=open_nothing), ["-2"] * COUNT)

    def test_returns_with_arguments(self) -> None:
        text = f'r::{PREFIX}_openat (retval == -ENOENT) "%d %s", -retval, filename'
        shown = self.messages(text, run=open_nothing)
        self.assertEqual(shown, [f"2 {name}" for name in names()])

    def test_the_function_is_as_the_user_wrote_it(self) -> None:
        for name in ("sys_openat", f"{PREFIX}_openat"):
            rows = self.rows(name, run=open_nothing)
            self.assertEqual([row.function for row in rows], [name] * COUNT)
            self.assertEqual([row.message for row in rows], [""] * COUNT)

    def test_structures_by_the_c_librarys_name(self) -> None:
        def sleep() -> None:
            for number in range(COUNT):
                libc.clock_nanosleep(1, 0, (ctypes.c_long * 2)(0, 1009 + number), None)

        text = (
            f"p::{PREFIX}_clock_nanosleep(int clock, int flags, struct timespec *ts)"
            ' "%lld", ts->tv_nsec'
        )
        shown = self.messages(text, run=sleep)
        self.assertEqual(shown, [str(1009 + number) for number in range(COUNT)])

    def test_predicates(self) -> None:
        numbers = [(n, n % 7) for n in range(COUNT)]
        for predicate, holds in (
            ("sig == 3", lambda n, sig: sig == 3),
            ("sig % 2 == 1 && pid & 4", lambda n, sig: sig % 2 and n & 4),
            ("!sig || (pid & 0xff) > 30", lambda n, sig: not sig or n > 30),
            (
                "pid - (1 << 30) == 5 ? 1 : sig == SIGQUIT",
                lambda n, s: n == 5 or s == 3,
            ),
            ("(unsigned char)pid == 11", lambda n, sig: n == 11),
            ("-sig < -4", lambda n, sig: sig > 4),
            ("arg2 == 6", lambda n, sig: sig == 6),
        ):
            with self.subTest(predicate=predicate):
                text = f'sys_kill ({predicate}) "%d %d", pid & 0xff, sig'
                expected = [f"{n} {sig}" for n, sig in numbers if holds(n, sig)]
                self.assertEqual(self.messages(text, run=kill_nobody), expected)
                self.assertTrue(expected)

    def test_comparing_text(self) -> None:
        text = 'sys_openat (STRCMP("{}/1", filename)) "%s", filename'
        shown = self.messages(text.replace("{}", NOWHERE), run=open_nothing)
        self.assertEqual(shown, NAMED_ONE)
        text = 'sys_openat "%d %s", STRCMP("{}/1", filename), filename'
        shown = self.messages(text.replace("{}", NOWHERE), run=open_nothing)
        expected = [f"{int(name in NAMED_ONE)} {name}" for name in names()]
        self.assertEqual(shown, expected)

    def test_comparing_bytes(self) -> None:
        listed = ", ".join(f"0x{byte:02x}" for byte in f"{NOWHERE}/1".encode())
        known = f"{{{listed}, 0x00}}"
        text = f'sys_openat (STRCMP("{known}", filename)) "%s", filename'
        for option in ("-B", "--bin_cmp"):
            self.assertEqual(self.messages(option, text, run=open_nothing), NAMED_ONE)

    def test_words(self) -> None:
        text = 'sys_kill "%d %d %u %u %s", $pid, $tgid, $uid, $gid, $task->comm'
        rows = self.rows(text, run=kill_nobody)
        uid, gid = os.getuid(), os.getgid()
        self.assertEqual(len(rows), COUNT)
        for row in rows:
            expected = f"{row.tid} {row.pid} {uid} {gid} {row.comm}"
            self.assertEqual(row.message, expected)

    def test_members_of_the_task(self) -> None:
        text = 'sys_kill "%d %d", $task->tgid, $task->real_parent->tgid'
        rows = self.rows(text, run=kill_nobody)
        expected = [f"{row.pid} {os.getpid()}" for row in rows]
        self.assertEqual([row.message for row in rows], expected)
        self.assertEqual(len(rows), COUNT)

    def test_formats(self) -> None:
        text = (
            'sys_kill (sig == 3 && (pid & 0xff) == 17) "[%4d|%-4d|%04d|%+d|%x|%#x|%o|'
            '%hd|%hhu|%lu|%llx|%c|%5.2s|%d%d|%%]", sig, sig, -sig, sig, 255, 255, 8,'
            ' 65537, 259, -1UL, 1ULL << 40, 65, "text", 1, 2'
        )
        (shown,) = self.messages(text, run=kill_nobody)
        wide = 2**64 - 1
        expected = f"[   3|3   |-003|+3|ff|0xff|10|1|3|{wide}|10000000000|A|   te|12|%]"
        self.assertEqual(shown, expected)

    def test_choosing_between_texts(self) -> None:
        text = (
            'sys_kill (sig == 3) "%s %s", (pid & 1 ? "odd" : "even"),'
            ' (pid & 0xff) == 17 ? "it" : sig > 9 ? "?" : $task->comm'
        )
        rows = self.rows(text, run=kill_nobody)
        expected = [
            f"{'odd' if n & 1 else 'even'} {'it' if n == 17 else rows[0].comm}"
            for n in range(3, COUNT, 7)
        ]
        self.assertEqual([row.message for row in rows], expected)

    def test_several_at_once(self) -> None:
        def both() -> None:
            open_nothing()
            kill_nobody()

        rows = self.rows(
            'sys_kill (sig == 1) "one %d", pid & 0xff',
            'sys_kill (sig == 2) "two %d", pid & 0xff',
            'r::sys_kill (retval == -ESRCH) "gone"',
            't:syscalls:sys_enter_openat (STRCMP("/non", args->filename)) "a"',
            't:syscalls:sys_enter_openat (!STRCMP("/non", args->filename)) "b"',
            run=both,
        )
        shown = [(row.function, row.message) for row in rows]
        for sig, word in ((1, "one"), (2, "two")):
            expected = [f"{word} {n}" for n in range(COUNT) if n % 7 == sig]
            self.assertEqual([m for _, m in shown if m.startswith(word)], expected)
        self.assertEqual(shown.count(("sys_kill", "gone")), COUNT)
        self.assertEqual(shown.count(("sys_enter_openat", "a")), COUNT)
        self.assertEqual(shown.count(("sys_enter_openat", "b")), 0)

    def test_control_characters_are_escaped(self) -> None:
        def run() -> None:
            for _ in range(3):
                libc.open(b"/\x1b[31m\n\xff", os.O_RDONLY)

        text = 'sys_openat "%s", filename'
        self.assertEqual(self.messages(text, run=run), [r"/\x1b[31m\n\xff"] * 3)


class Tracepoints(TraceTest):
    def test_text_in_the_record(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "true")
            shutil.copy("/bin/true", program)
            text = (
                f't:sched:sched_process_exec (STRCMP("{directory}", args->filename))'
                ' "%s %d %d", args->filename, args->pid, args->old_pid == args->pid'
            )
            with Tool("trace", text) as tool:
                pids = []
                for _ in range(7):
                    process = subprocess.Popen([program])
                    process.wait()
                    pids.append(process.pid)
                outcome = tool.stop()
        rows = [row_of(line) for line in outcome.lines()[1:]]
        self.assert_clean(outcome)
        self.assertEqual(
            [row.message for row in rows], [f"{program} {pid} 1" for pid in pids]
        )
        self.assertEqual({row.comm for row in rows}, {"true"})
        self.assertEqual({row.function for row in rows}, {"sched_process_exec"})

    def test_arrays_in_the_record(self) -> None:
        text = (
            't:sched:sched_process_exit (args->comm[0] == 116) "%s %c%c", args->comm,'
            " args->comm[1], args->comm[$cpu * 0 + 2]"
        )

        def run() -> None:
            Path("/proc/self/comm").write_text("tracee")

        self.assertEqual(self.messages(text, run=run), ["tracee ra"])


@only_on("6.12", ARM64)
class Functions(TraceTest):
    """Functions of user programs."""

    def setUp(self) -> None:
        self.program = workload.program("calls")

    def of(self, *texts: str, run: tuple[str, int] = ("entry", COUNT)) -> list[str]:
        """Messages while the workload runs."""
        with Tool("trace", *texts) as tool:
            process = workload.start("calls", *run)
            workload.finish(process)
            outcome = tool.stop()
        self.assert_clean(outcome)
        rows = [row_of(line) for line in outcome.lines()[1:]]
        self.assertEqual(
            {(row.pid, row.comm) for row in rows}, {(process.pid, "calls")}
        )
        return [row.message for row in rows]

    def test_arguments_by_number(self) -> None:
        form = '"%s %d %d %u %ld", arg1, arg2, (short)arg3, arg4, (long)arg5'
        for spec in (f"{self.program}:skep_add", f"p:{self.program}:skep_add"):
            shown = self.of(f"{spec} {form}")
            self.assertEqual(shown, [f"prime {i} {-i} {i} -5" for i in range(COUNT)])

    def test_a_signature(self) -> None:
        text = (
            f"{self.program}:skep_add(const char *name, int a, short b, u8 c, long d,"
            ' long e) (a % 3 == 1) "%s %d %d %ld", name, a, b + c, e'
        )
        expected = [f"prime {i} 0 {1 << 40}" for i in range(COUNT) if i % 3 == 1]
        self.assertEqual(self.of(text), expected)

    def test_following_pointers(self) -> None:
        text = (
            f"{self.program}:skep_add(char *name) (name[1] == 'r' && *name == 'p')"
            ' "%c%c %s", name[0], *(name + 4), &name[2]'
        )
        self.assertEqual(self.of(text), ["pe ime"] * COUNT)

    def test_returns(self) -> None:
        text = f'r:{self.program}:skep_last "%ld", retval'
        expected = [str(2 * (i + 1000)) for i in range(COUNT)]
        self.assertEqual(self.of(text, run=("tail", COUNT)), expected)
        text = f'r:{self.program}:skep_last(long n) "%ld %ld", n, retval'
        expected = [f"{i + 1000} {2 * (i + 1000)}" for i in range(COUNT)]
        self.assertEqual(self.of(text, run=("tail", COUNT)), expected)

    @unittest.skipUnless(platform.machine() == "x86_64", "instructions of x86_64")
    def test_an_offset(self) -> None:
        # skep_last() is lea (%rdi,%rdi,1),%rax and then ret.
        self.assertIn(bytes.fromhex("488d043fc3"), Path(self.program).read_bytes())
        for offset in ("+4", "+0x4", "+0x0"):
            text = f'{self.program}:skep_last{offset} "%ld", arg1'
            expected = [str(i + 1000) for i in range(COUNT)]
            self.assertEqual(self.of(text, run=("tail", COUNT)), expected)

    def test_usdt(self) -> None:
        for name in ("each", "skep:each"):
            text = f'u:{self.program}:{name} (arg1 % 2) "%ld %s %d", arg1, arg2, arg3'
            expected = [f"{i} name {-i}" for i in range(COUNT) if i % 2]
            self.assertEqual(self.of(text, run=("usdt", COUNT)), expected)

    def test_two_probes_on_one_function(self) -> None:
        spec = f"{self.program}:skep_add"
        shown = self.of(
            f'{spec} (arg2 < 5) "low %d", arg2', f'{spec} (arg2 > 30) "high %d", arg2'
        )
        expected = [f"low {i}" for i in range(5)]
        expected += [f"high {i}" for i in range(31, COUNT)]
        self.assertEqual(shown, expected)
        self.assertEqual(
            sorted(self.of(spec + ' "x"', spec + ' "x"')), ["x"] * 2 * COUNT
        )

    def test_a_library_by_name(self) -> None:
        # This test's interpreter loads the C library where "c" finds it.
        text = 'c:kill(int pid, int sig) (pid >> 30 == 1) "%d", sig'
        shown = self.messages(text, run=kill_nobody)
        self.assertEqual(shown, [str(n % 7) for n in range(COUNT)])

    def test_the_return_of_a_library(self) -> None:
        shown = self.messages('r:c:kill "%d", (int)retval', run=kill_nobody)
        self.assertEqual(shown, ["-1"] * COUNT)

    def test_symbols_of_the_program(self) -> None:
        shown = self.messages('c:kill "%U", $task->mm ? arg1 : 0', run=kill_nobody)
        self.assertEqual(len(shown), COUNT)
        self.assertTrue(all("[unknown]" in text for text in shown), shown[0])


@only_on("6.12", ARM64)
class Pam(TraceTest):
    """The example that issue 4 begins with."""

    @unittest.skipUnless(shutil.which("su"), "there is no su here")
    def test_real_logins(self) -> None:
        users = ["nobody", "root", "nobody"]
        with Tool("trace", 'pam:pam_start "%s: %s", arg1, arg2') as tool:
            for user in users:
                command = ["su", user, "-s", "/bin/true"]
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            outcome = tool.stop()
        self.assert_clean(outcome)
        rows = [row_of(line) for line in outcome.lines()[1:]]
        rows = [row for row in rows if row.comm == "su"]
        self.assertEqual([row.message for row in rows], [f"su: {u}" for u in users])
        self.assertEqual({row.function for row in rows}, {"pam_start"})


@only_on("6.12")
class Refusals(TraceTest):
    def test_usage_errors(self) -> None:
        for arguments, said in (
            ([], "what to trace is missing"),
            (["vfs_read", "-p", "1", "-L", "1"], "only one of -p and -L"),
            (['c:malloc "%d"'], "the format takes 1 value, not 0"),
            (['c:malloc "%f", arg1'], "the kernel has no fractions"),
            (['c:malloc (arg1 "x"'], "this '(' is never closed"),
            (["x:a:b"], "probe type must be"),
            (["c:malloc", "-M", "0"], "is not more than zero"),
            (["c:malloc", "-Z", "none"], "-Z"),
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(said, self.assert_usage_error("trace", *arguments))

    def test_what_there_is_not(self) -> None:
        for text, said in (
            ("c:malloq", "there is no function malloq"),
            ("nolibrary:f", "no library or program called nolibrary"),
            ("t:sched:sched_switsh", "the kernel has no tracepoint"),
            ("vfs_reed", "the kernel has no function"),
            (f"u:{workload.program('calls')}:nope", "there is no USDT probe nope"),
        ):
            with self.subTest(text=text):
                message = self.assert_fails(1, "trace", text)
                self.assertIn(said, message)
                self.assertIn("^", message)


if __name__ == "__main__":
    unittest.main()
