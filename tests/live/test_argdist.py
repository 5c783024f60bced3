"""argdist: every value is counted as often as it came, whatever form the probe has."""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
import unittest
from pathlib import Path

from tests.live import support, workload
from tests.live.places import HAS_FUNCTIONS, PlacesTest
from tests.live.support import Outcome, Tool

SELF, INIT = 13, 7
SMALL, LARGE = 11, 5
MISSING, PRESENT = 3, 2
EACH = 101
READS = {100: 17, 3000: 23}

TEXT_SMALL, TEXT_LARGE = b"123", b"99999"
NOWHERE = b"/nonexistent/argdist"


def call_library() -> None:
    """Known numbers of calls of the C library, and through it of the kernel."""
    library = ctypes.CDLL(None, use_errno=True)
    library.strtol.restype = ctypes.c_long
    for pid, times in ((0, SELF), (1, INIT)):
        for _ in range(times):
            library.getpgid(pid)
    for text, times in ((TEXT_SMALL, SMALL), (TEXT_LARGE, LARGE)):
        for _ in range(times):
            library.strtol(text, None, 10)
    for path, times in ((NOWHERE, MISSING), (b"/", PRESENT)):
        for _ in range(times):
            library.access(path, 0)


def read_file(path: str) -> None:
    """READS: sizes that are asked for, and how often."""
    descriptor = os.open(path, os.O_RDONLY)
    for size, times in READS.items():
        for _ in range(times):
            os.pread(descriptor, size, 0)
    os.close(descriptor)


def tables(outcome: Outcome) -> dict[str, dict[str, int]]:
    """The counts of each specifier by event."""
    found: dict[str, dict[str, int]] = {}
    for row in outcome.objects("table"):
        found.setdefault(row["probe"], {})[row["event"]] = row["count"]
    return found


def histograms(outcome: Outcome) -> dict[str, dict[int, int]]:
    """The counts of each histogram by the lowest number of a row, zeros left out."""
    return {
        row["probe"]: {b["low"]: b["count"] for b in row["buckets"] if b["count"]}
        for row in outcome.objects("histogram")
    }


class ArgdistTest(PlacesTest):
    def library(self, *arguments: str) -> Outcome:
        """The outcome beside `call_library`."""
        return self.trace("argdist", call_library, "-i", "600", *arguments)

    def counted(self, specifier: str, *options: str) -> dict[str, int]:
        return tables(self.library("-C", specifier, *options)).get(specifier, {})


