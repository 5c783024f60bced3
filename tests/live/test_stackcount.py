"""stackcount: every hit is counted under the stack that led to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from tests.live import places, support, workload
from tests.live.places import HAS_FUNCTIONS
from tests.live.support import KERNEL, Outcome, Tool

LEFT, RIGHT = 101, 37
EVENT = "t:syscalls:sys_enter_getpgid"

CPP = """
#include <unistd.h>
namespace shop {
template <typename T> struct Basket {
    [[gnu::noinline]] T sell(T n) { T r = getpgid(0); asm volatile("" ::: "memory");
                                    return r + n; }
};
[[gnu::noinline]] long open(long n) { return Basket<long>().sell(n) + 1; }
}
int main() { long s = 0; for (long n = 0; n < 53; n++) s += shop::open(n); return !s; }
"""

RUST = """
extern "C" { fn getpgid(pid: i32) -> i32; }
mod shop {
    #[inline(never)]
    pub fn sell(n: i64) -> i64 { (unsafe { crate::getpgid(0) }) as i64 + n }
    #[inline(never)]
    pub fn open(n: i64) -> i64 { std::hint::black_box(sell(n)) + 1 }
}
fn main() {
    let mut s = 0;
    for n in 0..53 { s += std::hint::black_box(shop::open(n)); }
    std::process::exit((s == 0) as i32);
}
"""

GO = """
package main
import ("os"; "syscall")
//go:noinline
func sell(n int) int { p, _ := syscall.Getpgid(0); return p + n }
//go:noinline
func open(n int) int { return sell(n) + 1 }
func main() {
    s := 0
    for n := 0; n < 53; n++ { s += open(n) }
    if s == 0 { os.Exit(1) }
}
"""


def names(row: dict[str, Any], stack: str = "user_stack") -> list[str]:
    """The functions of a stack, the innermost first."""
    return [frame["symbol"] or "?" for frame in row[stack] or ()]


def by_caller(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Hits in chain_middle by the function that called it."""
    found: dict[str, int] = {}
    for row in rows:
        chain = names(row)
        if "chain_middle" in chain:
            caller = chain[chain.index("chain_middle") + 1]
            found[caller] = found.get(caller, 0) + row["count"]
    return found


class StackCountTest(support.LiveTest):
    def stacks(
        self, *arguments: str, run: tuple[str, ...] = ("chain", str(LEFT), str(RIGHT))
    ) -> Outcome:
        with Tool("stackcount", "-v", *arguments) as tool:
            workload.run(*run)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        return outcome

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        outcome = self.stacks("--json", "--comm", "chain", *arguments)
        self.assertEqual(outcome.ledger(), {})
        self.said = outcome.stderr
        return outcome.objects("stacks")


