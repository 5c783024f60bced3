"""The workloads: small C programs that do a known number of known things.

Environment:
    SKEP_WORKLOADS  a directory with the programs of workloads/*.c, compiled
                    statically; without it they are compiled now
"""

from __future__ import annotations

import errno
import os
import subprocess
import unittest
from functools import cache
from typing import NamedTuple, Union

from tests.live.support import SLOW

RUN_SECONDS = 180 * SLOW

Argument = Union[str, bytes, int]


@cache
def program(name: str) -> str:
    """The path of a compiled workload.

    One that there is no compiler for, on this architecture, is a skipped test.
    """
    directory = os.environ.get("SKEP_WORKLOADS")
    if not directory:
        from tests.guests import workloads  # needs a compiler; guests have none

        directory = str(workloads.build())
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        machine = os.uname().machine
        raise unittest.SkipTest(f"there is no compiler for {name} on {machine}")
    return path


def start(name: str, *arguments: Argument) -> subprocess.Popen[bytes]:
    """Starts a workload, by name or by path, with its output in a pipe."""
    command: list[str | bytes] = [name if os.sep in name else program(name)]
    command += [str(a) if isinstance(a, int) else a for a in arguments]
    pipe = subprocess.PIPE
    try:
        # Closing files, Python 3.9 opens /proc/self/fd in what becomes the workload.
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, close_fds=False)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        raise unittest.SkipTest("this kernel runs no 32-bit programs") from None


def finish(process: subprocess.Popen[bytes]) -> str:
    """Waits for a workload and returns what it printed."""
    stdout, stderr = process.communicate(timeout=RUN_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{process.args!r}: {stderr.decode(errors='replace')}")
    return stdout.decode()


def run(name: str, *arguments: Argument) -> str:
    """Runs a workload to its end and returns what it printed."""
    return finish(start(name, *arguments))


class Open(NamedTuple):
    """One call as the workload "opens" made it; `path` None cannot be read."""

    pid: int
    tid: int
    result: int
    flags: int
    mode: int
    path: bytes | None


def parse_opens(text: str) -> list[Open]:
    """What "opens cases" and "opens threads" print."""
    calls = []
    for line in text.splitlines():
        pid, tid, result, flags, mode, path = line.split(" ")
        numbers = (int(pid), int(tid), int(result), int(flags, 8), int(mode, 8))
        calls.append(Open(*numbers, None if path == "-" else bytes.fromhex(path)))
    return calls


class Exec(NamedTuple):
    """One child as the workload "execs" made it; `label` is its last argument."""

    pid: int
    parent: int
    error: int
    label: str


def parse_execs(text: str) -> list[Exec]:
    """What "execs" prints."""
    children = []
    for line in text.splitlines():
        pid, parent, error, label = line.split(" ")
        children.append(Exec(int(pid), int(parent), int(error), label))
    return children
