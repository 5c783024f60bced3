"""Outputs that are made for one run: what a text asks for is in their records."""

from __future__ import annotations

from collections.abc import Sequence

from skep.authoring.outputs import Histogram, Stream, Table
from skep.authoring.records import Record
from skep.fields import Member
from skep.fields.distributions import number_of


def message_stream(number: int, members: Sequence[Member]) -> Stream:
    """The stream of a probe with a message.

    `number` tells the outputs of a run apart, here and below.
    """
    return Stream(Record.of(f"Probe{number}", members))


def counting_table(
    number: int, label: str, titles: Sequence[str], members: Sequence[Member]
) -> Table:
    """The table that counts how often the values of `members` came; see `number_of`."""
    kind = number_of(label, titles, members)
    key = Record.of(f"Key{number}", members)
    sums = Record.of(f"Sum{number}", [Member("count", kind)])
    return Table(key, sums, title=label, ranked=True)


def distribution(label: str, unit: str) -> Histogram:
    """The histogram of a value."""
    return Histogram(unit=unit, title=label)