class Stacks(StackCountTest):
    """Of a program with frame pointers, which has ended when its stacks are shown."""

    def test_chains_of_calls(self) -> None:
        rows = self.objects(EVENT)
        expected = {"chain_left": LEFT, "chain_right": RIGHT}
        self.assertEqual(by_caller(rows), expected, (rows, self.said))
        # Before 6.12 such a tracepoint has no stack in the kernel.
        if KERNEL not in ("5.10", "6.1"):
            for row in rows:
                self.assertIn("syscall", " ".join(names(row, "kernel_stack")))

    def test_functions_of_programs(self) -> None:
        program = workload.program("chain")
        rows = self.objects("-U", f"{program}:chain_inner")
        self.assertEqual(sum(row["count"] for row in rows), LEFT + RIGHT)
        found: dict[str, int] = {}
        for row in rows:
            chain = names(row)
            self.assertEqual(chain[0], "chain_inner", row)
            outer = "chain_left" if "chain_left" in chain else "chain_right"
            self.assertIn(outer, chain)
            self.assertNotIn("kernel_stack", row)
            found[outer] = found.get(outer, 0) + row["count"]
        self.assertEqual(found, {"chain_left": LEFT, "chain_right": RIGHT})

    @support.only_on("5.10")
    def test_only_the_kernel(self) -> None:
        (row,) = self.objects("-K", EVENT)
        self.assertEqual(row["count"], LEFT + RIGHT)
        self.assertNotIn("user_stack", row)

    def test_by_process(self) -> None:
        with Tool("stackcount", "-v", "-P", "--json", "--comm", "chain", EVENT) as tool:
            for _ in range(3):
                workload.run("chain", str(LEFT), str(RIGHT))
            outcome = tool.stop()
        rows = outcome.objects("stacks")
        self.assertEqual({row["comm"] for row in rows}, {"chain"})
        processes = {row["pid"] for row in rows}
        self.assertEqual(len(processes), 3)
        for pid in processes:
            of_one = [row for row in rows if row["pid"] == pid]
            expected = {"chain_left": LEFT, "chain_right": RIGHT}
            self.assertEqual(by_caller(of_one), expected, (of_one, outcome.stderr))

    @support.only_on("6.12")
    def test_text(self) -> None:
        options = ("--comm", "chain", "-d", "-P", "-s")
        with Tool("stackcount", *options, EVENT) as tool:
            workload.run("chain", str(LEFT), str(RIGHT))
            outcome = tool.stop()
        self.assert_clean(outcome)
        banner, _, *lines = outcome.lines()
        self.assertEqual(
            banner, f'Tracing 1 functions for "{EVENT}"... Hit Ctrl-C to end.'
        )
        self.assertEqual(lines[-1], "Detaching...")
        blocks = "\n".join(lines[:-1]).split("\n\n")[:2]
        for block, name, count in zip(
            blocks, ("chain_right", "chain_left"), (RIGHT, LEFT)
        ):
            rows = block.rstrip("\n").split("\n")
            self.assertRegex(rows[-2], r"^    chain \[\d+\]$", outcome.stdout)
            self.assertEqual(rows[-1], f"    {count}")
            self.assertIn("    --", rows)
            self.assertTrue(any(row.startswith(f"  {name}+0x") for row in rows), block)

    @support.only_on("6.1", support.ARM64)
    def test_folded_and_flame_graph(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "out.svg")
            options = ("-f", "-P", "--comm", "chain", "--flamegraph", path)
            with Tool("stackcount", "-i", "1", *options, EVENT, knock=knock) as tool:
                workload.run("chain", str(LEFT), str(RIGHT))
                tool.wait_for(lambda output: b"chain_right" in output)
                outcome = tool.stop()
            counts = {"chain_left": 0, "chain_right": 0}
            for line in outcome.lines():
                stack, _, count = line.rpartition(" ")
                frames = stack.split(";")
                self.assertEqual(frames[0], "chain")
                for name in counts:
                    if name in frames and "chain_middle" in frames:
                        after = frames.index("chain_middle")
                        self.assertEqual(frames[after - 1], name)
                        counts[name] += int(count)
            self.assertGreaterEqual(counts["chain_left"], LEFT)
            self.assertGreaterEqual(counts["chain_right"], RIGHT)
            drawn = ElementTree.parse(path).getroot()
            self.assertTrue(drawn.tag.endswith("svg"))
            self.assertIn("chain_left", Path(path).read_text())

    @support.only_on("6.12")
    def test_one_process(self) -> None:
        child = support.Paused(places.call_libc)
        options = ("-v", "--json", "-p", str(child.pid))
        with Tool("stackcount", *options, "c:labs") as tool:
            places.call_libc()
            child.proceed()
            outcome = tool.stop()
        self.assertEqual((outcome.status, outcome.ledger()), (0, {}))
        rows = outcome.objects("stacks")
        self.assertEqual({names(row)[0] for row in rows}, {"labs"})
        self.assertEqual(sum(row["count"] for row in rows), places.LABS)

    @support.only_on("6.12")
    def test_usdt_by_pattern(self) -> None:
        program = workload.program("calls")
        run = ("calls", "usdt", str(LEFT))
        outcome = self.stacks("--json", "-U", f"u:{program}:e*", run=run)
        rows = outcome.objects("stacks")
        self.assertEqual(sum(row["count"] for row in rows), LEFT)
        self.assertEqual({names(row)[0] for row in rows}, {"main"})

    @support.only_on("6.12")
    def test_one_cpu(self) -> None:
        program = workload.program("chain")
        allowed = os.sched_getaffinity(0)
        cpu = min(allowed)
        os.sched_setaffinity(0, {cpu})  # inherited by the program
        self.addCleanup(os.sched_setaffinity, 0, allowed)
        for number, made in ((cpu, LEFT + RIGHT), (cpu + 1, 0)):
            rows = self.objects("-c", str(number), f"{program}:chain_inner")
            self.assertEqual(sum(row["count"] for row in rows), made)

    @support.only_on("6.12")
    def test_intervals_with_addresses(self) -> None:
        options = ("-sv", "-Ti", "0.5", "-D", "3600", "--comm", "chain")
        with Tool("stackcount", *options, EVENT) as tool:
            workload.run("chain", str(LEFT), str(RIGHT))
            tool.wait_for(lambda output: b"chain_left" in output)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        text = outcome.stdout.decode()
        self.assertRegex(text, re.compile(r"^\d\d:\d\d:\d\d$", re.MULTILINE))
        frame = r"^  [0-9a-f]{6,16} +chain_left\+0x[0-9a-f]+$"
        self.assertRegex(text, re.compile(frame, re.MULTILINE))
        counted = sum(map(int, re.findall(r"^    (\d+)$", text, re.MULTILINE)))
        self.assertEqual(counted, LEFT + RIGHT)

    @unittest.skipUnless(HAS_FUNCTIONS, "functions of this kernel cannot be traced")
    def test_functions_of_the_kernel(self) -> None:
        pattern = "__x64_sys_getpgid|__arm64_sys_getpgid"
        rows = self.objects("-r", f"({pattern})")
        expected = {"chain_left": LEFT, "chain_right": RIGHT}
        self.assertEqual(by_caller(rows), expected, (rows, self.said))
        for row in rows:
            self.assertRegex(names(row, "kernel_stack")[0], pattern)

    def test_both_exclude_each_other(self) -> None:
        self.assertIn("-K and -U", self.assert_usage_error("stackcount", "-KU", EVENT))

    def test_a_file_that_cannot_be_written(self) -> None:
        message = self.assert_fails(
            1, "stackcount", "--flamegraph", "/nowhere/out.svg", EVENT
        )
        self.assertIn("/nowhere/out.svg", message)


