"""Every tool compiles with every option for every saved kernel, and stays small."""

from __future__ import annotations

import pytest

from skep.toolkit.tool import load
from tests import fixtures
from tests.unit import matrix

STACK_SIZE = 512
"""Bytes of stack that a program may use (MAX_BPF_STACK)."""

ALLOWED_GROWTH = 1.1

HEADLINE = (
    *("biolatency", "execsnoop", "gethostlatency", "opensnoop", "tcplife"),
    "xfsslower",
)

IN_SECONDS = (*fixtures.VERSIONS, "6.12-arm64")
"""The kernels that `./test --quick` compiles for."""

REMEDY = "if that is meant, run matrix.py (see there) and commit sizes.txt"

EVERY_KERNEL = pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(each, marks=() if each in IN_SECONDS else pytest.mark.slow)
        for each in matrix.KERNELS
    ],
)


@EVERY_KERNEL
@pytest.mark.parametrize("tool", matrix.TOOLS)
def test_every_option_compiles(tool: str, kernel: str) -> None:
    sizes = matrix.sizes_on(tool, kernel)
    assert sizes or load(tool).hook("listing")
    for size in sizes:
        assert 0 <= size.stack <= STACK_SIZE, size
        assert size.instructions > 1, size


@pytest.mark.slow
@EVERY_KERNEL
@pytest.mark.parametrize("tool", HEADLINE)
def test_every_pair_of_options_compiles(tool: str, kernel: str) -> None:
    sizes = list(matrix.pairs_on(tool, kernel))
    assert sizes
    for size in sizes:
        assert 0 <= size.stack <= STACK_SIZE, size
        assert size.instructions > 1, size


@EVERY_KERNEL
@pytest.mark.parametrize("tool", matrix.TOOLS)
def test_every_option_has_a_way_without_tracefs(tool: str, kernel: str) -> None:
    sizes = matrix.sizes_on(tool, kernel)
    assert {size.options for size in sizes} == {
        size.options for size in sizes if size.kind != "tracepoint"
    }


@EVERY_KERNEL
def test_programs_do_not_grow(kernel: str) -> None:
    saved, now = matrix.saved_table(kernel), {}
    for tool in matrix.TOOLS:
        now.update(matrix.table(tool, kernel))
    assert sorted(now.keys() ^ saved.keys()) == [], f"rows came or went: {REMEDY}"
    grown = {
        key: f"{saved[key]} -> {size}"
        for key, size in now.items()
        if any(new > old * ALLOWED_GROWTH for new, old in zip(size, saved[key]))
    }
    assert not grown, REMEDY
