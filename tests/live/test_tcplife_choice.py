"""tcplife: whose connections they are, and which ones are chosen."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Callable

from tests.live import connections, support
from tests.live.connections import Pair, Side
from tests.live.support import Outcome, Tool
from tests.live.tcplife_rows import (
    DOWN,
    UP,
    TcplifeTest,
    comm,
    csv,
    every_kind,
    side_in,
)


def rename(name: str) -> None:
    """Gives this thread a name; since 3.14 Python itself gives it one."""
    with open("/proc/thread-self/comm", "w") as file:
        file.write(name)


def call(address: tuple[str, int], how: str) -> None:
    """The connecting side: sends UP bytes; `how` says who ends the connection."""
    rename("calling")
    end = socket.create_connection(address)
    end.sendall(bytes(UP))
    if how != "client":
        end.recv(1)  # the end, or the byte that tells that all has been read
    if how == "reset":
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, connections.RESET)
    end.close()


def serve(listener: socket.socket, how: str) -> None:
    """The accepting side."""
    rename("serving")
    end = listener.accept()[0]
    left = UP
    while left:
        left -= len(end.recv(left))
    if how == "reset":
        end.sendall(b"x")
    if how != "server":
        with suppress(ConnectionResetError):
            end.recv(1)
    end.close()


@support.only_on("5.10", "7.2")
class Identity(TcplifeTest):
    """Client and server in processes of their own."""

    def converse(
        self, *options: str, how: str = "client"
    ) -> tuple[list[dict[str, Any]], int]:
        """One connection from a child to this process: the events, the child's pid.

        In options "{child}" and "{me}" stand for the process ids.
        """
        with connections.listen() as listener:
            address = listener.getsockname()
            child = support.Paused(lambda: call(address, how))
            pids = {"child": child.pid, "me": os.getpid()}
            arguments = [option.format(**pids) for option in options]
            with Tool("tcplife", "-s", *arguments) as tool:
                thread = threading.Thread(target=serve, args=(listener, how))
                thread.start()
                child.proceed()
                thread.join()
                outcome = tool.stop()
        rows = [line.split(",") for line in outcome.lines()[1:]]
        port = str(address[1])
        events = [
            {"pid": int(row[0]), "comm": row[1], "server": row[4] == port}
            for row in rows
            if port in (row[4], row[6])
        ]
        return sorted(events, key=lambda event: bool(event["server"])), child.pid

    def whose(
        self, outcome: Outcome, made: list[Side]
    ) -> dict[tuple[int, int], tuple[int, str]]:
        """Process and name in the rows of these sides, by their ports."""
        events = self.shown(outcome, made)
        return {(e["lport"], e["rport"]): (e["pid"], e["comm"]) for e in events}

    def test_either_side_is_known_however_the_connection_ends(self) -> None:
        for how in ("client", "server"):
            events, child = self.converse(how=how)
            expected = [
                {"pid": child, "comm": "calling", "server": False},
                {"pid": os.getpid(), "comm": "serving", "server": True},
            ]
            self.assertEqual(events, expected)

    def test_who_closes_last_after_the_other_end(self) -> None:
        """A child that inherits a socket takes the place of the one that connected."""
        pid = 0

        def run() -> list[Side]:
            nonlocal pid
            pair = connections.connect()
            sides = pair.sides()

            def inherit() -> None:
                rename("heir")
                pair.client.recv(1)
                pair.client.close()

            child = support.Paused(inherit)
            pid = child.pid
            # The child has both sockets, so it takes more than close(2) here.
            pair.server.shutdown(socket.SHUT_WR)
            pair.client.close()
            child.proceed()
            pair.server.close()
            return sides

        made, outcome = self.trace(run=run)
        whose = self.whose(outcome, made)
        self.assertEqual(whose[made[0].ports], (pid, "heir"))
        self.assertEqual(whose[made[1].ports], (os.getpid(), comm()))

    def test_what_no_task_has_touched_is_nobodys(self) -> None:
        """A RST that the accepted side gets while its task does something else."""

        def run() -> list[Side]:
            return connections.connect().reset()

        made, outcome = self.trace(run=run)
        whose = self.whose(outcome, made)
        client, server = made
        self.assertEqual(whose[client.ports], (os.getpid(), comm()))
        self.assertEqual(whose[server.ports], (0, "?"))

    def test_by_process(self) -> None:
        for how in ("client", "server"):
            events, child = self.converse("-p", "{child}", how=how)
            expected = {"pid": child, "comm": "calling", "server": False}
            self.assertEqual(events, [expected])
            events, child = self.converse("-p", "{me}", how=how)
            expected = {"pid": os.getpid(), "comm": "serving", "server": True}
            self.assertEqual(events, [expected])

    def test_by_name(self) -> None:
        events, child = self.converse("--comm", "calling", how="reset")
        expected = {"pid": child, "comm": "calling", "server": False}
        self.assertEqual(events, [expected])

    def test_user_and_cgroup(self) -> None:
        options = ("--print-uid", "--container")
        made, outcome = self.trace(*options, run=lambda: connections.connect().close())
        with open("/proc/self/cgroup") as file:
            lines = [line.split(":", 2) for line in file.read().splitlines()]
        mine = next((path for number, _, path in lines if number == "0"), None)
        for event in self.shown(outcome, made):
            self.assertEqual(event["uid"], os.getuid())
            if mine is not None:
                self.assertIn(event["cgroup_path"], (mine, None))
                self.assertGreater(event["cgroup"], 0)


@support.only_on("6.1")
class Filters(TcplifeTest):
    def filtered(self, *options: str, run: Callable[[], list[Side]]) -> list[Side]:
        """The sides that are shown with these options, of those that a run makes."""
        with Tool("tcplife", "-s", *options) as tool:
            made = run()
            outcome = tool.stop()
        self.assert_clean(outcome)
        rows = self.text_rows(outcome, made, ",")
        by_row = {csv(side, os.getpid(), comm()): side for side in made}
        return [by_row[row] for row in rows]

    def test_families(self) -> None:
        for option, ip in (("-4", 4), ("--ipv4", 4), ("-6", 6), ("--ipv6", 6)):
            made: list[Side] = []

            def run(made: list[Side] = made) -> list[Side]:
                made += every_kind(3)
                return made

            shown = self.filtered(option, run=run)
            expected = [side for side in made if side.ip == ip]
            self.assertEqual(Counter(shown), Counter(expected))

    def test_ports(self) -> None:
        listeners = [connections.listen() for _ in range(5)]
        ports = [listener.getsockname()[1] for listener in listeners]

        def run() -> list[Side]:
            sides: list[Side] = []
            for listener in listeners:
                client = socket.create_connection(listener.getsockname())
                pair = Pair(client, listener.accept()[0])
                sides += pair.exchange(UP, DOWN).close()
            return sides

        def local(side: Side) -> int:
            return side.lport

        def remote(side: Side) -> int:
            return side.rport

        cases: list[tuple[str, Callable[[Side], int]]] = [
            *(("-L", local), ("--localport", local)),
            *(("-D", remote), ("--remoteport", remote)),
        ]
        for option, port_of in cases:
            for chosen in ([ports[1]], ports[1:4], [*ports[3:], 1, 65535]):
                text = ",".join(map(str, chosen))
                shown = self.filtered(option, text, run=run)
                self.assertEqual(
                    sorted(map(port_of, shown)),
                    sorted(set(ports) & set(chosen)),
                    (option, text),
                )
        neither = self.filtered("-L", str(ports[0]), "-D", str(ports[1]), run=run)
        self.assertEqual(neither, [])
        for listener in listeners:
            listener.close()

    def test_the_port_of_a_client(self) -> None:
        """It is chosen late, and given back before the socket is closed."""
        with connections.listen() as listener:
            [port] = connections.free_ports(1)

            def run() -> list[Side]:
                client = connections.connect_from(port, listener).close()[0]
                return [client, *connections.connect().close()]

            shown = self.filtered("-L", str(port), run=run)
        self.assertEqual([side.lport for side in shown], [port])

    def test_refused_by_port(self) -> None:
        [port] = connections.free_ports(1)

        def run() -> list[Side]:
            mine = [connections.refused(port=port) for _ in range(3)]
            return [*mine, connections.refused()]

        shown = self.filtered("-D", str(port), run=run)
        self.assertEqual([side.rport for side in shown], [port] * 3)

    def test_usage(self) -> None:
        message = self.assert_usage_error("tcplife", "-4", "-6")
        self.assertIn("-4 and -6 exclude each other", message)
        message = self.assert_usage_error("tcplife", "-s", "--json")
        self.assertIn("-s and --format json exclude each other", message)
        message = self.assert_usage_error("tcplife", "-L", "80,http")
        self.assertIn("-L/--localport: not a port: 'http'", message)
        message = self.assert_usage_error("tcplife", "-D", "65536")
        self.assertIn("-D/--remoteport: 65536 is not between 0 and 65535", message)
        message = self.assert_usage_error("tcplife", "-D", "")
        self.assertIn("-D/--remoteport: not a port: ''", message)


class Namespaces(TcplifeTest):
    def test_a_network_of_its_own(self) -> None:
        """Connections in a namespace are seen, with the addresses that they have."""
        reader, writer = os.pipe()

        def inside() -> None:
            report: list[Any]
            try:
                connections.enter_new_namespace()
                report = list(every_kind())
            except BaseException as error:
                report = [str(error)]
            os.write(writer, json.dumps(report).encode())

        child = support.Paused(inside)

        def run() -> list[Side]:
            child.proceed()
            os.close(writer)
            with open(reader) as file:
                report = json.load(file)
            if isinstance(report[0], str):
                self.fail(f"no network namespace: {report[0]}")
            return [Side(*fields) for fields in report]

        made, outcome = self.trace(run=run)
        mine = [e for e in self.shown(outcome, made) if e["pid"] == child.pid]
        self.assert_sides(outcome, map(side_in, mine), made)

    def test_a_port_that_is_chosen_late(self) -> None:
        """A socket that is not bound has no port yet when it begins to connect."""
        ports = range(40_000, 40_007)

        def inside() -> None:
            connections.enter_new_namespace()
            with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
                file.write(f"{ports[0]} {ports[-1]}")
            for _ in ports:
                with socket.socket() as client:
                    client.connect_ex(("127.0.0.1", 1))

        child = support.Paused(inside)
        chosen = ",".join(map(str, ports))
        with Tool("tcplife", "-s", "-L", chosen, "-p", str(child.pid)) as tool:
            child.proceed()
            outcome = tool.stop()
        rows = [line.split(",")[:-1] for line in outcome.lines()[1:]]
        expected = [str(child.pid), comm(), "4", "127.0.0.1", "127.0.0.1", "1"]
        shown = [row[:4] + row[5:7] for row in rows]
        self.assert_rows(outcome, map(repr, shown), [repr(expected)] * len(ports))


class Losses(support.LiveTest):
    def test_a_full_map_is_told(self) -> None:
        """With room for 7 sockets, 11 connections at a time are too many."""
        sys.path.insert(0, str(support.TREE / "src"))
        self.addCleanup(sys.path.pop, 0)
        from skep.tools import tcplife

        room = tcplife.lives.size
        tcplife.lives.size = 7
        try:
            with tcplife.start() as rows:  # type: ignore[attr-defined]
                pairs = [connections.connect() for _ in range(11)]
                sides = [side for pair in pairs for side in pair.close()]
                ports = {side.ports for side in sides}
                time.sleep(0.1)
                shown = [r for r in rows.read() if (r.lport, r.rport) in ports]
                losses = rows.losses()
        finally:
            tcplife.lives.size = room
        self.assertLessEqual(len(shown), 7)
        self.assertGreaterEqual(losses["map full"] + len(shown), len(sides))
