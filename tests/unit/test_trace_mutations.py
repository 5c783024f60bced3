"""Whatever the text, `trace` says what is wrong with it, or makes a program of it."""

from __future__ import annotations

import random

import pytest

from skep.errors import InternalError, SkepError
from skep.target import Target
from tests.fixtures import saved_target
from tests.live.probe_programs import binding_of, candidates, collection
from tests.live.probe_texts import GOOD, mutants

SEED = 20251
COUNT = 400
KERNELS = ("5.10", "6.12", "6.18", "7.2")

WITHOUT_PLACE = "the probe is empty"


def programs(text: str, target: Target, binary: bool) -> int:
    """How many ways there are to attach the probe; all compile."""
    binding = binding_of("trace", target, probes=[text], binary=binary)
    ways = 0
    for _, rung in candidates(binding, target):
        assert collection(rung, binding, target).programs
        ways += 1
    return ways


@pytest.mark.parametrize("kernel", KERNELS)
def test_mutants(kernel: str) -> None:
    target = saved_target(kernel)
    chance = random.Random(f"{SEED} {kernel}")
    texts = mutants(chance)
    compiled = 0
    for _ in range(COUNT):
        text = next(texts)
        try:
            assert programs(text, target, binary=chance.random() < 0.1)
            compiled += 1
        except SkepError as error:
            assert not isinstance(error, InternalError), text
            assert str(error)
            diagnostic = error.diagnostic
            assert diagnostic.span or diagnostic.message == WITHOUT_PLACE, text
        except Exception as error:
            raise AssertionError(text) from error
    assert COUNT // 8 < compiled < COUNT // 2


# Structures that the saved kernels have no members of, and a macro that was a type.
NOT_SAVED = ("struct mnt_idmap", "struct sockaddr", "points to is not known")


@pytest.mark.parametrize("text", GOOD)
def test_what_is_right_compiles(text: str) -> None:
    target = saved_target("6.18")
    try:
        assert programs(text, target, binary=False)
    except SkepError as error:
        message = error.diagnostic.message
        if not any(name in message for name in NOT_SAVED):
            raise
