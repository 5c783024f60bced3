"""Builds and caches compilers for foreign architectures.

They are in a root of their own: Debian's conflict with gcc-multilib, which the host has
for its own 32-bit programs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.guests import cache, root
from tests.guests.architecture import Architecture

_SUITE = "trixie"


def ensure(architecture: Architecture) -> Path:
    """Returns the root with an architecture's compilers, building it if needed."""
    key = hashlib.sha256(repr((_SUITE, architecture.toolchain)).encode())
    name = f"toolchain-{architecture.debian}-{key.hexdigest()[:12]}"
    return cache.get(name, lambda path: _build(architecture, path)) / "root"


def _build(architecture: Architecture, directory: Path) -> None:
    packages = ",".join(architecture.toolchain)
    system = directory / "root"
    # Compilers run as unpacked; there is nothing to configure.
    root.mmdebstrap("--variant=extract", f"--include={packages}", _SUITE, str(system))
