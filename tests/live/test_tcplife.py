"""tcplife shows every connection's two ends, once, with their bytes."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Callable

from tests.live import connections, support
from tests.live.connections import KINDS, Pair, Side
from tests.live.support import Tool
from tests.live.tcplife_rows import (
    CSV,
    DOWN,
    HEADER,
    MS,
    UP,
    WIDE,
    TcplifeTest,
    comm,
    csv,
    ends,
    every_kind,
    narrow,
    wide,
)


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

    @support.only_on("6.1")
    def test_csv(self) -> None:
        self.assert_text("-s", header=CSV, row=csv, separator=",")
        self.assert_text("--format", "csv", header=CSV, row=csv, separator=",")

    def test_json_has_the_exact_bytes(self) -> None:
        outcome = self.assert_traced(run=every_kind)
        for event in outcome.objects("event"):
            self.assertEqual(event["schema"], "tcplife.connection/1")

    @support.only_on("5.10", "7.2")
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

    def test_lifetime_leaves_out_a_slow_handshake(self) -> None:
        """A SYN that finds no room at the listener is sent again after a second."""
        began = ended = 0.0

        def run() -> list[Side]:
            nonlocal began, ended
            with connections.listen() as listener:
                listener.listen(0)
                first = socket.create_connection(listener.getsockname())
                began = time.monotonic()
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
                sides = Pair(first, listener.accept()[0]).close()
                client.setblocking(True)
                self.assertTrue(select.select([], [client], [], 60)[1])
                sides += Pair(client, listener.accept()[0]).exchange(UP, DOWN).close()
                ended = time.monotonic()
            return sides

        made, outcome = self.trace(run=run)
        self.assert_shown(outcome, made)
        self.assertGreater(ended - began, 1)
        for event in self.shown(outcome, made[2:]):
            self.assertLess(event["lifetime_ns"], (ended - began - 0.9) * 1e9)

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

    def test_reset_of_a_half_closed_connection(self) -> None:
        """The end that resets got a FIN and sent none."""

        def run() -> list[Side]:
            sides: list[Side] = []
            for by_server in (False, True):
                pair = connections.connect().exchange(UP, 0)
                pair.client.shutdown(socket.SHUT_WR)
                self.assertEqual(pair.server.recv(1), b"")
                sides += pair.exchange(0, DOWN).reset(by_server)
            return sides

        self.assert_traced(run=run)

    def test_a_fin_that_is_never_acknowledged(self) -> None:
        """It waits behind data that the other end has no room for until it resets."""
        acknowledged = 0

        def run() -> list[Side]:
            nonlocal acknowledged
            pair = connections.connect()
            sides = pair.sides()
            sent = 0
            pair.client.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    sent += pair.client.send(bytes(1 << 16))
            waiting = connections.wait_for_acknowledgements(pair.client)
            self.assertGreater(waiting, 0)
            acknowledged = sent - waiting
            pair.client.close()
            pair.server.close()
            return sides

        made, outcome = self.trace(run=run)
        events = self.shown(outcome, made)
        if not outcome.left_out():
            client, server = sorted(events, key=lambda e: -int(e["tx_bytes"]))
            self.assertEqual(client["tx_bytes"], acknowledged)
            self.assertEqual(server["rx_bytes"], acknowledged)
            self.assertEqual((client["rx_bytes"], server["tx_bytes"]), (0, 0))

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
