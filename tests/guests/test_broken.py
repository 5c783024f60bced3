"""A guest that does not boot, or hangs, fails all of its tests and shows why."""

from __future__ import annotations

import pytest

from tests.guests import guest, kernels
from tests.guests.live_run import LiveRun
from tests.guests.results import Results
from tests.guests.test_guests import LiveTests


def failure_of(outcome: guest.Outcome) -> str:
    """What is told of the first live test of a guest that ended like this."""
    tests = LiveTests(LiveRun(Results(outcome.report), outcome.failure()))
    with pytest.raises(pytest.fail.Exception) as failed:
        tests.check("tests.live.test_rig.Machine.test_kernel_has_btf")
    with pytest.raises(pytest.fail.Exception, match="as told above"):
        tests.check_doctor("opensnoop")
    return str(failed.value)


def test_no_first_process(versions: tuple[str, ...]) -> None:
    """The kernel panics."""
    kernel = kernels.ALL[versions[0]]
    outcome = guest.run(kernel, ("true",), boot_options="rdinit=/none root=/dev/none")
    assert outcome.status is None
    assert not outcome.timed_out
    assert "the guest died after" in failure_of(outcome)
    assert "Kernel panic - not syncing" in failure_of(outcome)


def test_hangs(versions: tuple[str, ...]) -> None:
    """The time is over before the command ends."""
    kernel = kernels.ALL[versions[0]]
    outcome = guest.run(kernel, ("sleep", "1000"), timeout=5)
    assert outcome.status is None
    assert outcome.timed_out
    assert "the guest was stopped after 5 s" in failure_of(outcome)
