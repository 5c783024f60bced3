"""Cases that failed once: a file for each, replayed by the ordinary tests.

A file begins with what was wrong, in lines that begin with "#"; the rest is the case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.engine import Found

DIRECTORY = Path(__file__).with_name("corpus")


class Kept(NamedTuple):
    """A file of the corpus."""

    path: Path
    wrong: str
    text: str


def keep(found: Found) -> Path:
    """Write a failure into the corpus; a comment is still to be written."""
    digest = hashlib.sha256(found.case.text.encode()).hexdigest()[:8]
    path = DIRECTORY / found.subject / f"{digest}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = found.case.text.encode("utf-8", "surrogateescape")
    path.write_bytes(f"# TODO: {found.failure.kind}\n".encode() + text)
    return path


def cases(subject: str) -> Iterator[Kept]:
    """What the corpus has of a subject."""
    for path in sorted((DIRECTORY / subject).glob("*.txt")):
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        comments = [line for line in lines if line.startswith("#")]
        rest = "\n".join(lines[len(comments) :])
        yield Kept(path, "\n".join(comments), rest)
