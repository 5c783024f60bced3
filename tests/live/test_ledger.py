"""What is delivered and what the ledger calls lost is all that happened."""

from __future__ import annotations

import os
import re
import tempfile

from tests.live import support, workload
from tests.live.support import Outcome, Paused, Tool


def ring_full(outcome: Outcome) -> int:
    """The events that the tool says it lost as its buffer was full."""
    told = re.findall(rb"(\d+) events lost because the ring buffer", outcome.stderr)
    return int(told[-1]) if told else 0  # the last says how many in all


class Flood(support.LiveTest):
    """A program opens one file at full speed on one CPU."""

    def setUp(self) -> None:
        fd, self.path = tempfile.mkstemp(prefix="skep-flood-")
        os.close(fd)
        self.addCleanup(os.unlink, self.path)

    def flood(self, count: int, *options: str) -> tuple[Outcome, int, int]:
        """Traces `count` opens; returns the outcome, the delivered and the lost."""
        program = workload.program("opens")
        command = [program, "flood", str(count), self.path, "0"]
        child = Paused(lambda: os.execv(program, command))
        # Losses are counted before filters in user space, so the filter is by pid.
        with Tool("opensnoop", "-p", str(child.pid), *options) as tool:
            child.proceed()
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        delivered = outcome.stdout.count(self.path.encode())
        return outcome, delivered, ring_full(outcome)

    def test_delivered_and_lost_are_all(self) -> None:
        count = int(1_000_000 / support.SLOW)
        outcome, delivered, lost = self.flood(count)
        self.assertGreater(delivered, 0)
        self.assert_sum(outcome, delivered + lost, count)

    def test_a_small_buffer_loses_and_says_so(self) -> None:
        count = int(100_000 / support.SLOW)
        outcome, delivered, lost = self.flood(count, "-b", "1")
        self.assertGreater(lost, 0)
        self.assert_sum(outcome, delivered + lost, count)

    def test_json_has_the_same_sum(self) -> None:

        def knock() -> None:
            workload.run("opens", "flood", 1, "/dev/null", 0)

        options = "--json", "-b", "1", "-n", "opens"
        with Tool("opensnoop", *options, knock=knock) as tool:
            workload.run("opens", "flood", int(100_000 / support.SLOW), self.path, 0)
            outcome = tool.stop()
        self.assertEqual(outcome.ledger().get("ring_full"), ring_full(outcome))
