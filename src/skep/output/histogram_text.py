"""Histograms as text, with the rows and widths of bcc.

Counts are lists of counters.  In a histogram of powers of two, counter n is of the
values from 2**n to 2**(n+1) - 1, counter 0 also of the value 0; in a linear one,
counter n is of the value n.
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.named_tuple import NamedTuple

STARS = 40
"""Length of the longest bar."""

NARROW_ROWS = 32
"""Rows whose bounds fit in ten digits; a histogram with more is wide."""


class Bucket(NamedTuple):
    """A row: how many values were from `low` to `high`, both included."""

    low: int
    high: int
    samples: int


def log2_buckets(counts: Sequence[int]) -> list[Bucket]:
    """The rows of a histogram of powers of two, up to the last that is not empty."""
    return [
        Bucket(1 << slot if slot else 0, (2 << slot) - 1, count)
        for slot, count in enumerate(_used(counts))
    ]


def log2_text(counts: Sequence[int], label: str) -> str:
    """A histogram of powers of two; `label` is the unit, such as "usecs".

    Nothing at all where every counter is zero.
    """
    buckets = log2_buckets(counts)
    if not buckets:
        return ""
    is_wide = len(buckets) > NARROW_ROWS
    margin, label_width = (15, 29) if is_wide else (5, 19)
    width, stars = (20, STARS // 2) if is_wide else (10, STARS)
    largest = max(counts)
    lines = [f"{'':{margin}}{label:<{label_width}} : count     distribution"]
    for low, high, samples in buckets:
        bar = "*" * (stars * samples // largest)
        lines.append(
            f"{low:{width}d} -> {high:<{width}d} : {samples:<8d} |{bar:<{stars}}|"
        )
    return "\n".join(lines) + "\n"


def linear_buckets(counts: Sequence[int]) -> list[Bucket]:
    """The rows of a histogram of single values, up to the last that is not empty."""
    return [Bucket(value, value, count) for value, count in enumerate(_used(counts))]


def linear_text(counts: Sequence[int], label: str) -> str:
    """A histogram of single values; nothing where every counter is zero."""
    buckets = linear_buckets(counts)
    if not buckets:
        return ""
    largest = max(counts)
    lines = [f"     {label:<13s} : count     distribution"]
    for value, _, samples in buckets:
        bar = "*" * (STARS * samples // largest)
        lines.append(f"        {value:<10d} : {samples:<8d} |{bar:<{STARS}}|")
    return "\n".join(lines) + "\n"


def bcc_dict(
    counts: Sequence[int],
    label: str,
    timestamp: str,
    section: tuple[str, str] | None = None,
) -> str:
    """A histogram of powers of two as bcc's -j prints it: the repr of a dict.

    `timestamp` is local time as YYYY-mm-dd HH:MM:SS; `section` is name and title of
    the section, if there are any.
    """
    data = [
        {"interval-start": low, "interval-end": high, "count": samples}
        for low, high, samples in log2_buckets(counts)
    ]
    histogram: dict[str, object] = {"ts": timestamp, "val_type": label, "data": data}
    if section:
        name, title = section
        histogram[name] = title
    return f"{histogram}\n"


def _used(counts: Sequence[int]) -> Sequence[int]:
    """The counters up to the last that is not zero."""
    last = max((slot for slot, count in enumerate(counts) if count), default=-1)
    return counts[: last + 1]
