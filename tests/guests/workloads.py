"""Compiles the C programs that live tests run as workloads.

They are linked statically, so that one build runs in every guest. A program whose
name ends in `_32` is built for the 32-bit system call interface.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.guests import cache

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
    name = f"workloads-{key.hexdigest()[:12]}"
    return cache.get(name, lambda path: _compile(sources, path))


def _compile(sources: Iterable[Path], directory: Path) -> None:
    for source in sources:
        wordsize = ("-m32",) if source.stem.endswith("_32") else ()
        program = directory / source.stem
        subprocess.run((*_COMPILER, *wordsize, "-o", program, source), check=True)
