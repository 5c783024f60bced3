"""Values of options: their limits, and the filters they stand for."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Collection
from typing import Any, Callable, TypeVar

from skep.errors import UsageError, did_you_mean
from skep.output.filters import Filter

N = TypeVar("N", int, float)

_LARGEST_RING = 1 << 31
"""Bytes: the largest power of two that max_entries, a u32, can hold."""


def positive(number: N) -> N:
    """The number, if it is more than zero.  Raises UsageError."""
    if not number > 0:  # nor is NaN
        raise UsageError(f"{number:g} is not more than zero")
    return number


def not_negative(number: N) -> N:
    """The number, if it is zero or more.  Raises UsageError."""
    if not number >= 0:
        raise UsageError(f"{number:g} is less than zero")
    return number


_LONGEST = (1 << 63) // 10**6
"""The milliseconds that fit into 64 bits as nanoseconds, some 292 years."""

_MOST_CPUS = 8192
"""As many as a kernel can have (NR_CPUS, arch/x86/Kconfig)."""


def limit_of_time(number: N) -> N:
    """The number, if so many milliseconds, or less, can be measured.

    Raises UsageError.
    """
    if not_negative(number) > _LONGEST:
        raise UsageError(f"{number:g} is longer than anything can take")
    return number


def cpu(number: int) -> int:
    """The number, if it can be that of a CPU.  Raises UsageError."""
    if not 0 <= number < _MOST_CPUS:
        raise UsageError(f"{number} is not between 0 and {_MOST_CPUS - 1}")
    return number


def pages(number: int) -> int:
    """A number of pages for a ring buffer: a power of two.  Raises UsageError."""
    if number <= 0 or number & (number - 1):
        raise UsageError(f"{number} is not a power of two")
    if number * mmap.PAGESIZE > _LARGEST_RING:
        raise UsageError(f"{number} pages are more than a ring buffer can have")
    return number


def check_drawn(options: Any) -> bool:
    """Whether `folded` or `flamegraph` is asked for, and nothing that contradicts it.

    Raises UsageError.
    """
    if not (options.folded or options.flamegraph):
        return False
    if options.format != "table" or options.sort or options.columns:
        raise UsageError(
            "folded stacks and flame graphs have a form and an order of their own",
            hint="leave out --json, --format, --sort and --columns",
        )
    return True


def check_stacks(options: Any) -> None:
    """The options `folded` and `flamegraph` of a tool that shows stacks with
    `kernel_stack` and `user_stack`: without either of them, both.  Raises UsageError.
    """
    if check_drawn(options) and not (options.user_stack or options.kernel_stack):
        options.user_stack = options.kernel_stack = True


def own_pid() -> int:
    """The process that traces."""
    return os.getpid()


def one_of(names: Collection[str], kind: str) -> Callable[[str], str]:
    """A check that text is one of the names, `kind` what these are the names of.

    It raises UsageError.
    """

    def check(text: str) -> str:
        if text not in names:
            known = sorted(names)
            hint = did_you_mean(text, known) or f"it knows {', '.join(known)}"
            raise UsageError(f"'{text}' is no {kind} that skep knows", hint=hint)
        return text

    return check


def choose_csv(options: Any, flag: str) -> None:
    """Let a tool's own option `csv` choose the format.  Raises UsageError."""
    if options.csv and options.format == "json":
        raise UsageError(f"{flag} and --format json exclude each other")
    if options.csv:
        options.format = "csv"


def contains(text: str, part: str | None) -> list[Filter]:
    """The condition that the text of a member contains `part`; none for None."""
    if part is None:
        return []
    return [Filter(f"part in ({text} or '')", {"part": part})]


def matches(text: str, pattern: str | None) -> list[Filter]:
    """The condition that a regular expression is found in text; none for None.

    `text` is a Python expression over members.  Raises UsageError for a bad pattern.
    """
    if pattern is None:
        return []
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"'{pattern}' is no regular expression: {error}") from None
    return [Filter(f"rule.search({text})", {"rule": rule})]
