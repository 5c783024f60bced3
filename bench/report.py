"""Collects the figures of several rounds and prints their medians as a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from bench.peers import Contender
from bench.running import DoesNotRun


class Column(NamedTuple):
    """A figure: its key in the samples, and how to show it."""

    key: str
    title: str
    spec: str = ".0f"
    ratio: bool = True  # shown for peers: how many times skep's


Sample = dict[str, float]


def measure(
    contenders: Sequence[Contender],
    rounds: int,
    sample: Callable[[Contender], Sample],
) -> dict[str, Sample]:
    """The medians of each contender's samples, which are taken in turns.

    A contender that does not run is named on standard error and left out.
    """
    samples: dict[str, list[Sample]] = {}
    running = list(contenders)
    for _ in range(rounds):
        for contender in tuple(running):
            try:
                samples.setdefault(contender.name, []).append(sample(contender))
            except DoesNotRun as reason:
                print(f"{contender.name} does not run: {reason}", file=sys.stderr)
                samples.pop(contender.name, None)
                running.remove(contender)
    return {name: _medians(taken) for name, taken in samples.items() if taken}


def _medians(samples: Sequence[Sample]) -> Sample:
    return {key: median(sample[key] for sample in samples) for key in samples[0]}


def print_table(
    title: str, columns: Sequence[Column], results: dict[str, Sample]
) -> None:
    """Prints a line per contender; a peer's figures with their ratio to skep's."""
    ours = results.get("skep")
    lines = [["", *(column.title for column in columns)]]
    for name, figures in results.items():
        peer = None if name == "skep" else ours
        lines.append([name, *(_cell(column, figures, peer) for column in columns)])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    print(f"\n{title}")
    for line in lines:
        first, *rest = (cell.rjust(width) for cell, width in zip(line, widths))
        print("  ".join([first.strip().ljust(widths[0]), *rest]).rstrip())


def _cell(column: Column, figures: Sample, ours: Sample | None) -> str:
    value = figures.get(column.key)
    if value is None:
        return "-"
    text = format(value, column.spec)
    if not ours or not column.ratio or not ours.get(column.key):
        return text
    return f"{text} ({value / ours[column.key]:.2f}x)"
