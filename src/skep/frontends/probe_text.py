"""What the languages of one-liners share: texts with places, and names of probes."""

from __future__ import annotations

from skep.errors import Span, UsageError
from skep.named_tuple import NamedTuple


class Part(NamedTuple):
    """A piece of what the user wrote: `text` starts at the character `start` of the
    `whole`."""

    whole: str
    start: int
    text: str

    def span(self, start: int, end: int) -> Span:
        """The place of characters of this part."""
        first = self.start + start
        last = max(first + 1, self.start + end)
        return Span("probe", 1, first, last, self.whole)

    @property
    def place(self) -> Span:
        """Where all of it is."""
        return self.span(0, len(self.text))

    @property
    def end(self) -> int:
        """The character of the whole behind this part."""
        return self.start + len(self.text)

    def part(self, start: int, end: int | None = None) -> Part:
        """A part of the part, from the character `start` to that before `end`."""
        return Part(self.whole, self.start + start, self.text[start:end])

    def stripped(self) -> Part:
        """The part without white space around it."""
        left = len(self.text) - len(self.text.lstrip())
        return Part(self.whole, self.start + left, self.text.strip())

    def split(self, separator: str) -> list[Part]:
        """The parts between separators, wherever they stand."""
        parts, position = [], 0
        for text in self.text.split(separator):
            parts.append(Part(self.whole, self.start + position, text))
            position += len(text) + len(separator)
        return parts


def whole(text: str) -> Part:
    """All of a text."""
    return Part(text, 0, text)


def number_of(part: Part) -> int:
    """A number in decimal, or in hexadecimal after 0x.  Raises UsageError."""
    try:
        return int(part.text, 0)
    except ValueError:
        raise UsageError(
            f"'{part.text}' is no number", part.place, hint="expected 16 or 0x10"
        ) from None
