"""A live test is made again only after programs were left out."""

import unittest

import pytest

from tests.live import preemption

WARNING = (
    b"warning: up to 3 events lost because a program was already running on the CPU\n"
)


@pytest.fixture(autouse=True)
def preempting(monkeypatch):
    monkeypatch.setattr(preemption, "PREEMPTS_PROGRAMS", True)


def outcome_of(*attempts):
    """The result of a test that does these things one after the other."""
    rest = list(attempts)

    class Test(preemption.Again):
        def test(self):
            with self.subTest():
                rest.pop(0)(self)

    result = unittest.TestResult()
    Test("test").run(result)
    return result, len(attempts) - len(rest)


def spoiled(test):
    preemption.note(WARNING)
    test.fail("spoiled")


def wrong(test):
    preemption.note(b"warning: 3 events lost because the ring buffer was full\n")
    test.fail("wrong")


def right(test):
    preemption.note(WARNING)


def test_is_made_again_when_spoiled():
    result, made = outcome_of(spoiled, spoiled, right)
    assert (result.wasSuccessful(), result.testsRun, made) == (True, 1, 3)


def test_is_not_made_again_otherwise():
    result, made = outcome_of(wrong, right)
    assert (len(result.failures), made) == (1, 1)


def test_fails_when_spoiled_each_time():
    result, made = outcome_of(*[spoiled] * 9)
    assert (len(result.failures), made) == (1, 5)


def test_is_made_once_where_programs_are_not_preempted(monkeypatch):
    monkeypatch.setattr(preemption, "PREEMPTS_PROGRAMS", False)
    result, made = outcome_of(spoiled, right)
    assert (len(result.failures), made) == (1, 1)
