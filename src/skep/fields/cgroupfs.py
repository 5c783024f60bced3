"""Paths of cgroups (version 2) by id."""

from __future__ import annotations

import os
from collections.abc import Iterator

from skep.errors import TargetError

MOUNTINFO = "/proc/self/mountinfo"
_MOST = 100_000


class Cgroups:
    """The tree of cgroup directories, walked when an unknown id is asked for.

    A cgroup's id, as `bpf_get_current_cgroup_id` gives it, is the inode number of its
    directory (64-bit kernels since 5.5).  Ids are not used again, so what has been
    found stays true; a cgroup that is gone by the time of the walk has no path.
    """

    __slots__ = ("_mount", "_paths")

    def __init__(self, mount: str = "") -> None:
        self._mount = mount
        self._paths: dict[int, str] = {}

    def path(self, cgroup_id: int) -> str | None:
        """The path below the mount point, "/" for the root; None if there is none.

        Raises TargetError where no cgroup2 file system is mounted.
        """
        if cgroup_id not in self._paths:
            self._mount = self._mount or cgroup2_mount()
            if len(self._paths) >= _MOST:
                self._paths.clear()  # most of them are gone by now
            self._paths.update(_walk(self._mount))
        return self._paths.get(cgroup_id)

    def known(self) -> dict[int, str]:
        """The paths found so far by id."""
        return self._paths

    def id(self, path: str) -> int:
        """The id of the cgroup at `path`, absolute or below the mount point.

        Raises OSError if there is none, TargetError as `path` does.
        """
        self._mount = self._mount or cgroup2_mount()
        if not f"{path}/".startswith(f"{self._mount}/"):
            path = os.path.join(self._mount, path.lstrip("/"))
        return os.stat(path).st_ino


def cgroup2_mount(mountinfo: str = MOUNTINFO) -> str:
    """Where the cgroup2 file system is mounted.

    That is /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid system.  Raises
    TargetError where it is not mounted at all.
    """
    with open(mountinfo, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            # ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS... - TYPE SOURCE ...
            mount, _, filesystem = line.partition(" - ")
            if filesystem.startswith("cgroup2 "):
                return mount.split()[4]
    raise TargetError(
        "no cgroup2 file system is mounted, so cgroups have no names",
        hint="mount one with: mount -t cgroup2 none /sys/fs/cgroup",
    )


def _walk(mount: str) -> Iterator[tuple[int, str]]:
    """(id, path) of every cgroup; directories that vanish meanwhile are passed over."""
    yield os.stat(mount).st_ino, "/"
    pending = [mount]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        # readdir's inode number saves a stat for each directory.
                        yield entry.inode(), entry.path[len(mount) :]
                        pending.append(entry.path)
        except FileNotFoundError:
            continue
