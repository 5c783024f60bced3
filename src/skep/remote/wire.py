"""What goes over the connection: the output of a run, divided by what it is.

Every line is a JSON object with one key, the kind, and what there is of it:

    banner    what the tool says at its start
    header    titles of columns
    rows      a list of rows, with their line feeds, in the form that was asked for
    ranked    pairs of what a row is sorted by and the row
    counted   pairs of a row and how often it came
    bare      lines that are no rows
    report    what a report begins with, whether it is the last one of the run,
              whether it is to be shown with all before it, and its parts: pairs of
              the name of a class and its fields
    farewell  what the tool says at its end
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skep.output.ranking import plain_key
from skep.output.writer import Part, Writer

Frame = tuple[str, Any]
"""The kind, and what there is of it."""


class WireWriter(Writer):
    """Writes output to another skep."""

    __slots__ = ("_head", "_parts")

    merges = True

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._head = ""
        self._parts: list[tuple[str, Any]] = []

    def banner(self, text: str) -> None:
        """Send what the tool says at its start."""
        if text:
            self.send("banner", text)

    def header(self, text: str) -> None:
        """Send the titles; JSON has none."""
        if text:
            self.send("header", text)

    def lines(self, lines: Sequence[str]) -> None:
        """Send rows."""
        if lines:
            self.send("rows", list(lines))

    def text(self, text: str) -> None:
        """Send a row."""
        self.lines([text] if text else [])

    def ranked(self, rows: Sequence[str], keys: Iterable[Any]) -> None:
        """Send rows with their keys, which are raw values."""
        self.send("ranked", [[plain_key(key), row] for key, row in zip(keys, rows)])

    def counted(self, rows: Mapping[str, int]) -> None:
        """Send rows with their numbers."""
        self.send("counted", list(rows.items()))

    def bare(self, lines: Sequence[str]) -> None:
        """Send lines that are no rows."""
        self.send("bare", list(lines))

    def report(self, head: str, time_ns: int) -> None:
        """Begin a report."""
        self._head, self._parts = head, []

    def part(self, part: Part) -> None:
        """Take a part of a report: a named tuple of plain values."""
        self._parts.append((type(part).__name__, part))

    def end_report(self, is_last: bool, is_cumulative: bool) -> None:
        """Send the report."""
        self.send("report", [self._head, is_last, is_cumulative, self._parts])

    def farewell(self, text: str) -> None:
        """Send what the tool says at its end."""
        self.send("farewell", text)

    def send(self, kind: str, content: Any) -> None:
        """Send a line.  Raises OutputClosed, SkepError."""
        super().text(json.dumps({kind: content}, separators=(",", ":")) + "\n")


class NotWire(Exception):
    """A line that no skep sends."""


def frame(line: bytes) -> Frame:
    """What a line says.  Raises NotWire."""
    try:
        found = json.loads(line, parse_constant=_refuse)
        ((kind, content),) = found.items()
    except (ValueError, AttributeError, RecursionError):
        raise NotWire from None
    return kind, content


def _refuse(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def text_of(content: Any) -> str:
    """Content that is a text.  Raises NotWire."""
    if not isinstance(content, str):
        raise NotWire
    return content


def texts_of(content: Any) -> list[str]:
    """Content that is a list of texts.  Raises NotWire."""
    if not isinstance(content, list):
        raise NotWire
    return [text_of(each) for each in content]


def pairs_of(content: Any) -> list[tuple[Any, Any]]:
    """Content that is a list of pairs.  Raises NotWire."""
    if not isinstance(content, list):
        raise NotWire
    if not all(isinstance(each, list) and len(each) == 2 for each in content):
        raise NotWire
    return [(first, second) for first, second in content]


def number_of(content: Any) -> int:
    """Content that is a number as it can be counted.  Raises NotWire."""
    if type(content) is not int or not 0 <= content < 1 << 80:
        raise NotWire
    return content


def json_object(content: Any) -> dict[str, Any]:
    """The object that a line of JSON says.  Raises NotWire."""
    try:
        found = json.loads(text_of(content), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotWire from None
    if not isinstance(found, dict):
        raise NotWire
    return found
