"""Chooses the kernels of a run: every one, or those given by --kernel."""

from __future__ import annotations

from typing import Callable

import pytest

from skep.toolkit.tool import tool_names
from tests.guests import inside, kernels
from tests.guests.kernels import Kernel


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option --kernel, which may be given more than once."""
    parser.addoption(
        "--kernel",
        action="append",
        choices=tuple(kernels.ALL),
        help="run the live tests on this kernel (default: on all but arm64 and zfs)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes one test of each live test, and of each tool, on each kernel."""
    if "live_test" in metafunc.fixturenames:
        _for_each(metafunc, "live_test", _live_tests)
    elif "tool" in metafunc.fixturenames:
        _for_each(metafunc, "tool", _tools)


def _for_each(
    metafunc: pytest.Metafunc, parameter: str, values: Callable[[Kernel], list[str]]
) -> None:
    metafunc.parametrize(
        ("version", parameter),
        [
            pytest.param(version, value, id=f"{version}-{_short(value)}")
            for version in _versions(metafunc.config)
            for value in values(kernels.ALL[version])
        ],
    )


def _live_tests(kernel: Kernel) -> list[str]:
    return [test.id() for test in inside.live_tests(kernel.tests)]


def _tools(kernel: Kernel) -> list[str]:
    return ["zfsslower"] if kernel.has_zfs else tool_names()


@pytest.fixture(scope="session")
def versions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The kernels of this run."""
    return _versions(request.config)


def _versions(config: pytest.Config) -> tuple[str, ...]:
    return tuple(config.getoption("--kernel") or kernels.names(kernels.KERNELS))


def _short(test: str) -> str:
    return test.removeprefix("tests.").removeprefix("live.")
