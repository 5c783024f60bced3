"""Runs the live tests in a guest, or here, and keeps the results."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.guests import guest, inside, kernels, results, workloads
from tests.guests.kernels import Kernel
from tests.guests.results import Results

# The kernel of this machine, among those of the guests.
NATIVE = "native"

# 15 to 20 minutes on two busy CPUs; two rounds of this are within CI's limit of 90.
_SECONDS_PER_GUEST = 2400


class LiveRun(NamedTuple):
    """The results, and what to say of tests that they miss."""

    results: Results
    failure: str


def settings(kernel: Kernel) -> dict[str, str]:
    """What live tests find in the environment of a guest."""
    return {
        "SKEP_KERNEL": kernel.name,
        "SKEP_SCRATCH": "/dev/vda",
        "SKEP_SLOW": "20",
        "SKEP_WORKLOADS": str(workloads.build(kernel.architecture)),
    }


def in_guest(name: str) -> LiveRun:
    """Boots the kernel of this name and runs all live tests there."""
    kernel = kernels.ALL[name]
    with tempfile.TemporaryFile() as output:
        outcome = guest.run(
            kernel,
            ("python3", inside.__file__, "/dev/report", kernel.tests),
            stdout=output,
            files=(workloads.build(kernel.architecture),),
            environment=settings(kernel),
            timeout=_SECONDS_PER_GUEST * kernel.architecture.slowness,
        )
        output.seek(0)
        printed = output.read()[-4000:].decode(errors="replace")
    results.save(name, outcome.report)
    if outcome.status is None:
        failure = outcome.failure()
    else:
        failure = f"the test runner ended with status {outcome.status}"
    told = f"{failure}\nThe tests printed:\n{printed}"
    return LiveRun(Results(outcome.report), told)


def natively() -> LiveRun:
    """Runs all live tests on this machine's kernel."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "report")
        status = subprocess.run(
            (sys.executable, inside.__file__, str(file)),
            env={**os.environ, "SKEP_WORKLOADS": str(workloads.build())},
            cwd=guest.TREE,
        ).returncode
        report = results.read(file)
    results.save(NATIVE, report)
    return LiveRun(Results(report), f"the test runner ended with status {status}")
