"""Patterns of names: of functions, tracepoints and USDT probes."""

from __future__ import annotations

import re


class Matching(str):
    """A regular expression that the whole of a name matches.

    Where a pattern may be given, other texts are names, in which "*" stands for any
    characters.
    """

    __slots__ = ()


def is_pattern(name: str) -> bool:
    """Whether several names may be meant."""
    return isinstance(name, Matching) or "*" in name


def expression(pattern: str) -> str:
    """A pattern as a regular expression."""
    if isinstance(pattern, Matching):
        return f"(?:{pattern})"
    return ".*".join(map(re.escape, pattern.split("*")))


def matcher(pattern: str) -> re.Pattern[str]:
    """What matches the names with its method `fullmatch`."""
    return re.compile(expression(pattern), re.DOTALL)
