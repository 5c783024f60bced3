"""Fuzzes skep for some minutes.

Prints the seed, statistics every minute, and every kind of failure once, made small;
the status is then 1. With --keep the failures also become files of the corpus, which
need a word on what was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from tests.fuzz import corpus
from tests.fuzz.engine import Engine, Found
from tests.fuzz.subjects import SUBJECTS

MOST_LINES = 24
"""Of a failure's details; what follows are instructions or a log."""


def main() -> int:
    """Return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="./test --fuzz")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", nargs="+", choices=sorted(SUBJECTS), default=[])
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    names = options.only or list(SUBJECTS)
    subjects = [SUBJECTS[name] for name in names if SUBJECTS[name].available()]
    print(f"seed {options.seed}: {', '.join(each.name for each in subjects)}")
    engine = Engine(subjects, options.seed)
    start = time.monotonic()
    said = 0
    try:
        while time.monotonic() < start + 60 * options.minutes:
            found = engine.step()
            if found is not None:
                report(found, options.keep)
            minutes = int((time.monotonic() - start) // 60)
            if minutes > said:
                said = minutes
                print_statistics(engine, minutes)
    except KeyboardInterrupt:
        print()
    print_statistics(engine, (time.monotonic() - start) / 60)
    print(f"{len(engine.found)} kinds of failures with seed {options.seed}")
    return 1 if engine.found else 0


def report(found: Found, keep: bool) -> None:
    """Show a failure, and keep it."""
    lines = str(found.failure).splitlines()
    print(f"--- {found.subject} {found.number}: ", "\n".join(lines[:MOST_LINES]))
    print(found.case.text)
    if keep:
        print(f"kept as {corpus.keep(found)}")
    print("---", flush=True)


def print_statistics(engine: Engine, minutes: float) -> None:
    """Show what was done so far."""
    for tally in engine.tallies:
        print(f"{minutes:4.1f} min  {tally.line()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
