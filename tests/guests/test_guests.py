"""Reports the live tests of each guest as tests of this run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.guests import guest, inside, kernels, workloads

_SECONDS_PER_GUEST = 1500


@dataclass(frozen=True)
class LiveTests:
    """The results of the live tests on one kernel."""

    results: Mapping[str, dict[str, Any]]  # by the name of the test
    failure: str  # why the run did not come to its end, or empty

    def check(self, name: str) -> None:
        """Ends the calling test as the live test of this name has ended."""
        result = self.results.get(name) or self._setup_of(name)
        if result is None:
            pytest.fail(f"has not run: {self.failure}", pytrace=False)
        if result["outcome"] == "started":
            pytest.fail(f"has not ended: {self.failure}", pytrace=False)
        if result["outcome"] == "skipped":
            pytest.skip(result["detail"])
        if result["outcome"] == "failed":
            pytest.fail(result["detail"], pytrace=False)

    def _setup_of(self, name: str) -> dict[str, Any] | None:
        """Returns the result of the class or module setup that kept a test out."""
        for setup, result in self.results.items():
            kind, _, scope = setup.partition(" ")
            scope = scope.strip("()")
            if kind.startswith("setUp") and name.startswith(f"{scope}."):
                return result
        return None


def _run_live_tests(version: str) -> LiveTests:
    programs = workloads.build()
    with tempfile.TemporaryFile() as output:
        outcome = guest.run(
            kernels.by_version(version),
            ("python3", inside.__file__, "/dev/ttyS2"),
            stdout=output,
            files=(programs,),
            environment={
                "SKEP_KERNEL": version,
                "SKEP_SCRATCH": "/dev/vda",
                "SKEP_SLOW": "20",
                "SKEP_WORKLOADS": str(programs),
            },
            timeout=_SECONDS_PER_GUEST,
        )
        output.seek(0)
        printed = output.read()[-4000:].decode(errors="replace")
    failure = ""
    if outcome.status is None:
        failure = outcome.failure()
    elif outcome.status != 0:
        failure = f"the test runner ended with status {outcome.status}"
    results = {result["test"]: result for result in outcome.report}
    return LiveTests(results, f"{failure}\nand its output:\n{printed}")


@pytest.fixture(scope="session")
def guests(versions: tuple[str, ...]) -> Iterator[Mapping[str, Future[LiveTests]]]:
    """The running or finished guests: as many at a time as there are CPUs."""
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {version: pool.submit(_run_live_tests, version) for version in versions}
    pool.shutdown(cancel_futures=True)


def test_live(
    guests: Mapping[str, Future[LiveTests]], version: str, live_test: str
) -> None:
    """Waits for the guest and ends as the live test did there."""
    guests[version].result().check(live_test)
