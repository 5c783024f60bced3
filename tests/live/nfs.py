"""A real NFS server on loopback, and its export mounted: in guests, which have one.

    with nfs.mounted("4.2") as directory:
        ...

The server is the kernel's own, so there is one for the whole machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import unittest
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.live import filesystems
from tests.live.support import wait_until

# Not 4.0, which Debian's 7.2 and its nfs-utils no longer have.
VERSIONS = ("3", "4.1", "4.2")

_OPTIONS = {
    # Without locks, version 3 needs no statd.
    "3": "vers=3,proto=tcp,mountproto=tcp,nolock",
    **{version: f"vers={version},proto=tcp" for version in VERSIONS[1:]},
}

_PORT = 2049
_EXPORT_OPTIONS = "rw,fsid=0,no_root_squash,no_subtree_check,insecure"


def available() -> bool:
    """Tells whether this machine has both the server and the client."""
    has_client = filesystems.has("nfs") and filesystems.has("nfs4")
    return has_client and filesystems.has("nfsd") and _has_programs()


def _has_programs() -> bool:
    return all(os.path.exists(f"/usr/sbin/{name}") for name in _PROGRAMS)


_PROGRAMS = ("rpc.nfsd", "rpc.mountd", "exportfs", "rpcbind")


@contextmanager
def mounted(
    version: str = "4.2", *, export: str | None = None, options: str = ""
) -> Iterator[str]:
    """The mount point of a directory that this machine serves to itself.

    `version` is one of `VERSIONS`. The directory is `export`, which must be on a file
    system that NFS can export (a tmpfs can be), or a new tmpfs.  `options` are further
    ones of mount(8).  Without a server the test is skipped.
    """
    with ExitStack() as stack:
        if export is None:
            export = stack.enter_context(filesystems.mount_point("tmpfs", "tmpfs"))
        stack.enter_context(server(export))
        yield stack.enter_context(client(export, version, options))


@contextmanager
def client(export: str, version: str = "4.2", options: str = "") -> Iterator[str]:
    """The mount point of what the running server serves."""
    kind, path = ("nfs", export) if version == "3" else ("nfs4", "/")
    selected = ",".join(filter(None, (_OPTIONS[version], options)))
    source = f"127.0.0.1:{path}"
    with filesystems.mount_point(source, kind, selected) as directory:
        yield directory


@contextmanager
def server(export: str) -> Iterator[None]:
    """Serves a directory, and no other, to this machine in all versions.

    Without a server the test is skipped.
    """
    if not available():
        raise unittest.SkipTest("this machine has no NFS server")
    with ExitStack() as stack:
        # Version 3 is found through rpcbind, and mountd tells the kernel in all
        # versions who may see what.
        stack.enter_context(_daemon("rpcbind", "-f", "-w"))
        _wait_for_port(111)
        if not os.path.ismount("/proc/fs/nfsd"):
            filesystems.run("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
        # Nobody has state to reclaim from a server that is new.
        for name in ("nfsv4leasetime", "nfsv4gracetime"):
            Path("/proc/fs/nfsd", name).write_text("10")
        filesystems.run("exportfs", "-o", _EXPORT_OPTIONS, f"127.0.0.1:{export}")
        stack.callback(filesystems.run, "exportfs", "-ua")
        stack.enter_context(_daemon("rpc.mountd", "-F"))
        filesystems.run("rpc.nfsd", "2")
        stack.callback(filesystems.run, "rpc.nfsd", "0")
        _wait_for_port(_PORT)
        yield


@contextmanager
def _daemon(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_port(port: int) -> None:
    def answers() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    if not wait_until(answers):
        raise AssertionError(f"nobody answers at port {port}")
