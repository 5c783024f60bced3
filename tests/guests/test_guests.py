"""Reports the live tests of each guest as tests of this run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.guests import guest, inside, kernels, workloads

# 15 to 20 minutes on two busy CPUs; two rounds of this are within CI's limit of 90.
_SECONDS_PER_GUEST = 2400


class LiveTests:
    """The results of the live tests on one kernel."""

    def __init__(self, report: Sequence[dict[str, Any]], failure: str) -> None:
        """Takes the guest's report, and what to say of tests that it misses."""
        self._tests = {entry["test"]: entry for entry in report if "test" in entry}
        self._scopes = [entry for entry in report if "scope" in entry]
        self._failure = failure

    def check(self, name: str) -> None:
        """Ends the calling test as the live test of this name has ended."""
        results = [entry for entry in self._scopes if _covers(entry["scope"], name)]
        if name in self._tests:
            results.append(self._tests[name])
        if not results:
            pytest.fail(f"has not run: {self._explain()}", pytrace=False)
        for result in results:
            if result["outcome"] == "started":
                pytest.fail(f"has not ended: {self._explain()}", pytrace=False)
            if result["outcome"] == "failed":
                pytest.fail(result["detail"], pytrace=False)
            if result["outcome"] == "skipped":
                pytest.skip(result["detail"])

    def _explain(self) -> str:
        """Returns the whole story the first time, and then only a reference."""
        explanation, self._failure = self._failure, "as told above"
        return explanation


def _covers(scope: str, test: str) -> bool:
    """Tells whether a module or class, whose setup went wrong, has this test."""
    return test.startswith(f"{scope}.")


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
    if outcome.status is None:
        failure = outcome.failure()
    else:
        failure = f"the test runner ended with status {outcome.status}"
    return LiveTests(outcome.report, f"{failure}\nThe tests printed:\n{printed}")


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
