"""Stacks in one line each, as programs that draw flame graphs read them.

    comm;outermost;…;innermost;outermost of the kernel;…;innermost of the kernel COUNT

A semicolon in a name, as in Rust's "[u8; 4]", becomes a colon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skep.escape import escape
from skep.named_tuple import NamedTuple

DELIMITER = "-"
"""What divides the frames of the program from those of the kernel, where asked for."""


class FoldedStack(NamedTuple):
    """A stack as names of functions, the outermost first; the kernel called last."""

    comm: str
    user: Sequence[str] = ()
    kernel: Sequence[str] = ()


def fold(comm: str, user: Iterable[str], kernel: Iterable[str]) -> FoldedStack:
    """A stack of frames that come as the kernel has them, the innermost first."""
    return FoldedStack(comm, tuple(user)[::-1], tuple(kernel)[::-1])


def folded_line(stack: FoldedStack, count: int, delimited: bool = False) -> str:
    """A line with its newline.  `comm` is "" where stacks of many are one."""
    between = (DELIMITER,) if delimited and stack.user and stack.kernel else ()
    words = [clean(word) for word in (stack.comm, *stack.user)]
    words += [*between, *map(clean, stack.kernel)]
    return f"{';'.join(words)} {count}\n"


def clean(name: str) -> str:
    """A name that neither ends the line nor itself."""
    return escape(name.replace(";", ":"))


def folded_text(counts: Mapping[FoldedStack, int], delimited: bool = False) -> str:
    """All stacks with their counts, in the order of their names."""
    lines = (folded_line(each, n, delimited) for each, n in counts.items())
    return "".join(sorted(lines))
