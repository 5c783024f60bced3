"""Compiles the C programs that live tests run as workloads.

They are linked statically, so that one build runs in every guest. A program whose
name ends in `_32` is built for the 32-bit system call interface.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.guests.root import cache_directory

SOURCES = Path(__file__).resolve().parents[1] / "live" / "workloads"

_COMPILER = ("gcc", "-O2", "-g", "-static", "-pthread", "-Wall", "-Werror")


def build() -> Path:
    """Returns the directory of the compiled programs, compiling them if needed.

    Raises subprocess.CalledProcessError if a program does not compile; the
    compiler's messages go to standard error.
    """
    sources = sorted(SOURCES.glob("*.c"))
    key = hashlib.sha256(repr(_COMPILER).encode())
    for source in sources:
        key.update(source.name.encode() + b"\0" + source.read_bytes())
    directory = cache_directory() / f"workloads-{key.hexdigest()[:12]}"
    if directory.exists():
        return directory
    with tempfile.TemporaryDirectory(dir=directory.parent) as name:
        for source in sources:
            _compile(source, Path(name) / source.stem)
        # Another run may have been faster; both have built the same.
        shutil.copytree(name, directory, dirs_exist_ok=True)
    return directory


def _compile(source: Path, program: Path) -> None:
    wordsize = ("-m32",) if source.stem.endswith("_32") else ()
    subprocess.run((*_COMPILER, *wordsize, "-o", program, source), check=True)
