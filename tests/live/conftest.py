"""Provides on this machine what the guests get from the rig."""

import os
import subprocess

import pytest

from tests.guests import workloads

TRACEFS = "/sys/kernel/tracing"


@pytest.fixture(scope="session", autouse=True)
def compiled_workloads():
    os.environ["SKEP_WORKLOADS"] = str(workloads.build())


@pytest.fixture(scope="session", autouse=True)
def tracefs():
    """Classic tracepoints need tracefs; it is left as it was found."""
    if os.geteuid() or os.path.exists(f"{TRACEFS}/events"):
        yield
        return
    subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACEFS], check=True)
    yield
    subprocess.run(["umount", TRACEFS], check=True)
