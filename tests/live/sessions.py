"""Types a session of the manual, and compares what it shows with what stands there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.live.manual import Block, Command
from tests.live.support import SLOW, START_SECONDS
from tests.live.terminal import CTRL_C, ENVIRONMENT, Terminal

_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_BAR = re.compile(r"\|[* ]*\|$")
_SAID = re.compile(r"^(skep|warning): ")

# How long a command that goes on gets to end by itself before Ctrl-C is pressed.
_GRACE = 0.5

# A round may have begun before the session was ready for it.
_ROUNDS = 2


def shape(line: str) -> str:
    """A line without its numbers, and if it has any without its widths."""
    line = line.replace("^C", "").rstrip()
    if not _NUMBER.search(line):
        return line
    return " ".join(_NUMBER.sub("0", _BAR.sub("|", line)).split())


def shapes(lines: Sequence[str]) -> set[str]:
    """Those of all lines that are not empty."""
    return {shape(line) for line in lines} - {""}


class Session:
    """A command of the manual and what it is to show.

    `meanwhile` is what happens beside it, unless the block says that itself.
    """

    def __init__(self, block: Block, command: Command, meanwhile: str = "") -> None:
        self.command = command.text
        self._meanwhile = block.directives.get("meanwhile", meanwhile)
        varies = re.compile(block.directives.get("varies", "(?!)"))  # else nothing
        self._varies = varies
        self._output = [line for line in command.output if not varies.search(line)]
        self._known = shapes(command.output)
        self._fails = "|" not in self.command and any(
            line.startswith("skep: ") for line in command.output
        )

    def run(self, directory: str) -> str:
        """Types the command, and Ctrl-C when it has shown its lines and goes on.

        One that shows nothing is waited for, and one of --exec.  Returns what stands on
        the terminal.  Raises AssertionError if that is not what the manual shows.
        """
        with Terminal(self.command, directory) as terminal:
            with self._work(directory) as rounds:
                first = shapes(self._before_ctrl_c())
                terminal.wait(lambda: first <= _seen(terminal), START_SECONDS)
                if self._meanwhile:
                    enough = rounds() + _ROUNDS
                    terminal.wait(lambda: rounds() >= enough, START_SECONDS)
            is_endless = self._output and "--exec" not in self.command
            if is_endless and not terminal.wait(terminal.has_ended, _GRACE):
                terminal.press(CTRL_C)
            status = terminal.end()
        problems = list(self._problems(terminal.text(), status))
        if problems:
            transcript = ["$ " + self.command, *terminal.text().splitlines()[-100:]]
            raise AssertionError("\n".join([*problems, *transcript]))
        return terminal.text()

    def _before_ctrl_c(self) -> list[str]:
        """The lines that come before it, all if the manual does not show it."""
        for at, line in enumerate(self._output):
            if "^C" in line:
                return self._output[:at]
        return self._output

    @contextmanager
    def _work(self, directory: str) -> Iterator[Callable[[], int]]:
        """What happens while the session waits; how often it has happened."""
        done = os.path.join(directory, ".rounds")
        if os.path.exists(done):
            os.unlink(done)

        def rounds() -> int:
            return os.path.getsize(done) if os.path.exists(done) else 0

        pause = f"sleep {0.1 * SLOW}"
        loop = f"while :; do\n{self._meanwhile}\nprintf . >> .rounds; {pause}; done"
        with beside(loop if self._meanwhile else "", directory):
            yield rounds

    def _problems(self, text: str, status: int) -> Iterator[str]:
        """What is wrong with the text on the terminal."""
        seen = shapes(text.splitlines())
        for line in sorted(shapes(self._output) - seen):
            yield f"missing: {line}"
        for line in sorted(seen - self._known):
            if _SAID.match(line) and not self._varies.search(line):
                yield f"not in the manual: {line}"
        if "Traceback" in text:
            yield "there is a traceback"
        if bool(status) != self._fails:
            yield f"the exit status is {status}"


def _seen(terminal: Terminal) -> set[str]:
    return shapes(terminal.text().splitlines())


@contextmanager
def beside(command: str, directory: str) -> Iterator[None]:
    """A shell's command that runs meanwhile, with all that it starts."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=directory,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it has ended
        process.wait()
