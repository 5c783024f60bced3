"""The machine's CPUs, as the kernel lists them."""

from __future__ import annotations

import functools

_DIRECTORY = "/sys/devices/system/cpu/"


def parse_list(text: str) -> list[int]:
    """The numbers of a list such as "0-3,8,10-11" (cpulist of lib/bitmap-str.c)."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            numbers += range(int(first), int(last or first) + 1)
    return numbers


@functools.cache
def possible() -> int:
    """How many CPUs there can ever be: a per-CPU map has a value for each."""
    with open(_DIRECTORY + "possible", encoding="ascii") as file:
        return max(parse_list(file.read())) + 1


def online() -> list[int]:
    """The CPUs that run at this moment."""
    with open(_DIRECTORY + "online", encoding="ascii") as file:
        return parse_list(file.read())
