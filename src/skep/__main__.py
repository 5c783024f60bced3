"""`python3 -m skep`, and the program `skep` of an installed wheel."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # beneath "signal"
import gc
import os


def run() -> None:
    """Run skep and end the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a tool waits for Ctrl-C, it dies of it: without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # the run loop enables it
    from skep.cli import main

    # Everything is closed and nothing is buffered.
    os._exit(main())


if __name__ == "__main__":
    run()