def knock() -> None:
    """Something to be shown: folded stacks have no banner."""
    workload.run("chain", "1", "1")


@unittest.skipIf(KERNEL, "guests have no compilers")
class Languages(StackCountTest):
    """Names as programmers write them, of programs that have ended."""

    def chain(self, source: str, suffix: str, *compiler: str) -> None:
        if shutil.which(compiler[0]) is None:
            raise unittest.SkipTest(f"there is no {compiler[0]}")
        with tempfile.TemporaryDirectory() as directory:
            file, program = Path(directory, f"shop{suffix}"), f"{directory}/shop"
            file.write_text(source)
            subprocess.run([*compiler, "-o", program, str(file)], check=True)
            options = ("-v", "--json", "-U", "--comm", "shop")
            with Tool("stackcount", *options, EVENT) as tool:
                subprocess.run([program], check=True)
                outcome = tool.stop()
        found = 0
        for row in outcome.objects("stacks"):
            chain = " ".join(names(row))
            if "shop::open" in chain or "main.sell main.open main.main" in chain:
                self.assertRegex(chain, r"(main)")
                found += row["count"]
        self.assertEqual(found, 53)

    def test_cpp(self) -> None:
        options = ("-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls")
        self.chain(CPP, ".cpp", "g++", *options)

    def test_rust(self) -> None:
        self.chain(RUST, ".rs", "rustc", "-O", "-C", "force-frame-pointers=yes")

    def test_go(self) -> None:
        self.chain(GO, ".go", "go", "build")
