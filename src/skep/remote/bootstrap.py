"""What another host runs first: it gets the archive, or has it, and runs it.

The source of this module goes there behind that of `skep.remote.boot`, by the standard
input of a Python that has nothing else; any Python 3 must be able to read it.
"""

import hashlib
import os
import sys
from typing import Any

HELLO = b"skep: ready for "
"""Begins the first line that is meant for the other side; what a login says before it
is not.  Behind it stands HAVE or NEED."""

HAVE, NEED = b"run\n", b"archive\n"

CACHE = "remote"
KEPT = 4
"""As many versions are kept, the last ones used."""

_READ = os.O_RDONLY | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def start(
    boot: "dict[str, Any]", size: int, sha256: str, keeps: bool, arguments: "list[str]"
) -> int:
    """Run skep from the archive with this size and hash; the exit status.

    `boot` has the names of `skep.remote.boot`.  With `keeps` the archive comes from the
    cache, or goes there.
    """
    cache = _open_cache(boot) if keeps else None
    file = None if cache is None else _kept(cache, sha256)
    os.write(1, b"\n" + HELLO + (NEED if file is None else HAVE))
    if file is None:
        data = _received(size)
        if hashlib.sha256(data).hexdigest() != sha256:
            sys.exit("skep: what came over the connection is damaged")
        if cache is not None:
            _keep(cache, sha256, data)
        file = os.memfd_create("skep")
        _write(file, data)
    # The file that has been checked, whatever its name stands for by now.
    sys.argv = ["skep", *arguments]
    status: int = boot["run"](f"/proc/self/fd/{file}", keeps)
    return status


def _open_cache(boot: "dict[str, Any]") -> "int | None":
    from pwd import getpwuid

    try:
        home = getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None
    return boot["open_cache"](home, CACHE)  # type: ignore[no-any-return]


def _kept(cache: int, sha256: str) -> "int | None":
    """A descriptor of the archive in the cache; None if it is not there, or damaged."""
    try:
        file = os.open(sha256, _READ, dir_fd=cache)
    except OSError:
        return None
    with open(file, "rb", closefd=False) as opened:
        if hashlib.sha256(opened.read()).hexdigest() == sha256:
            os.utime(file)  # it is in use
            return file
    os.close(file)
    os.unlink(sha256, dir_fd=cache)
    return None


def _received(size: int) -> bytes:
    """As many bytes from standard input, and not one more."""
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 16))
        if not part:
            sys.exit("skep: the connection ended before skep had come over it")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _keep(cache: int, sha256: str, data: bytes) -> None:
    """Put the archive into the cache in one piece, and take old ones out."""
    draft = f"{sha256}.{os.getpid()}"
    try:
        file = os.open(draft, _NEW, 0o600, dir_fd=cache)
        try:
            _write(file, data)
        except OSError:
            os.unlink(draft, dir_fd=cache)
            raise
        finally:
            os.close(file)
        os.rename(draft, sha256, src_dir_fd=cache, dst_dir_fd=cache)
        names = os.listdir(cache)
        names.sort(key=lambda name: os.stat(name, dir_fd=cache).st_mtime)
        for name in names[:-KEPT]:
            os.unlink(name, dir_fd=cache)
    except OSError:
        pass  # no space: it comes over the connection again next time


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
