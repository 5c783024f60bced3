"""Settings of hypothesis for the unit tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says more of the machine's load than of the code.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def processes_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run in containers, too, where no process is named."""
    monkeypatch.setattr("skep.symbols.processes.are_others", lambda: False)
