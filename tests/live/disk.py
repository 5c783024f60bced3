"""A block device that nothing else uses.

Environment:
    SKEP_SCRATCH    a block device whose contents the tests may overwrite; without
                    it they make a loop device on a temporary file
"""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# linux/loop.h
_LOOP_SET_FD = 0x4C00
_LOOP_CLR_FD = 0x4C01
_LOOP_CTL_GET_FREE = 0x4C82

_SIZE = 64 << 20


@contextmanager
def scratch_disk(directory: str | None = None) -> Iterator[str]:
    """The path of the device, of 64 MiB or more.

    The file of a loop device lies in `directory`.
    """
    device = os.environ.get("SKEP_SCRATCH")
    if device:
        yield device
        return
    with loop_device(_SIZE, directory) as path:
        yield path


@contextmanager
def loop_device(size: int, directory: str | None = None) -> Iterator[str]:
    """The path of a loop device on a new file of zeros in `directory`."""
    with tempfile.NamedTemporaryFile(prefix="skep-disk-", dir=directory) as backing:
        backing.truncate(size)
        device = _attach_loop(backing.fileno())
        try:
            yield device
        finally:
            with open(device, "rb") as loop:
                fcntl.ioctl(loop, _LOOP_CLR_FD)


def _attach_loop(backing: int) -> str:
    """Binds a free loop device to an open file and returns its path."""
    if not Path("/dev/loop-control").exists():
        subprocess.run(["modprobe", "loop"], check=False)
    while True:
        try:
            with open("/dev/loop-control", "rb") as control:
                number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
            path = f"/dev/loop{number}"
            with open(path, "rb+", buffering=0) as loop:
                fcntl.ioctl(loop, _LOOP_SET_FD, backing)
        except OSError as error:
            if error.errno == errno.EBUSY:
                continue  # somebody else was faster
            raise unittest.SkipTest(f"no loop device: {error}") from None
        return path