@support.only_on("6.1")
class Functions(ArgdistTest):
    """p: and r: of functions of a library."""

    def test_calls(self) -> None:
        shown = self.counted("p:c:getpgid()")
        self.assertEqual(shown, {"total calls": SELF + INIT})

    def test_argument_by_name(self) -> None:
        shown = self.counted("p:c:getpgid(int pid):int:pid")
        self.assertEqual(shown, {"pid = 0": SELF, "pid = 1": INIT})

    def test_argument_by_number(self) -> None:
        shown = self.counted("p:c:getpgid():int:arg1")
        self.assertEqual(shown, {"arg1 = 0": SELF, "arg1 = 1": INIT})

    def test_text(self) -> None:
        shown = self.counted(
            "p:c:strtol(const char *s, char **end, int base):char*,int:s,base"
        )
        self.assertEqual(
            shown, {"s = 123, base = 10": SMALL, "s = 99999, base = 10": LARGE}
        )

    def test_text_is_cut(self) -> None:
        child = support.Paused(call_library)
        specifier = 'p:c:access(char *path):char *:path:STRCMP("/none", path)'
        with Tool(
            *("argdist", "--json", "-v", "-p", str(child.pid), "-i", "600"),
            *("-z", "5", "-C", specifier),
        ) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(tables(outcome)[specifier], {"path = /none": MISSING})
        self.assertEqual(outcome.ledger(), {"truncated": MISSING})

    def test_filter(self) -> None:
        specifier = "p:c:getpgid(int pid):int:pid:pid == 1 || pid < 0"
        self.assertEqual(self.counted(specifier), {"pid = 1": INIT})
        specifier = 'p:c:strtol(char *s):char*:s:STRCMP("99", s)'
        self.assertEqual(self.counted(specifier), {"s = 99999": LARGE})
        specifier = "p:c:strtol(char *s):char*:s:s[0] == '1' && s[3] == 0"
        self.assertEqual(self.counted(specifier), {"s = 123": SMALL})

    def test_task_words(self) -> None:
        child = support.Paused(call_library)
        specifier = 'p:c:access(char *path):u32,char *:$PID,$COMM:STRCMP("/n", path)'
        with Tool(
            *("argdist", "--json", "-v", "-p", str(child.pid), "-i", "600"),
            *("-C", specifier),
        ) as tool:
            comm = Path(f"/proc/{child.pid}/comm").read_text().strip()
            child.proceed()
            outcome = tool.stop()
        event = f"$PID = {child.pid}, $COMM = {comm}"
        self.assertEqual(tables(outcome)[specifier], {event: MISSING})

    def test_expressions(self) -> None:
        specifier = "p:c:getpgid(int pid):s64,u8,unsigned:-pid*3,(u8)(pid+255),EPERM"
        shown = self.counted(specifier)
        titles = "-pid*3 = {}, (u8)(pid+255) = {}, EPERM = 1"
        self.assertEqual(
            shown, {titles.format(0, 255): SELF, titles.format(-3, 0): INIT}
        )

    def test_conditional_in_parentheses(self) -> None:
        specifier = "p:c:getpgid(int pid):int:(pid ? 7 : 8)"
        title = "(pid ? 7 : 8)"
        expected = {f"{title} = 8": SELF, f"{title} = 7": INIT}
        self.assertEqual(self.counted(specifier), expected)

    def test_return(self) -> None:
        shown = self.counted("r:c:access()")
        self.assertEqual(shown, {"retval = -1": MISSING, "retval = 0": PRESENT})

    def test_negative_return(self) -> None:
        # The register has more bits than the int that the function returns.
        specifier = "r:c:access(char *path):char *:$entry(path):(int)$retval < 0"
        event = f"$entry(path) = {NOWHERE.decode()}"
        self.assertEqual(self.counted(specifier), {event: MISSING})

    def test_retval_and_entry(self) -> None:
        specifier = (
            "r:c:strtol(const char *s, void *e, int base)"
            ":char*,long,int:$entry(s),$retval,$entry(base):$retval > 200"
        )
        event = "$entry(s) = 99999, $retval = 99999, $entry(base) = 10"
        self.assertEqual(self.counted(specifier), {event: LARGE})

    def test_labels_and_several(self) -> None:
        outcome = self.library(
            *("-C", "p:c:getpgid(int pid):int:pid#group"),
            *("-C", "r:c:access():int:$retval # found?"),
            *("-H", "r:c:strtol():long:$retval#numbers"),
            *("-H", "p:c:getpgid(int pid):int:pid"),
        )
        self.assertEqual(
            tables(outcome),
            {
                "group": {"pid = 0": SELF, "pid = 1": INIT},
                "found?": {"$retval = -1": MISSING, "$retval = 0": PRESENT},
            },
        )
        self.assertEqual(
            histograms(outcome),
            {
                "numbers": {64: SMALL, 65536: LARGE},
                "p:c:getpgid(int pid):int:pid": {0: SELF + INIT},
            },
        )

    def test_same_function_twice(self) -> None:
        outcome = self.library(
            *("-C", "p:c:getpgid(int pid):int:pid:pid==0#a"),
            *("-C", "p:c:getpgid(int pid):int:pid:pid==1#b"),
        )
        expected = {"a": {"pid = 0": SELF}, "b": {"pid = 1": INIT}}
        self.assertEqual(tables(outcome), expected)

    def test_latency(self) -> None:
        outcome = self.library("-H", "r:c:getpgid():u64:$latency#ns")
        shown = histograms(outcome)["ns"]
        self.assertEqual(sum(shown.values()), SELF + INIT)
        self.assertGreater(min(shown), 1)

    def test_histogram_of_return(self) -> None:
        outcome = self.library("-H", "r:c:strtol()")
        expected = {"r:c:strtol()": {64: SMALL, 65536: LARGE}}
        self.assertEqual(histograms(outcome), expected)


