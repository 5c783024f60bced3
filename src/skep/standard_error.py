"""What skep says to the user beside its output."""

from __future__ import annotations

import os

from skep.escape import escape


def tell(text: str) -> None:
    """Write lines to standard error, or nothing where that is not possible.

    What they quote may be from files and programs of others, so it is escaped.
    """
    lines = "\n".join(map(escape, text.split("\n")))
    try:
        os.write(2, lines.encode())
    except OSError:
        pass  # nobody can be told
