#!/usr/bin/env python3
"""Records what works on which kernel in docs/kernels.md: runs all live tests.

    sudo scripts/record_kernels.py              on every usual kernel, and on this one
    sudo scripts/record_kernels.py 6.12 native  on these; the others as last time
    scripts/record_kernels.py --saved           as last time, by ./test --guests or this

A table stands between two comments, `<!-- recorded: NAME -->` and
`<!-- end of recorded -->`.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.guests import guest, kernel_table, kernels, live_run, results

PAGE = guest.TREE / "docs" / "kernels.md"


def run(machine: str) -> None:
    """Runs the live tests there, and tells what did not pass."""
    native = machine == live_run.NATIVE
    found, failure = live_run.natively() if native else live_run.in_guest(machine)
    bad = [
        entry
        for entry in found.tests.values()
        if entry["outcome"] not in ("passed", "skipped")
    ]
    print(f"{machine}: {len(found.tests)} tests, {len(bad)} of them failed", flush=True)
    for entry in bad:
        print(f"{machine}: {entry['outcome']}: {entry['test']}", entry.get("detail"))
    if not found.is_examined or any(entry["outcome"] == "started" for entry in bad):
        print(failure)


def main() -> None:
    """Runs what is asked for, and writes the page."""
    machines = (*kernels.ALL, live_run.NATIVE)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="*", metavar="KERNEL")
    parser.add_argument("--saved", action="store_true", help="run nothing")
    options = parser.parse_args()
    # Unlike the signal's default action, exiting removes temporary files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unknown = set(options.machines) - set(machines)
    if unknown:
        parser.error(f"there is no kernel {', '.join(unknown)} ({', '.join(machines)})")
    if not options.saved:
        usual = (*kernels.names(kernels.KERNELS), live_run.NATIVE)
        for machine in options.machines or usual:
            run(machine)
    page = PAGE.read_text()
    PAGE.write_text(kernel_table.filled(page, results.saved()))


if __name__ == "__main__":
    main()