@support.only_on("6.1")
class Text(ArgdistTest):
    """What people see."""

    def shown(self, *arguments: str) -> str:
        child = support.Paused(call_library)
        # Whatever is there first says that all is attached.
        with Tool(*("argdist", "-p", str(child.pid), *arguments), prefix=()) as tool:
            child.proceed()
            tool.wait_for(lambda output: b"99999" in output or b"65536" in output)
            outcome = tool.stop()
        self.assert_clean(outcome)
        return outcome.stdout.decode()

    def test_counts(self) -> None:
        specifier = "p:c:strtol(char *s):char*:s"
        text = self.shown("-C", specifier, "-c", "-i", "0.5")
        expected = r"\[\d\d:\d\d:\d\d\]\n" + re.escape(
            f"{specifier}\n\tCOUNT      EVENT\n\t{LARGE:<10} s = 99999\n"
            f"\t{SMALL:<10} s = 123\n"
        )
        self.assertRegex(text, expected)

    def test_top(self) -> None:
        specifier = "p:c:strtol(char *s):char*,int:s,99999:1#top"
        text = self.shown("-C", specifier, "-c", "-T", "1", "-i", "0.5")
        self.assertIn(f"top\n\tCOUNT      EVENT\n\t{SMALL:<10} s = 123", text)
        self.assertNotIn("s = 99999", text)

    def test_histogram(self) -> None:
        specifier = "r:c:strtol():long:$retval"
        text = self.shown("-H", f"{specifier}#numbers", "-C", specifier, "-c")
        self.assertIn("     numbers             : count     distribution\n", text)
        row = f"        64 -> 127        : {SMALL:<8d} |{'*' * 40}|\n"
        self.assertIn(row, text)
        self.assertLess(text.index("COUNT"), text.index("distribution"))

    def test_intervals(self) -> None:
        with Tool("argdist", "-n", "3", "-i", "0.2", "-C", "p:c:getpgid()") as tool:
            outcome = tool.wait()
        self.assert_clean(outcome)
        text = outcome.stdout.decode()
        self.assertEqual(len(re.findall(r"^\[\d\d:\d\d:\d\d\]$", text, re.M)), 3)

    def test_duration(self) -> None:
        with Tool("argdist", "-d", "1", "-i", "0.3", "-C", "p:c:getpgid()") as tool:
            outcome = tool.wait()
        self.assert_clean(outcome)
        text = outcome.stdout.decode()
        self.assertIn("p:c:getpgid()\n\tCOUNT      EVENT\n", text)

    def test_each_interval_starts_anew(self) -> None:
        child = support.Paused(call_library)
        options = ("-p", str(child.pid), "-i", "0.3", "--json", "-v")
        with Tool("argdist", *options, "-C", "p:c:getpgid()") as tool:
            child.proceed()
            tool.wait_for(lambda output: b"total calls" in output)
            seen = tool.output().count(b"\n")
            # Another report, in which nothing happened, has no rows.
            outcome = tool.stop()
        rows = [row["count"] for row in outcome.objects("table")]
        self.assertEqual(sum(rows), SELF + INIT, seen)


class Tracepoints(ArgdistTest):
    def test_field(self) -> None:
        specifier = "t:syscalls:sys_enter_getpgid():int:args->pid"
        shown = self.counted(specifier)
        self.assertEqual(shown, {"args->pid = 0": SELF, "args->pid = 1": INIT})

    def test_filter_and_histogram(self) -> None:
        specifier = "t:syscalls:sys_enter_getpgid():int:args->pid:args->pid > 0"
        outcome = self.library("-H", specifier)
        self.assertEqual(histograms(outcome), {specifier: {0: INIT}})

    def test_text(self) -> None:
        specifier = "t:task:task_rename():char *,char*:args->oldcomm,args->newcomm"

        def rename() -> None:
            for name in ("first", "second", "first"):
                Path("/proc/self/comm").write_text(name)

        child = support.Paused(rename)
        with Tool(
            *("argdist", "--json", "-v", "-p", str(child.pid), "-i", "600"),
            *("-C", specifier),
        ) as tool:
            comm = Path(f"/proc/{child.pid}/comm").read_text().strip()
            child.proceed()
            outcome = tool.stop()
        changes = [(comm, "first"), ("first", "second"), ("second", "first")]
        expected = {
            f"args->oldcomm = {old}, args->newcomm = {new}": 1 for old, new in changes
        }
        self.assertEqual(tables(outcome)[specifier], expected)


