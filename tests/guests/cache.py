"""Keeps what is downloaded or built outside the tree, in the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def directory() -> Path:
    """Returns the directory of the cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "skep"
    path.mkdir(parents=True, exist_ok=True)
    return path


def get(name: str, make: Callable[[Path], None]) -> Path:
    """Returns a directory of the cache, which `make` fills when it is new.

    Concurrent callers wait for the first. What a `make` that was interrupted has
    left is thrown away.
    """
    path = directory() / name
    complete = path / ".complete"
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            make(path)
            complete.touch()
    return path
