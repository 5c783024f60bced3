"""Chooses the kernels of a run: every one, or those given by --kernel."""

from __future__ import annotations

import pytest

from skep.toolkit.tool import tool_names
from tests.guests import inside, kernels


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option --kernel, which may be given more than once."""
    parser.addoption(
        "--kernel",
        action="append",
        choices=tuple(kernels.ALL),
        help="run the live tests on this kernel (default: on all of amd64)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes one test of each live test, and of each tool, on each kernel."""
    if "live_test" in metafunc.fixturenames:
        _for_each(metafunc, "live_test", [test.id() for test in inside.live_tests()])
    elif "tool" in metafunc.fixturenames:
        _for_each(metafunc, "tool", tool_names())


def _for_each(metafunc: pytest.Metafunc, parameter: str, values: list[str]) -> None:
    metafunc.parametrize(
        ("version", parameter),
        [
            pytest.param(version, value, id=f"{version}-{_short(value)}")
            for version in _versions(metafunc.config)
            for value in values
        ],
    )


@pytest.fixture(scope="session")
def versions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The kernels of this run."""
    return _versions(request.config)


def _versions(config: pytest.Config) -> tuple[str, ...]:
    return tuple(config.getoption("--kernel") or kernels.names("amd64"))


def _short(test: str) -> str:
    return test.removeprefix("tests.").removeprefix("live.")
