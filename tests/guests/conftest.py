"""Chooses the kernels of a run: every one, or those given by --kernel."""

from __future__ import annotations

import pytest

from tests.guests import inside, kernels


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option --kernel, which may be given more than once."""
    parser.addoption(
        "--kernel",
        action="append",
        choices=kernels.VERSIONS,
        help="run the live tests on this kernel (default: on all of them)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes one test of each live test on each kernel."""
    metafunc.parametrize(
        ("version", "live_test"),
        [
            pytest.param(version, test.id(), id=f"{version}-{_short(test.id())}")
            for version in _versions(metafunc.config)
            for test in inside.live_tests()
        ],
    )


@pytest.fixture(scope="session")
def versions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The kernels of this run."""
    return _versions(request.config)


def _versions(config: pytest.Config) -> tuple[str, ...]:
    return tuple(config.getoption("--kernel") or kernels.VERSIONS)


def _short(test: str) -> str:
    return test.removeprefix("tests.").removeprefix("live.")
