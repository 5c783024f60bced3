"""The order of things in a run."""

from __future__ import annotations

from unittest import mock

from skep.toolkit.run import Run


def test_programs_are_known_by_the_time_at_which_they_are_counted() -> None:
    steps = mock.Mock()
    run = Run.__new__(Run)
    run._reader, run.watch, run.recording = steps.reader, steps.watch, None
    assert run.snapshot() is steps.reader.read()
    # A program may start between the two: the other way round it had no names.
    assert steps.mock_calls[:2] == [mock.call.reader.read(), mock.call.watch.update()]
