"""A kernel that is locked down: tools work, or say in a sentence that they do not."""

from __future__ import annotations

import tempfile

import pytest

from tests.guests import guest, kernels, live_run, locked_down, workloads

_KERNEL = "6.12"


def test_locked_down(versions: tuple[str, ...]) -> None:
    """One short guest for all levels."""
    if _KERNEL not in versions:
        pytest.skip(f"of guests, runs on {_KERNEL}")
    kernel = kernels.ALL[_KERNEL]
    with tempfile.TemporaryFile() as output:
        outcome = guest.run(
            kernel,
            ("python3", "-m", "unittest", "-v", locked_down.__name__),
            stdout=output,
            files=(workloads.build(kernel.architecture),),
            environment=live_run.settings(kernel),
            timeout=600,
        )
        output.seek(0)
        printed = output.read().decode(errors="replace")
    assert outcome.status is not None, outcome.failure()
    assert outcome.status == 0, printed
