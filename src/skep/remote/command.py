"""`skep --host`: one tool on several hosts, until the last has ended."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import Any

from skep.errors import SkepError, UsageError
from skep.escape import escape
from skep.output.writer import OutputClosed, Writer, show
from skep.remote import hosts
from skep.remote.connection import UNREACHABLE, Connection, Luggage
from skep.remote.hosts import Command, Host, hint_for, local_zone
from skep.remote.merging import Merged
from skep.remote.serve import check
from skep.remote.wire import NotWire
from skep.runtime.signals import StopSignals
from skep.standard_error import tell
from skep.toolkit.arguments import common_values
from skep.toolkit.parser import parser_of
from skep.toolkit.reports import most_rows
from skep.toolkit.tool import Tool, load

LAST_WORDS_S = 10.0
"""How long hosts have to end, and to say what they lost, once they were told to."""


def run_on_hosts(arguments: Sequence[str]) -> int:
    """Run `skep --host …`; the exit status.  Raises SkepError."""
    if {"-h", "--help"} & set(arguments[:2]):
        show(hosts.USAGE)
        return 0
    command = hosts.parse(arguments)
    name, *words = command.words
    if name.endswith(".py"):
        raise UsageError(
            f"'{name}' is a file here: only skep's own tools go to other hosts"
        )
    tool = _tool(name)
    given = parser_of(tool).parse_args(words)
    check(tool.name, given)
    options = common_values(tool, vars(given))
    return _Runs(command, options).execute()


def _tool(name: str) -> Tool:
    """The tool to run.  Raises UsageError, also for what is a command of skep."""
    try:
        return load(name)
    except UsageError:
        from skep.toolkit.command_words import COMMANDS

        if name not in COMMANDS:
            raise
        raise UsageError(
            f"'{name}' does not go with --host: only tools do",
            hint=f"run 'skep {name}' there",
        ) from None


class _Runs:
    """The runs of a tool on all hosts, and their end."""

    def __init__(self, command: Command, options: Any) -> None:
        self._command = command
        self._merged = Merged(
            command.hosts,
            options.format,
            Writer(),
            _tell,
            (options.sort or "").startswith("-"),
            most_rows(options),
        )
        self._connections: dict[int, Connection] = {}
        self._failed: dict[Host, int] = {}
        self._poll = select.epoll()
        self._watched: dict[int, int] = {}
        self._deadline: float | None = None

    def execute(self) -> int:
        """Run until all hosts have ended; the exit status."""
        with StopSignals() as stop:
            try:
                self._start()
                self._loop(stop)
            except OutputClosed:
                pass
            finally:
                for connection in self._connections.values():
                    connection.close()
                self._poll.close()
        return self._judge(stop)

    def _start(self) -> None:
        command = self._command
        luggage = Luggage.packed()
        arguments = ("serve", local_zone(), *command.words)
        program = luggage.program(command.keeps, arguments)
        for host in command.hosts:
            connection = Connection(
                host,
                command.ssh,
                command.words,
                program,
                luggage.archive,
                self._merged.show,
                _tell,
            )
            self._connections[connection.end] = connection

    def _loop(self, stop: StopSignals) -> None:
        self._poll.register(stop.fileno(), select.EPOLLIN)
        try:
            self._poll.register(1, 0)  # that its reader goes away is reported
        except OSError:
            pass  # a regular file has no reader
        while self._connections:
            calls = self._watch()
            found = [number for number, _ in self._poll.poll(self._patience())]
            if 1 in found:
                raise OutputClosed
            # Ends come last: then what is left is read, and files are closed.
            ready = [calls[number] for number in found if number in calls]
            for connection, call in sorted(ready, key=lambda each: each[1] is None):
                self._call(connection, call)
            connections = self._connections.values()
            self._merged.settle({c.host for c in connections if c.is_running})
            for connection in connections:
                if (
                    self._deadline is not None
                    and time.monotonic() > self._deadline
                    and connection.process.poll() is None
                ):
                    _tell(connection.host, "skep: it does not end; it is left alone")
                    connection.process.kill()
            if (stop.stopped() or self._merged.is_full) and self._deadline is None:
                self._deadline = time.monotonic() + LAST_WORDS_S
                for connection in self._connections.values():
                    connection.stop()
        self._merged.finish()

    def _patience(self) -> float | None:
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - time.monotonic()) + 0.01

    def _watch(self) -> dict[int, tuple[Connection, Callable[[], None] | None]]:
        """Let the kernel watch what is waited for; what to call for each of them."""
        calls: dict[int, tuple[Connection, Callable[[], None] | None]] = {}
        wanted: dict[int, int] = {}
        for end, connection in self._connections.items():
            calls[end], wanted[end] = (connection, None), select.EPOLLIN
            for number, call in connection.readers.items():
                calls[number], wanted[number] = (connection, call), select.EPOLLIN
            for number, call in connection.writers.items():
                calls[number], wanted[number] = (connection, call), select.EPOLLOUT
        for number in self._watched.keys() - wanted.keys():
            try:
                self._poll.unregister(number)
            except OSError:
                pass  # it is closed
        for number in wanted.keys() - self._watched.keys():
            self._poll.register(number, wanted[number])
        self._watched = wanted
        return calls

    def _call(self, connection: Connection, call: Callable[[], None] | None) -> None:
        try:
            if call is not None:
                call()
            elif connection.end in self._connections:
                status = connection.finish()
                del self._connections[connection.end]
                connection.close()
                self._ended(connection, status)
        except NotWire:
            if connection.host not in self._failed:
                self._failed[connection.host] = 1
                _tell(connection.host, "skep: it says what no skep says, and is ended")
            connection.readers.clear()
            connection.process.kill()

    def _ended(self, connection: Connection, status: int) -> None:
        host, has_run = connection.host, connection.is_running
        if host in self._failed or (not has_run and self._deadline is not None):
            return  # that has been told, or it was ended before it began
        if not has_run and not status:
            _tell(host, "skep: the login there ran no skep")
            status = 1
        if status == UNREACHABLE and has_run:
            _tell(host, "skep: the connection broke; what it lost is not known")
        hint = "" if has_run else hint_for(connection.said)
        if hint:
            _tell(host, f"  hint: {hint}")
        if status:
            self._failed[host] = status if 0 < status < 127 else 1

    def _judge(self, stop: StopSignals) -> int:
        failed = self._failed
        if not failed:
            return 0
        hosts = self._command.hosts
        if len(hosts) > 1:
            names = ", ".join(host.label for host in hosts if host in failed)
            tell(f"skep: {len(failed)} of {len(hosts)} hosts failed: {names}\n")
        statuses = set(failed.values())
        return statuses.pop() if len(statuses) == 1 else SkepError.exit_status


def _tell(host: Host, line: str) -> None:
    """Tell a line about a host, or from it, on standard error."""
    tell(f"{escape(host.label)}: {escape(line)}\n")
