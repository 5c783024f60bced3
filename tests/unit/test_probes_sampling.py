"""Perf events, intervals and test runs."""

from __future__ import annotations

import pytest

from skep.errors import CompileError, ProbeNotFound, UsageError
from skep.probes import (
    CtxWord,
    Intention,
    Interval,
    Param,
    PerfEvent,
    resolve,
)
from skep.probes.intention import TestRun as RunForTest
from skep.spec import AttachSpec
from skep.target import Target
from tests.fixtures import saved_target


@pytest.fixture
def target() -> Target:
    return saved_target("6.18")


def attachments(intention: Intention, target: Target) -> list[AttachSpec]:
    return [c.sites[0].attach for c in resolve(intention, set(), target)]


def test_an_event_by_period(target: Target) -> None:
    assert attachments(PerfEvent("cycles", period=100_000), target) == [
        AttachSpec("perf_event", "cycles", 100_000)
    ]


def test_cycles_by_frequency_fall_back_to_the_clock(target: Target) -> None:
    ladder = resolve(PerfEvent("cycles", frequency=99), set(), target)
    assert [each.sites[0].attach for each in ladder] == [
        AttachSpec("profile", "cycles", 99),
        AttachSpec("profile", "cpu-clock", 99),
    ]
    assert ladder[0].note == ""
    assert ladder[1].note.startswith("cycles unavailable, cpu-clock instead")
    assert {each.sites[0].program_type for each in ladder} == {"perf_event"}


def test_time_is_no_substitute_for_other_events(target: Target) -> None:
    assert attachments(PerfEvent("cache-misses", frequency=99), target) == [
        AttachSpec("profile", "cache-misses", 99)
    ]


@pytest.mark.parametrize(("period", "frequency"), [(0, 0), (1, 1), (-1, 0), (5, -1)])
def test_one_of_period_and_frequency(
    target: Target, period: int, frequency: int
) -> None:
    with pytest.raises(UsageError, match="needs a period or a frequency"):
        resolve(PerfEvent("cpu-clock", period, frequency), set(), target)


def test_unknown_events(target: Target) -> None:
    with pytest.raises(ProbeNotFound) as caught:
        resolve(PerfEvent("cache-mises", period=1), set(), target)
    assert "did you mean cache-misses" in str(caught.value)


def test_an_interval(target: Target) -> None:
    (candidate,) = resolve(Interval(100_000_000), set(), target)
    (site,) = candidate.sites
    assert site.attach == AttachSpec("interval", "", 100_000_000)
    assert site.program_type == "perf_event"


def test_intervals_that_the_kernel_would_lengthen(target: Target) -> None:
    with pytest.raises(UsageError, match="too short"):
        resolve(Interval(9_999), set(), target)


@pytest.mark.parametrize("probe", [Interval(10**9), PerfEvent("cycles", period=9)])
def test_samples_have_no_parameters(target: Target, probe: Intention) -> None:
    with pytest.raises(CompileError, match="has no parameter 'x'"):
        resolve(probe, {"x"}, target)


def test_a_test_run_takes_words(target: Target) -> None:
    (candidate,) = resolve(RunForTest("u64 a, s16 b"), {"b"}, target)
    (site,) = candidate.sites
    assert (site.attach.kind, site.program_type) == ("test_run", "raw_tracepoint")
    assert site.params == (Param("b", "s16", CtxWord(1)),)
