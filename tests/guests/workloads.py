"""Compiles the C programs that live tests run as workloads.

They are linked statically, so that one build runs in every guest. A program whose
name ends in `_32` is built for the 32-bit system call interface; one in `_musl` uses
the other C library, dynamically, and one in `_musl_static` has it within.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.guests import cache

SOURCES = Path(__file__).resolve().parents[1] / "live" / "workloads"

_FLAGS = ("-O2", "-g", "-pthread", "-Wall", "-Werror")
_COMPILERS: dict[str, tuple[str, ...]] = {
    "_32": ("gcc", "-static", "-m32"),
    "_musl": ("musl-gcc",),
    "_musl_static": ("musl-gcc", "-static"),
    "": ("gcc", "-static"),
}


def build() -> Path:
    """Returns the directory of the compiled programs, compiling them if needed.

    Raises subprocess.CalledProcessError if a program does not compile; the
    compiler's messages go to standard error.
    """
    sources = sorted(SOURCES.glob("*.c"))
    key = hashlib.sha256(repr((_COMPILERS, _FLAGS)).encode())
    for source in sources:
        key.update(source.name.encode() + b"\0" + source.read_bytes())
    name = f"workloads-{key.hexdigest()[:12]}"
    return cache.get(name, lambda path: _compile(sources, path))


def _compile(sources: Iterable[Path], directory: Path) -> None:
    for source in sources:
        suffix = next(each for each in _COMPILERS if source.stem.endswith(each))
        program = directory / source.stem
        command = [*_COMPILERS[suffix], *_FLAGS, "-o", str(program), str(source)]
        subprocess.run(command, check=True)
