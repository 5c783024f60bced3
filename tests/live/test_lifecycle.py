"""Tools start, end, and share the kernel with each other, as their users expect."""

from __future__ import annotations

import os

from tests.live import support
from tests.live.bpf_objects import existing_objects, held_objects
from tests.live.support import Tool

EVENT_TOOLS = ("opensnoop", "execsnoop")
TOOLS = (*EVENT_TOOLS, "tcplife", "biolatency")


def execute_something() -> None:
    """Opens and executes a program."""
    os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)


class Lifecycle(support.LiveTest):
    def test_interrupt_ends_well(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                execute_something()
                self.assert_clean(tool.stop())

    def test_rows_appear_while_tracing(self) -> None:
        for name in EVENT_TOOLS:
            with self.subTest(tool=name), Tool(name) as tool:
                execute_something()
                tool.wait_for(lambda output: output.count(b"\n") > 1, support.SLOW)

    def test_reader_goes_away(self) -> None:
        for name in EVENT_TOOLS:
            with self.subTest(tool=name):
                self.assert_head_ends_quietly([name], execute_something)

    def test_nothing_is_left_after_kill(self) -> None:
        for name in TOOLS:
            with self.subTest(tool=name):
                with Tool(name) as tool:
                    held = held_objects(tool.process.pid)
                    self.assertGreater(len(held & existing_objects()), 1)
                    tool.process.kill()
                    tool.process.wait()
                self.assert_freed(held)

    def test_same_tool_twice(self) -> None:
        with Tool("execsnoop") as first, Tool("execsnoop") as second:
            execute_something()
            outcomes = first.stop(), second.stop()
        for outcome in outcomes:
            shown = [line for line in outcome.lines() if "/bin/true" in line]
            self.assertEqual(len(shown), 1)
