"""The options of trace: what comes before a row, which rows come, and when it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

from tests.live import workload
from tests.live.support import Paused, Tool, only_on
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

TEXT = 'sys_kill "%d", pid & 0xff'

NOBODY = 65534


@only_on("6.1")
class Columns(TraceTest):
    def lines(self, *options: str) -> list[str]:
        """Header and rows."""
        _, outcome = self.trace(*options, TEXT, run=kill_nobody)
        self.assert_clean(outcome)
        header, *rows = outcome.lines()
        self.assertEqual(len(rows), COUNT)
        return [header, *rows]

    def test_without_options(self) -> None:
        header, *rows = self.lines()
        self.assertEqual(header, "PID     TID     COMM            FUNC             -")
        self.assertEqual(
            [row_of(row).message for row in rows], [str(n) for n in range(COUNT)]
        )
        _, outcome = self.trace("sys_kill", run=kill_nobody)
        self.assertEqual(outcome.lines()[0].split(), ["PID", "TID", "COMM", "FUNC"])

    def test_seconds(self) -> None:
        for option in ("-t", "--timestamp"):
            header, *rows = self.lines(option)
            self.assertEqual(header.split()[:2], ["TIME", "PID"])
            seconds = [float(row[:8]) for row in rows]
            self.assertRegex(rows[0], r"^0\.0{6} \d")
            self.assertEqual(seconds, sorted(seconds))

    def test_seconds_since_1970(self) -> None:
        for options in (("-u",), ("-t", "-u"), ("-tu",)):
            begin = time.time()
            header, *rows = self.lines(*options)
            end = time.time()
            self.assertEqual(header.split()[:2], ["TIME", "PID"])
            for row in rows:
                (seconds,) = re.findall(r"^(\d+\.\d{6}) ", row)
                self.assertLess(begin - 0.1, float(seconds))
                self.assertLess(float(seconds), end + 0.1)
                self.assertEqual(len(row.split(" ")[0]), 17)

    def test_time_of_day(self) -> None:
        begin = time.strftime("%H:%M:%S")
        header, *rows = self.lines("-T")
        end = time.strftime("%H:%M:%S")
        self.assertEqual(header.split()[:2], ["TIME", "PID"])
        if begin <= end:  # not at midnight
            self.assertTrue(all(begin <= row[:8] <= end for row in rows))

    def test_seconds_win_over_the_time_of_day(self) -> None:
        header, *rows = self.lines("-t", "-T")
        self.assertEqual(header.split().count("TIME"), 1)
        self.assertRegex(rows[0], r"^0\.0{6} ")

    def test_cpu(self) -> None:
        def run() -> None:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            kill_nobody()

        cpu = str(max(os.sched_getaffinity(0)))
        for option in ("-C", "--print_cpu"):
            _, outcome = self.trace(option, TEXT, run=run)
            header, *rows = outcome.lines()
            self.assertEqual(header.split()[:2], ["CPU", "PID"])
            self.assertEqual({row.split()[0] for row in rows}, {cpu})
            self.assertEqual(len(rows), COUNT)


@only_on("6.1")
class Filters(TraceTest):
    def of_all(self, *options: str, run: Any = kill_nobody) -> list[str]:
        """Messages of all processes that send these signals."""
        text = 'sys_kill (pid >> 30 == 1) "%d", pid & 0xff'
        with Tool("trace", *options, text) as tool:
            Paused(run).proceed()
            outcome = tool.stop()
        self.assert_clean(outcome)
        return [row_of(line).message for line in outcome.lines()[1:]]

    def test_thread(self) -> None:
        go, tids = threading.Event(), []

        def run() -> None:
            tids.append(threading.get_native_id())
            go.wait()
            kill_nobody()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        while len(tids) < 2:
            time.sleep(0.01)
        with Tool("trace", "-L", str(tids[0]), TEXT) as tool:
            go.set()
            for thread in threads:
                thread.join()
            outcome = tool.stop()
        rows = [row_of(line) for line in outcome.lines()[1:]]
        self.assertEqual([row.message for row in rows], [str(n) for n in range(COUNT)])
        self.assertEqual({row.tid for row in rows}, {tids[0]})
        self.assertEqual({row.pid for row in rows}, {os.getpid()})

    def test_user(self) -> None:
        def as_nobody() -> None:
            os.setuid(NOBODY)
            kill_nobody()

        self.assertEqual(len(self.of_all("--uid", str(NOBODY), run=as_nobody)), COUNT)
        self.assertEqual(self.of_all("--uid", str(NOBODY)), [])
        self.assertEqual(self.of_all("--uid", "0", run=as_nobody), [])
        self.assertEqual(len(self.of_all("--uid", "0")), COUNT)

    def test_names(self) -> None:
        def renamed() -> None:
            with open("/proc/self/comm", "w") as file:
                file.write("a-prime-name")
            kill_nobody()

        for option in ("-n", "--name"):
            self.assertEqual(len(self.of_all(option, "prime", run=renamed)), COUNT)
        self.assertEqual(self.of_all("-n", "primes", run=renamed), [])

    def test_messages(self) -> None:
        expected = [str(n) for n in range(COUNT) if "3" in str(n)]
        for option in ("-f", "--msg-filter"):
            self.assertEqual(self.of_all(option, "3"), expected)

    def test_messages_and_a_number_of_events(self) -> None:
        self.assertEqual(
            self.of_all("-f", "3", "-M", "5"), ["3", "13", "23", "30", "31"]
        )

    def test_cgroup(self) -> None:
        path = cgroup_of("self")
        for option in ("-c", "--cgroup-path"):
            self.assertEqual(len(self.of_all(option, path)), COUNT)

    def test_text_is_cut(self) -> None:
        text = 'sys_openat "%s|", filename'
        size = len(NOWHERE)
        for option in ("-Z", "--string-size"):
            _, outcome = self.trace(option, str(size), text, run=open_nothing)
            messages = [row_of(line).message for line in outcome.lines()[1:]]
            self.assertEqual(messages, [f"{NOWHERE}|"] * COUNT)
            self.assertIn(f"{COUNT} texts were longer", outcome.stderr.decode())
        _, outcome = self.trace("-Z", str(size + 3), text, run=open_nothing)
        messages = [row_of(line).message for line in outcome.lines()[1:]]
        self.assertEqual(messages, [f"{name}|" for name in names()])
        self.assert_clean(outcome)

    def test_long_text(self) -> None:
        path = b"/" + b"x" * 1000

        def run() -> None:
            libc.open(path, os.O_RDONLY)

        text = 'sys_openat "%s %s", filename, filename'
        _, outcome = self.trace("-Z", "1024", text, run=run)
        self.assert_clean(outcome)
        (line,) = outcome.lines()[1:]
        self.assertEqual(row_of(line).message, f"{path.decode()} {path.decode()}")

    def test_itself(self) -> None:
        # The header is the first thing that it writes, and then each row about that.
        text = 't:syscalls:sys_enter_write (args->fd == 1) "x"'
        for options, expected in (
            (("-S",), True),
            (("--include-self",), True),
            ((), 0),
        ):
            with Tool("trace", *options, text) as tool:
                own = b"\n%d " % tool.process.pid
                if expected:
                    tool.wait_for(re.compile(re.escape(own)).search)
                else:
                    write = f"import os; [os.write(1, b'.') for _ in range({COUNT})]"
                    subprocess.run([sys.executable, "-c", write], stdout=-3, check=True)
                outcome = tool.stop()
            self.assertEqual(own in outcome.stdout, expected)
            if not expected:
                self.assertGreaterEqual(len(outcome.lines()), COUNT + 1)


def cgroup_of(process: str) -> str:
    """The path of a process's cgroup-v2 in its file system."""
    with open(f"/proc/{process}/cgroup") as file:
        (own,) = re.findall(r"^0::(.*)$", file.read(), re.MULTILINE)
    with open("/proc/mounts") as file:
        root = re.findall(r"^\S+ (\S+) cgroup2 ", file.read(), re.MULTILINE)
    return f"{root[0]}{own}" if root else own


