"""Reports the live tests of each guest as tests of this run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.guests import live_run
from tests.guests.live_run import LiveRun


class LiveTests:
    """The results of the live tests on one kernel."""

    def __init__(self, run: LiveRun) -> None:
        self._results, self._failure = run
        self._scopes = [entry for entry in self._results.report if "scope" in entry]

    def check(self, name: str) -> None:
        """Ends the calling test as the live test of this name has ended."""
        found = [entry for entry in self._scopes if _covers(entry["scope"], name)]
        if name in self._results.tests:
            found.append(self._results.tests[name])
        if not found:
            pytest.fail(f"has not run: {self._explain()}", pytrace=False)
        for result in found:
            if result["outcome"] == "started":
                pytest.fail(f"has not ended: {self._explain()}", pytrace=False)
            if result["outcome"] == "failed":
                pytest.fail(result["detail"], pytrace=False)
            if result["outcome"] == "skipped":
                pytest.skip(result["detail"])

    def check_doctor(self, tool: str) -> None:
        """Fails unless `skep doctor` was right about a tool."""
        if not self._results.is_examined:
            pytest.fail(f"has not run: {self._explain()}", pytrace=False)
        disagreement = self._results.disagreement(tool)
        if disagreement:
            pytest.fail(disagreement, pytrace=False)

    def _explain(self) -> str:
        """Returns the whole story the first time, and then only a reference."""
        explanation, self._failure = self._failure, "as told above"
        return explanation


def _covers(scope: str, test: str) -> bool:
    """Tells whether a module or class, whose setup went wrong, has this test."""
    return test.startswith(f"{scope}.")


def _run_live_tests(version: str) -> LiveTests:
    return LiveTests(live_run.in_guest(version))


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


def test_doctor(
    guests: Mapping[str, Future[LiveTests]], version: str, tool: str
) -> None:
    """What `skep doctor` says of a tool is what the tool's live tests found."""
    guests[version].result().check_doctor(tool)