@support.only_on("6.1")
class Usdt(support.LiveTest):
    def test_arguments(self) -> None:
        program = workload.program("calls")
        specifiers = [
            f"u:{program}:each():int:arg1 & 1:arg1 < 10#odd",
            f"u:{program}:skep:each():char*,short:arg2,arg3:arg3 > -3#named",
        ]
        with Tool(
            *("argdist", "--json", "-v", "-i", "600"),
            *("-C", specifiers[0], "-C", specifiers[1]),
        ) as tool:
            workload.run("calls", "usdt", str(EACH))
            outcome = tool.stop()
        named = {f"arg2 = name, arg3 = {-i}": 1 for i in range(3)}
        self.assertEqual(
            tables(outcome),
            {"odd": {"arg1 & 1 = 0": 5, "arg1 & 1 = 1": 5}, "named": named},
        )
        self.assertEqual(outcome.ledger(), {})


class SystemCalls(ArgdistTest):
    """Functions of system calls can be traced where others cannot."""

    def test_entry_and_return(self) -> None:
        specifier = "p::__x64_sys_getpgid(int pid):int:pid"
        shown = self.counted(specifier.replace("__x64_", ""))
        self.assertEqual(shown, {"pid = 0": SELF, "pid = 1": INIT})
        shown = self.counted("r::sys_getpgid(int pid):int,int:$entry(pid),$retval < 0")
        events = {"$entry(pid) = 0, $retval < 0 = 0": SELF}
        events["$entry(pid) = 1, $retval < 0 = 0"] = INIT
        self.assertEqual(shown, events)


class KernelFunctions(ArgdistTest):
    def setUp(self) -> None:
        if not HAS_FUNCTIONS:
            self.skipTest("no functions of this kernel can be traced")

    def reads(self, *arguments: str) -> Outcome:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "argdist-file")
            path.write_bytes(bytes(5000))
            run = lambda: read_file(str(path))  # noqa: E731
            return self.trace("argdist", run, "-i", "600", *arguments)

    def test_entry(self) -> None:
        name = "file->f_path.dentry->d_name.name"
        specifier = (
            "p::vfs_read(struct file *file, char __user *buf, size_t count)"
            f':char *,size_t:{name},count:STRCMP("argdist-", {name})'
        )
        outcome = self.reads("-C", specifier)
        expected = {
            f"{name} = argdist-file, count = {size}": times
            for size, times in READS.items()
        }
        self.assertEqual(tables(outcome)[specifier], expected)

    def test_names_of_the_function_itself(self) -> None:
        specifier = "p::vfs_read():size_t:count:count == 3000"
        outcome = self.reads("-C", specifier)
        self.assertEqual(tables(outcome)[specifier], {"count = 3000": READS[3000]})

    def test_return(self) -> None:
        specifiers = [
            "r::vfs_read(struct file *file, char *buf, size_t count)"
            ":size_t,long:$entry(count),$retval:$retval >= 100#sizes",
            "r::vfs_read():long:$retval:$retval == 3000#large",
            "r::vfs_read(void *a, void *b, size_t c):u64:$latency:$entry(c)==100#ns",
        ]
        outcome = self.reads(
            *("-C", specifiers[0], "-H", specifiers[1], "-H", specifiers[2])
        )
        sizes = tables(outcome)["sizes"]
        for size, times in READS.items():
            event = f"$entry(count) = {size}, $retval = {size}"
            self.assertEqual(sizes[event], times)
        shown = histograms(outcome)
        self.assertEqual(shown["large"], {2048: READS[3000]})
        self.assertEqual(sum(shown["ns"].values()), READS[100])


@support.only_on("6.1")
class Errors(support.LiveTest):
    def test_messages(self) -> None:
        cases = {
            "p:c:getpgid": "function signature must be specified",
            "x:c:getpgid()": "but got 'x'",
            "p:c:getpgid(int pid):int:pidd": "there is no 'pidd' here",
            "p:c:getpgid(int pid):int:$retval": "at the return of a function only",
            "t:syscalls:sys_enter_getpgit():int:args->pid": "sys_enter_getpgid",
        }
        for specifier, part in cases.items():
            with self.subTest(specifier):
                message = self.fails(specifier)
                self.assertIn(part, message)
                self.assertIn("^", message)
                self.assertNotIn("Traceback", message)

    def fails(self, specifier: str) -> str:
        import subprocess

        done = subprocess.run(
            [support.SKEP, "argdist", "-C", specifier],
            capture_output=True,
            timeout=support.START_SECONDS,
        )
        self.assertIn(done.returncode, (1, 2))
        return done.stderr.decode()

    def test_nothing_to_count(self) -> None:
        message = self.assert_usage_error("argdist")
        self.assertIn("at least one specifier is required", message)


if __name__ == "__main__":
    unittest.main()
