"""What tcplife prints of connections whose ends and bytes are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from tests.live import connections, support
from tests.live.connections import KINDS, Side
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