@only_on("7.2")
class Ends(TraceTest):
    def test_a_number_of_events(self) -> None:
        for option in ("-M", "--max-events"):
            child = Paused(kill_nobody)
            with Tool("trace", "-p", str(child.pid), option, "7", TEXT) as tool:
                child.proceed()
                outcome = tool.wait()
            self.assert_clean(outcome)
            messages = [row_of(line).message for line in outcome.lines()[1:]]
            self.assertEqual(messages, [str(n) for n in range(7)])

    def test_how_often_each_came(self) -> None:
        text = 'sys_kill "%d", sig'
        child = Paused(kill_nobody)
        options = ("-p", str(child.pid), "-A", "-M", "31")
        with Tool("trace", *options, text) as tool:
            child.proceed()
            outcome = tool.wait()
        self.assert_clean(outcome)
        shown = [line for line in outcome.lines()[1:] if line]
        counts = {}
        for row, count in zip(shown[::2], shown[1::2]):
            counts[row_of(row).message] = int(count.replace("-->COUNT ", ""))
        self.assertEqual(counts, Counter(str(n % 7) for n in range(31)))
        self.assertEqual(list(counts.values()), sorted(counts.values(), reverse=True))

    def test_ctrl_c(self) -> None:
        _, outcome = self.trace(TEXT, run=kill_nobody)
        self.assertEqual(outcome.status, 0)
        with Tool("trace", TEXT) as tool:
            tool.process.send_signal(signal.SIGTERM)
            self.assertEqual(tool.wait().status, 0)

    def test_a_reader_that_goes_away(self) -> None:
        self.assert_head_ends_quietly(["trace", TEXT], kill_nobody)

    def test_json(self) -> None:
        text = 'sys_openat (dfd == AT_FDCWD) "%s: %d", filename, flags'
        child = Paused(open_nothing)
        with Tool("trace", "-v", "--json", "-p", str(child.pid), text) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.ledger(), {})
        events = outcome.objects("event")
        self.assertEqual([event["arg1"] for event in events], names())
        for event in events:
            self.assertEqual(event["function"], "sys_openat")
            self.assertEqual(event["arg2"], os.O_CLOEXEC)
            self.assertEqual(event["message"], f"{event['arg1']}: {os.O_CLOEXEC}")
            self.assertEqual(event["pid"], child.pid)

    def test_csv(self) -> None:
        _, outcome = self.trace("--format", "csv", TEXT, run=kill_nobody)
        header, *rows = outcome.lines()
        self.assertEqual(header, "PID,TID,COMM,FUNC,-")
        self.assertEqual(
            [row.split(",")[-1] for row in rows], [*map(str, range(COUNT))]
        )


