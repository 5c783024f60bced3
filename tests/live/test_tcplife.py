"""tcplife shows every connection's two ends, once, with their bytes."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from tests.live import connections, support
from tests.live.connections import KINDS, Pair, Side
from tests.live.support import Outcome, Tool

CONNECTIONS = 7
"""A prime number of connections of each kind."""

UP, DOWN = 8191, 104_729
"""Primes; 8191 is one less than 8 KB, which a counted SYN or FIN would show as 8."""

HEADER = "PID   COMM       LADDR           LPORT RADDR           RPORT TX_KB RX_KB MS"
WIDE = (
    "PID   COMM             IP LADDR                                   LPORT "
    "RADDR                                   RPORT  TX_KB  RX_KB MS"
)
CSV = "PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS"
MS = r"\d+\.\d\d"


def comm() -> str:
    """The name of this thread."""
    with open("/proc/thread-self/comm") as file:
        return file.read().rstrip("\n")


def narrow(side: Side, pid: int, name: str) -> str:
    """The row of one side up to MS."""
    return (
        f"{pid:<5d} {name:<10.10s} {side.laddr:<15s} {side.lport:<5d} "
        f"{side.raddr:<15s} {side.rport:<5d} "
        f"{side.sent // 1024:>5d} {side.received // 1024:>5d} "
    )


def wide(side: Side, pid: int, name: str) -> str:
    """The row of one side with -w up to MS."""
    return (
        f"{pid:<5d} {name:<16s} {side.ip:<2d} {side.laddr:<39s} {side.lport:<5d} "
        f"{side.raddr:<39s} {side.rport:<5d} "
        f"{side.sent // 1024:>6d} {side.received // 1024:>6d} "
    )


def csv(side: Side, pid: int, name: str) -> str:
    """The row of one side with -s up to MS."""
    fields = (
        *(pid, name, side.ip, side.laddr, side.lport, side.raddr, side.rport),
        *(side.sent // 1024, side.received // 1024),
    )
    return ",".join(map(str, fields)) + ","


def side_in(event: dict[str, Any]) -> Side:
    """The side that a JSON line is about."""
    keys = ("ip", "laddr", "lport", "raddr", "rport", "tx_bytes", "rx_bytes")
    return Side(*(event[key] for key in keys))


def ends(text: str, separator: str = " ") -> tuple[int, int]:
    """The ports in a row of text: those before and after the second address."""
    fields = [field for field in text.split(separator) if field]
    at = next(i for i, f in enumerate(fields) if i > 1 and re.search(r"[.:]", f))
    return int(fields[at + 1]), int(fields[at + 3])


def every_kind(count: int = CONNECTIONS) -> list[Side]:
    """Makes connections of every kind, with known bytes; returns their sides."""
    sides: list[Side] = []
    for number, kind in enumerate(KINDS.values()):
        for turn in range(count):
            pair = connections.connect(kind).exchange(UP + turn, DOWN + number)
            sides += pair.close(server_first=bool(turn % 2))
    return sides


class TcplifeTest(support.LiveTest):
    """Traces this process, or other processes, while they make connections."""

    def trace(
        self, *options: str, run: Callable[[], list[Side]]
    ) -> tuple[list[Side], Outcome]:
        """Traces a run with JSON as output; returns what it did and the outcome."""
        knock = connections.refused
        with Tool("tcplife", "--json", *options, knock=knock) as tool:
            made = run()
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.ledger().get("failed_read", 0), 0)
        return made, outcome

    def shown(self, outcome: Outcome, made: Iterable[Side]) -> list[dict[str, Any]]:
        """The events about these sides, told by their ports."""
        ports = {side.ports for side in made}
        events = outcome.objects("event")
        return [e for e in events if (e["lport"], e["rport"]) in ports]

    def assert_shown(self, outcome: Outcome, made: Sequence[Side]) -> None:
        """The rows are these sides and no others with the same ports."""
        events = self.shown(outcome, made)
        self.assert_sides(outcome, map(side_in, events), made)

    def assert_sides(
        self, outcome: Outcome, shown: Iterable[Side], made: Iterable[Side]
    ) -> None:
        """`assert_rows` for sides."""
        self.assert_rows(outcome, map(repr, shown), map(repr, made))

    def assert_traced(self, *options: str, run: Callable[[], list[Side]]) -> Outcome:
        """All sides that a run makes are shown."""
        made, outcome = self.trace(*options, run=run)
        self.assert_shown(outcome, made)
        return outcome

    def text_rows(
        self, outcome: Outcome, made: Iterable[Side], separator: str = " "
    ) -> list[str]:
        """The lines about these sides, without MS, which must look like a duration."""
        ports = {side.ports for side in made}
        lines = [line for line in outcome.lines()[1:] if ends(line, separator) in ports]
        rows = []
        for line in lines:
            row, ms = line[: line.rindex(separator) + 1], line.split(separator)[-1]
            self.assertRegex(ms, f"^{MS}$")
            rows.append(row)
        return rows


class Rows(TcplifeTest):
    def assert_text(
        self,
        *options: str,
        header: str,
        row: Callable[[Side, int, str], str],
        separator: str = " ",
    ) -> None:
        """The header and the rows of every kind of connection, as text."""
        with Tool("tcplife", *options) as tool:
            made = every_kind()
            outcome = tool.stop()
        self.assertEqual(outcome.lines()[0], header)
        expected = [row(side, os.getpid(), comm()) for side in made]
        rows = self.text_rows(outcome, made, separator)
        self.assert_rows(outcome, rows, expected)

    def test_header_and_rows_as_bcc_prints_them(self) -> None:
        self.assert_text(header=HEADER, row=narrow)

    def test_wide(self) -> None:
        self.assert_text("-w", header=WIDE, row=wide)

    def test_csv(self) -> None:
        self.assert_text("-s", header=CSV, row=csv, separator=",")
        self.assert_text("--format", "csv", header=CSV, row=csv, separator=",")

    def test_json_has_the_exact_bytes(self) -> None:
        outcome = self.assert_traced(run=every_kind)
        for event in outcome.objects("event"):
            self.assertEqual(event["schema"], "tcplife.connection/1")

    def test_times(self) -> None:
        with Tool("tcplife", "-Tt") as tool:
            began = time.time()
            made = [*connections.connect().close(), *connections.connect().close()]
            ended = time.time()
            outcome = tool.stop()
        self.assertEqual(outcome.lines()[0], f"TIME     TIME(s)   {HEADER}")
        possible = {
            time.strftime("%H:%M:%S", time.localtime(second))
            for second in range(int(began), int(ended) + 1)
        }
        ports = {side.ports for side in made}
        pattern = rf"(\d\d:\d\d:\d\d) (\d+\.\d{{6}} +)(\d+ .* {MS})"
        found = support.matches(pattern, outcome.lines()[1:])
        rows = [match for match in found if ends(match[3]) in ports]
        self.assert_counted(outcome, len(rows), len(made))
        self.assertLessEqual({match[1] for match in rows}, possible)
        self.assertTrue(all(len(match[2]) == 10 for match in rows))
        seconds = [float(match[2]) for match in rows]
        self.assertLessEqual(seconds[-1] - seconds[0], ended - began)
        first = outcome.lines()[1].split()[1]
        self.assertEqual(first, "0.000000")

    def test_csv_with_times(self) -> None:
        with Tool("tcplife", "-sTt") as tool:
            made = connections.connect().close()
            outcome = tool.stop()
        self.assertEqual(outcome.lines()[0], f"TIME,TIME(s),{CSV}")
        ports = {side.ports for side in made}
        pattern = rf"\d\d:\d\d:\d\d,\d+\.\d{{6}},(.*,{MS})"
        found = support.matches(pattern, outcome.lines())
        rows = [match for match in found if ends(match[1], ",") in ports]
        self.assert_counted(outcome, len(rows), 2)

    def test_lifetime_begins_when_the_connection_is_established(self) -> None:
        pause = 0.211

        def run() -> list[Side]:
            pair = connections.connect()
            time.sleep(pause)
            return pair.close()

        began = time.monotonic()
        made, outcome = self.trace(run=run)
        took = time.monotonic() - began
        for event in self.shown(outcome, made):
            self.assertGreaterEqual(event["lifetime_ns"], pause * 1e9)
            self.assertLess(event["lifetime_ns"], took * 1e9)

    def test_many_at_once(self) -> None:
        made: list[Side] = []
        lock = threading.Lock()

        def run() -> None:
            mine = every_kind(13)
            with lock:
                made.extend(mine)

        with Tool("tcplife", "-s") as tool:
            threads = [threading.Thread(target=run) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            outcome = tool.stop()
        rows = [row.split(",", 2)[2] for row in self.text_rows(outcome, made, ",")]
        expected = [csv(side, 0, "").split(",", 2)[2] for side in made]
        self.assertEqual(len(expected), 2 * 5 * 13 * len(KINDS))
        self.assert_rows(outcome, rows, expected)


class Ends(TcplifeTest):
    def test_refused(self) -> None:
        def run() -> list[Side]:
            return [connections.refused(KINDS[k]) for k in ("IPv4", "IPv6") * 3]

        made, outcome = self.trace(run=run)
        self.assert_shown(outcome, made)
        for event in self.shown(outcome, made):
            self.assertEqual((event["pid"], event["comm"]), (os.getpid(), comm()))

    def test_one_socket_that_tries_again(self) -> None:
        def run() -> list[Side]:
            listener = connections.listen()
            local, other = connections.free_ports(2)
            client = socket.socket()
            client.bind(("127.0.0.1", local))
            self.assertEqual(client.connect_ex(("127.0.0.1", other)), 111)
            self.assertEqual(client.connect_ex(("127.0.0.1", other)), 111)
            failed = Side(4, "127.0.0.1", local, "127.0.0.1", other)
            client.connect(listener.getsockname())
            pair = Pair(client, listener.accept()[0]).exchange(UP, DOWN)
            listener.close()
            return [failed, failed, *pair.close()]

        self.assert_traced(run=run)

    def test_reset(self) -> None:
        def run() -> list[Side]:
            sides: list[Side] = []
            for kind in KINDS.values():
                for by_server in (False, True):
                    pair = connections.connect(kind).exchange(UP, DOWN)
                    sides += pair.reset(by_server)
            return sides

        self.assert_traced(run=run)

    def test_data_that_is_never_read(self) -> None:
        """Closing with unread data sends a RST; the data was acknowledged, though."""

        def run() -> list[Side]:
            pair = connections.connect()
            pair.client.sendall(bytes(UP))
            self.assertTrue(select.select([pair.server], [], [], 60)[0])
            while len(pair.server.recv(UP, socket.MSG_PEEK)) < UP:
                time.sleep(0.01)
            pair.up = UP
            sides = pair.sides()
            pair.server.close()
            pair.client.close()
            return sides

        self.assert_traced(run=run)

    def test_half_closed(self) -> None:
        """Data that comes after the FIN of the receiver counts."""

        def run() -> list[Side]:
            pair = connections.connect().exchange(UP, 0)
            pair.client.shutdown(socket.SHUT_WR)
            self.assertEqual(pair.server.recv(1), b"")
            return pair.exchange(0, DOWN).close(server_first=True)

        self.assert_traced(run=run)

    def test_closed_listener(self) -> None:
        [port] = connections.free_ports(1)

        def run() -> list[Side]:
            for address in ("127.0.0.1", "::1", "::"):
                connections.listen(address, port).close()
            return connections.connect().close()

        outcome = self.assert_traced(run=run)
        self.assertNotIn(port, [e["lport"] for e in outcome.objects("event")])

    def test_never_accepted(self) -> None:
        """A listener that closes resets what waits at it."""

        def run() -> list[Side]:
            listener = connections.listen()
            client = socket.create_connection(listener.getsockname())
            client.sendall(bytes(UP))
            mine = connections.side_of(client, UP)
            other = Side(4, mine.raddr, mine.rport, mine.laddr, mine.lport, 0, UP)
            listener.close()
            client.close()
            return [mine, other]

        self.assert_traced(run=run)

    def test_inherited(self) -> None:
        """The last process that closes a socket ends the connection."""

        def run() -> list[Side]:
            pair = connections.connect().exchange(UP, DOWN)
            sides: list[Side] = []
            # The child ends after this process has closed its sockets and opened more.
            child = support.Paused(lambda: pair.exchange(UP, DOWN).close())
            for end in (pair.client, pair.server):
                sides.append(connections.side_of(end))
                end.close()
            sides = [
                sides[0]._replace(sent=2 * UP, received=2 * DOWN),
                sides[1]._replace(sent=2 * DOWN, received=2 * UP),
            ]
            others = connections.connect().exchange(UP, DOWN).close()
            child.proceed()
            return [*sides, *others]

        self.assert_traced(run=run)

    def test_the_same_ports_again(self) -> None:
        """A connection takes the place of one that waits in TIME_WAIT."""

        def run() -> list[Side]:
            sides: list[Side] = []
            with connections.listen() as listener:
                [port] = connections.free_ports(1)
                for turn in range(3):
                    pair = connections.connect_from(port, listener)
                    pair.exchange(UP + turn, DOWN - turn)
                    sides += pair.close(server_first=True)
            return sides

        made, outcome = self.trace(run=run)
        self.assertEqual(len({side.ports for side in made}), 2)
        self.assert_shown(outcome, made)

    def test_born_before_the_tool(self) -> None:
        old = connections.connect().exchange(UP, DOWN)
        sides = old.sides()

        def run() -> list[Side]:
            old.exchange(UP, DOWN).close()
            return connections.connect().close()

        outcome = self.assert_traced(run=run)
        self.assertEqual(self.shown(outcome, sides), [])


class Identity(TcplifeTest):
    """Client and server in processes of their own."""

    def converse(
        self, *options: str, server_first: bool = False, reset: bool = False
    ) -> tuple[list[dict[str, Any]], int]:
        """One connection from a child to this process: the events, the child's pid."""
        with connections.listen() as listener:
            address = listener.getsockname()

            def client() -> None:
                with open("/proc/self/comm", "w") as name:
                    name.write("calling")
                end = socket.create_connection(address)
                end.sendall(bytes(UP))
                if reset:
                    end.recv(1)
                    end.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, connections.RESET
                    )
                elif server_first:
                    self.assertEqual(end.recv(1), b"")
                end.close()

            def server() -> None:
                end = listener.accept()[0]
                left = UP
                while left:
                    left -= len(end.recv(left))
                if reset:
                    end.sendall(b"x")
                if not server_first:
                    try:
                        end.recv(1)
                    except ConnectionResetError:
                        self.assertTrue(reset)
                end.close()

            child = support.Paused(client)
            arguments = [
                option.format(child=child.pid, me=os.getpid()) for option in options
            ]
            with Tool("tcplife", "-s", *arguments) as tool:
                thread = threading.Thread(target=server)
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
        return events, child.pid

    def test_either_side_is_known_however_the_connection_ends(self) -> None:
        for server_first in (False, True):
            events, child = self.converse(server_first=server_first)
            expected = [
                {"pid": child, "comm": "calling", "server": False},
                {"pid": os.getpid(), "comm": comm(), "server": True},
            ]
            self.assertEqual(sorted(events, key=lambda e: e["server"]), expected)

    def test_what_no_task_has_touched_is_nobodys(self) -> None:
        """A RST that the accepted side gets while its task does something else."""

        def run() -> list[Side]:
            return connections.connect().reset()

        made, outcome = self.trace(run=run)
        whose = {
            side_in(e).ports: (e["pid"], e["comm"]) for e in self.shown(outcome, made)
        }
        client, server = made
        self.assertEqual(whose[client.ports], (os.getpid(), comm()))
        self.assertEqual(whose[server.ports], (0, "?"))

    def test_by_process(self) -> None:
        for server_first in (False, True):
            events, child = self.converse("-p", "{child}", server_first=server_first)
            expected = {"pid": child, "comm": "calling", "server": False}
            self.assertEqual(events, [expected])
            events, child = self.converse("-p", "{me}", server_first=server_first)
            expected = {"pid": os.getpid(), "comm": comm(), "server": True}
            self.assertEqual(events, [expected])

    def test_by_name(self) -> None:
        events, child = self.converse("--comm", "calling", reset=True)
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
