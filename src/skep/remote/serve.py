"""The other end of `--host`: a tool that runs for another skep."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from skep.errors import UsageError
from skep.remote.wire import WireWriter
from skep.toolkit.arguments import parse
from skep.toolkit.run import run
from skep.toolkit.tool import load


def serve(arguments: Sequence[str]) -> int:
    """Run a tool whose output goes to standard output as `skep.remote.wire` has it.

    The arguments are a time zone, as TZ has it, and a command line.  The tool ends as
    at Ctrl-C when something comes from standard input, or that ends.
    """
    if len(arguments) < 2:
        raise UsageError("'serve' is what --host runs at the other end")
    zone, name, *words = arguments
    # What else is written, by --exec for instance, must not get in between.
    output, control = os.dup(1), os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # For the C library alone: what `--exec` runs gets `os.environ`, as it is here.
    os.putenv("TZ", zone)
    time.tzset()
    tool = load(name)
    options = parse(tool, words)
    check(tool.name, options)
    return run(tool, options, WireWriter(output), control)


def check(tool: str, options: Any) -> None:
    """Raise UsageError for options that are about one machine."""
    for name, reason in ONE_MACHINE.items():
        if getattr(options, name, None):
            raise UsageError(
                f"--{name} does not go with --host: {reason}",
                hint=f"run 'skep {tool} --{name} …' there",
            )


ONE_MACHINE = {
    "record": "it writes a file there",
    "dump": "programs are compiled for one kernel",
    "flamegraph": "it writes a file there",
}
"""Options that are refused, and why."""
