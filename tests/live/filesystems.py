"""File systems of every type that this kernel has, new and empty.

    with filesystems.mounted("xfs") as directory:
        ...

Natively, only those that are built into the kernel may be there; Debian's kernels
have all of them, as modules, but for ZFS, which is not part of the kernel.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.live.disk import loop_device

TYPES = ("xfs", "ext4", "btrfs", "f2fs", "zfs")

# mkfs.xfs makes none below 300 MB. Loop devices have their file's holes.
_SIZE = 400 << 20

_MKFS = {
    "xfs": ("mkfs.xfs", "-q", "-f"),
    "ext4": ("mkfs.ext4", "-q", "-F"),
    "btrfs": ("mkfs.btrfs", "-q", "-f"),
    "f2fs": ("mkfs.f2fs", "-q", "-f"),
}


def available() -> tuple[str, ...]:
    """Those of `TYPES` that this kernel has; their modules get loaded."""
    return tuple(kind for kind in TYPES if has(kind))


def has(kind: str) -> bool:
    """Tells whether this kernel has a type of file system; loads its module."""
    if kind not in _registered():
        subprocess.run(["modprobe", "-q", kind], check=False)
    return kind in _registered()


def _registered() -> set[str]:
    lines = Path("/proc/filesystems").read_text().splitlines()
    return {line.split("\t")[1] for line in lines}


@contextmanager
def mounted(kind: str, device: str | None = None, options: str = "") -> Iterator[str]:
    """A directory with a new file system, for root only, unmounted afterwards.

    It lies on a loop device, or on `device`, whose contents are lost; `options` are
    those of mount(8). A kernel that lacks the type is a skipped test.
    """
    if not has(kind):
        raise unittest.SkipTest(f"this kernel has no {kind}")
    disk = nullcontext(device) if device else loop_device(_SIZE)
    with disk as path:
        assert path is not None
        if kind == "zfs":
            with _pool(path) as directory:
                yield directory
            return
        run(*_MKFS[kind], path)
        with mount_point(path, kind, options) as directory:
            yield directory


@contextmanager
def mount_point(source: str, kind: str, options: str = "") -> Iterator[str]:
    """A new directory on which a file system is mounted until the end."""
    directory = tempfile.mkdtemp(prefix=f"skep-{kind}-")
    try:
        selected = ("-o", options) if options else ()
        run("mount", "-t", kind, *selected, source, directory)
        try:
            yield directory
        finally:
            run("umount", directory)
    finally:
        os.rmdir(directory)


@contextmanager
def _pool(device: str) -> Iterator[str]:
    """The mount point of a new pool of ZFS on a device."""
    directory = tempfile.mkdtemp(prefix="skep-zfs-")
    name = os.path.basename(directory)
    try:
        run("zpool", "create", "-f", "-m", directory, name, device)
        try:
            yield directory
        finally:
            run("zpool", "destroy", name)
    finally:
        os.rmdir(directory)


def run(*command: str) -> None:
    """Runs a command; what it says becomes part of the error if it fails."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise RuntimeError(f"{' '.join(command)}: {said}")
