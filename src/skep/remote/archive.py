"""All of skep in one file, which runs on any machine with Python 3.9 or later.

The same sources give the same bytes, wherever and whenever they are packed.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import skep

# Not "env python3": the shell can hand on that Python is to run isolated and without
# site packages, as from the tree, which also starts it in half the time.  ("env -S"
# could, too, where env knows it.)  The zip file begins after these lines.
LAUNCHER = b'#!/bin/sh\nexec python3 -IS "$0" "$@"\n'

MAIN = "__main__.py"
"""What Python runs: skep.remote.boot, with the hash of the content in it."""

# The earliest that a zip file can tell, 1980.
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100644 << 16


def own_archive() -> bytes:
    """The archive of the skep that runs, which may be one itself."""
    archive = getattr(getattr(skep, "__loader__", None), "archive", None)
    if archive is not None:
        return Path(archive).read_bytes()
    return packed(contents(Path(skep.__file__).parent))


def main_source(archive: bytes) -> bytes:
    """The source of what Python runs first in an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(MAIN)


def contents(package: Path) -> dict[str, bytes]:
    """The files of the archive by name, in its order: those of the package in this
    directory, and the license, which lies in the tree or beside an installed one."""
    files = {
        path.relative_to(package.parent).as_posix(): path
        for path in package.rglob("*.py")
    }
    places = [package.parents[1] / "LICENSE"]
    places += package.parent.glob("skep-*.dist-info/licenses/LICENSE")
    for place in filter(Path.is_file, reversed(places)):
        files["LICENSE"] = place
    found = {name: files[name].read_bytes() for name in sorted(files)}
    boot = found["skep/remote/boot.py"]
    return {MAIN: boot.replace(b"@CONTENT@", _digest(found).encode()), **found}


def _digest(files: Mapping[str, bytes]) -> str:
    """A hash of names and contents."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive with these files."""
    buffer = io.BytesIO()
    buffer.write(LAUNCHER)
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=9)
    return buffer.getvalue()
