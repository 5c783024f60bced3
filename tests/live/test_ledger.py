"""What is delivered and what the ledger calls lost is all that happened."""

from __future__ import annotations

import os
import tempfile

from tests.live import support, workload
from tests.live.support import Outcome, Tool


def knock() -> None:
    """One open by a program called opens, of a path that no test counts."""
    workload.run("opens", "flood", 1, "/dev/null", 0)


class Flood(support.LiveTest):
    """A program opens one file at full speed on one CPU."""

    def setUp(self) -> None:
        fd, self.path = tempfile.mkstemp(prefix="skep-flood-")
        os.close(fd)
        self.addCleanup(os.unlink, self.path)

    def flood(self, count: int, *options: str) -> Outcome:
        """Traces `count` opens as JSON."""
        with Tool("opensnoop", "--json", "-n", "opens", *options, knock=knock) as tool:
            workload.run("opens", "flood", count, self.path, 0)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0)
        return outcome

    def test_delivered_and_lost_are_all(self) -> None:
        count = int(1_000_000 / support.SLOW)
        outcome = self.flood(count)
        delivered = outcome.stdout.count(self.path.encode())
        self.assertGreater(delivered, 0)
        self.assertEqual(delivered + outcome.lost(), count)

    def test_a_small_buffer_loses_and_says_so(self) -> None:
        count = int(100_000 / support.SLOW)
        outcome = self.flood(count, "-b", "1")
        lost = outcome.ledger()["ring_full"]
        self.assertGreater(lost, 0)
        self.assertEqual(outcome.stdout.count(self.path.encode()) + lost, count)
        self.assertIn(str(lost), outcome.stderr.decode())
