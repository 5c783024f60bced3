"""Finding the parts of a longer text without understanding them: quotes and
parentheses are respected."""

from __future__ import annotations

import re

from skep.errors import UsageError
from skep.frontends.cexpr.lexer import Place

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|.""", re.S)


def balanced_end(text: str, start: int, span: Place) -> int:
    """The position behind the parenthesis that closes the one at `start`.

    Raises UsageError, with the place of the one that is left open.
    """
    end = _walk(text, start, span, None)[0]
    assert end is not None
    return end


def split_list(
    text: str, span: Place, separator: str = ",", start: int = 0
) -> list[tuple[int, int]]:
    """(start, end) of the parts between separators outside of parentheses and quotes,
    without the white space around them.

    An empty text has no parts.  Raises UsageError for unbalanced parentheses.
    """
    if not text[start:].strip():
        return []
    parts, position = [], start
    for end in [*_walk(text, start, span, separator)[1], len(text)]:
        part = text[position:end]
        left = position + len(part) - len(part.lstrip())
        parts.append((min(left, end), max(left, position + len(part.rstrip()))))
        position = end + 1
    return parts


def _walk(
    text: str, start: int, span: Place, separator: str | None
) -> tuple[int | None, list[int]]:
    """Where the first parenthesis is closed and where separators stand.

    Without a separator the walk ends as soon as all is closed.
    """
    open_: list[tuple[str, int]] = []
    found: list[int] = []
    for match in _PIECE.finditer(text, start):
        piece, position = match[0], match.start()
        if piece in _CLOSING:
            open_.append((piece, position))
        elif piece in _CLOSING.values():
            if not open_ or _CLOSING[open_[-1][0]] != piece:
                raise UsageError(
                    f"nothing is open that '{piece}' could close",
                    span(position, position + 1),
                )
            open_.pop()
            if not open_ and separator is None:
                return match.end(), found
        elif piece == separator and not open_:
            found.append(position)
    if open_:
        parenthesis, position = open_[-1]
        raise UsageError(
            f"this '{parenthesis}' is never closed",
            span(position, position + 1),
            hint=f"expected '{_CLOSING[parenthesis]}'",
        )
    return None, found
