"""Provides on this machine what the guests get from the rig."""

import os

import pytest

from tests.guests import workloads


@pytest.fixture(scope="session", autouse=True)
def compiled_workloads():
    os.environ["SKEP_WORKLOADS"] = str(workloads.build())
