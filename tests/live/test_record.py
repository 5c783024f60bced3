"""A replay shows what the run showed."""

from __future__ import annotations

import os
import tempfile

from tests.live import support
from tests.live.support import Tool


class RecordTest(support.LiveTest):
    """Recordings in a directory of their own."""

    @support.only_on("6.12")
    def test_rows_are_those_of_the_run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="skep-record-") as directory:
            path = os.path.join(directory, "file")
            words = ["-T", "-U", "--record", path, "--exec", "cat", "/nope"]
            with Tool("opensnoop", *words) as tool:
                live = tool.wait()
            self.assertIn("/nope", "".join(live.lines()))
            with Tool("replay", path) as tool:
                again = tool.wait()
            self.assert_clean(again)
            self.assertEqual(live.lines(), again.lines())
            with Tool("replay", path, "--json") as tool:
                events = tool.wait().objects("event")
            self.assertEqual(len(live.lines()) - 1, len(events))

    @support.only_on("6.12")
    def test_what_skep_opens_for_its_output_is_no_row(self) -> None:
        with tempfile.TemporaryDirectory(prefix="skep-record-") as directory:
            path = os.path.join(directory, "file")
            words = ["--json", "--record", path, "--exec", "cat", "/nope"]
            with Tool("opensnoop", *words) as tool:
                events = tool.wait().objects("event")
                self.assertNotIn(tool.process.pid, [event["pid"] for event in events])
            self.assertIn("/nope", [event["path"] for event in events])