@only_on("5.10", "7.2")
class Stacks(TraceTest):
    """-K and -U: below each row, innermost function first."""

    def blocks(self, *options: str, case: str = "nested") -> list[list[str]]:
        """Each row of the workload with the lines below it."""
        program = workload.program("calls")
        text = f'{program}:skep_sum (arg1 == 0) "x"'
        with Tool("trace", *options, text) as tool:
            workload.run("calls", case, 5, 3)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        body = "\n".join(outcome.lines()[1:])
        return [block.split("\n") for block in body.rstrip("\n").split("\n\n")]

    def test_of_the_program(self) -> None:
        for option in ("-U", "--user-stack"):
            blocks = self.blocks(option)
            self.assertEqual(len(blocks), 5)
            for row, *frames in blocks:
                self.assertEqual(row_of(row).message, "x")
                functions = [re.sub(r"\+.*", "", frame.strip()) for frame in frames]
                # The frames of the functions that begin with the probe.
                self.assertEqual(functions[:1], ["skep_sum"])
                self.assertRegex(frames[0], r"^ {8}skep_sum\+0x0 \[calls\]$")

    def test_addresses(self) -> None:
        for _, *frames in self.blocks("-U", "-a"):
            self.assertRegex(frames[0], r"^ {8}[0-9a-f]{16} skep_sum\+0x0 \[calls\]$")

    def test_of_the_kernel(self) -> None:
        # 5.10 knows no stack of the kernel at the tracepoints of system calls.
        text = 't:sched:sched_process_exit "x"'
        _, outcome = self.trace("-K", text, run=kill_nobody)
        self.assertEqual(outcome.status, 0, outcome.stderr)
        row, *frames = "\n".join(outcome.lines()[1:]).rstrip("\n").split("\n")
        self.assertEqual(row_of(row).message, "x")
        functions = [re.sub(r"\+0x.*", "", frame[8:]) for frame in frames]
        self.assertIn("do_exit", functions)
        self.assertRegex(functions[-1], "^(entry_SYSCALL_64|el0)")

    def test_addresses_as_values(self) -> None:
        program = workload.program("calls")
        text = f'r:{program}:skep_last "%U", retval'
        with Tool("trace", text) as tool:
            workload.run("calls", "tail", 3)
            outcome = tool.stop()
        messages = [row_of(line).message for line in outcome.lines()[1:]]
        self.assertEqual(messages, ["[unknown]"] * 3)
