"""C expressions to tokens."""

from __future__ import annotations

import re
from typing import Callable

from skep.errors import Span, UsageError
from skep.named_tuple import NamedTuple

Place = Callable[[int, int], Span]
"""What gives the place of characters `start` to `end` of an expression, for errors."""


class Token(NamedTuple):
    """A piece of an expression, from character `start` to `end`.

    `kind` is "name", "number", "character", "text", "operator", or "end" behind the
    last one.  `text` is as written.
    """

    kind: str
    text: str
    start: int
    end: int


MOST = 400
"""Tokens of an expression; more would nest deeper than Python's stack goes."""

OPERATORS = (
    *("<<=", ">>=", "..."),
    *("->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--"),
    *("+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="),
    *"+-*/%<>=!~&|^?:.,()[]{};",
)

ASSIGNING = (
    *("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"),
)
"""Operators that change something."""

_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<name>\$?[A-Za-z_]\w*(?:@user\b)?|\$\w*)
    |(?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
    |(?P<character>'(?:\\.|[^'\\\n])*')
    |(?P<text>"(?:\\.|[^"\\\n])*")
    |(?P<operator>{"|".join(map(re.escape, OPERATORS))})
    |(?P<end>$)
    )""",
    re.VERBOSE | re.ASCII,
)


def tokens_of(text: str, span: Place) -> list[Token]:
    """The tokens of a text, the last of kind "end".

    Raises UsageError for characters that C has no use for and quotes that do not end.
    """
    tokens: list[Token] = []
    position = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _unknown(text, position, span)
        start = match.start(match.lastgroup)
        token = Token(match.lastgroup, match[match.lastgroup], start, match.end())
        if len(tokens) == MOST:
            raise UsageError("the expression is too long", span(start, match.end()))
        tokens.append(token)
        position = match.end()
    return tokens


def _unknown(text: str, position: int, span: Place) -> UsageError:
    while text[position].isspace():
        position += 1
    character = text[position]
    if character in "\"'":
        what = "text" if character == '"' else "character"
        return UsageError(
            f"this {what} has no closing {character}", span(position, len(text))
        )
    return UsageError(
        f"{character!r} does not belong in a C expression",
        span(position, position + 1),
    )
