"""Compiles the C programs that live tests run as workloads.

They are linked statically, so that one build runs in every guest. A program whose
name ends in `_32` is built for the 32-bit system call interface.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.guests import cache, toolchain
from tests.guests.architecture import AMD64, Architecture

SOURCES = Path(__file__).resolve().parents[1] / "live" / "workloads"

_OPTIONS = ("-O2", "-g", "-static", "-pthread", "-Wall", "-Werror")


def build(architecture: Architecture = AMD64) -> Path:
    """Returns the directory of the compiled programs, compiling them if needed.

    Raises subprocess.CalledProcessError if a program does not compile; the
    compiler's messages go to standard error.
    """
    sources = sorted(SOURCES.glob("*.c"))
    compilers = (architecture.compiler, architecture.compiler_32, _OPTIONS)
    key = hashlib.sha256(repr(compilers).encode())
    for source in sources:
        key.update(source.name.encode() + b"\0" + source.read_bytes())
    name = f"workloads-{key.hexdigest()[:12]}"
    return cache.get(name, lambda path: _compile(architecture, sources, path))


def _compile(
    architecture: Architecture, sources: Sequence[Path], directory: Path
) -> None:
    root = Path("/")
    prefix: tuple[str, ...] = ()
    if architecture.toolchain:
        root = toolchain.ensure(architecture)
        prefix = ("chroot", str(root))
    with tempfile.TemporaryDirectory(dir=root / "tmp") as name:
        work = Path(name)
        for source in sources:
            shutil.copy(source, work)
        for source in sources:
            is_32 = source.stem.endswith("_32")
            compiler = architecture.compiler_32 if is_32 else architecture.compiler
            # As the compiler sees them, which may have a root of its own.
            program, text = (
                f"/{(work / file).relative_to(root)}"
                for file in (source.stem, source.name)
            )
            command = (*prefix, *compiler, *_OPTIONS, "-o", program, text)
            subprocess.run(command, check=True)
            shutil.copy(work / source.stem, directory)
