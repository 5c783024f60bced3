"""Telling `(type)` from `(expression)`, without the kernel's types at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from skep.btf.typename import base_type
from skep.frontends.cexpr.lexer import Token
from skep.named_tuple import NamedTuple

_TAGS = ("struct", "union", "enum")
_WORDS = (
    *("void", "char", "short", "int", "long", "signed", "unsigned"),
    *("const", "volatile", "__user", "__rcu"),
)


class TypeText(NamedTuple):
    """A type in parentheses; `end` is the token of the closing one.

    `certain` tells that it can be nothing else; otherwise it is a name, perhaps of a
    typedef.
    """

    text: str
    certain: bool
    end: int


def is_keyword(name: str) -> bool:
    """Whether C uses a name for types only."""
    return name in _TAGS or name in _WORDS


def type_at(
    tokens: Sequence[Token], position: int, is_word: Callable[[str], bool]
) -> TypeText | None:
    """The type that begins behind an opening parenthesis, None if there is none."""
    first, pieces, stars = tokens[position], [], 0
    while tokens[position].kind == "name" or tokens[position].text == "*":
        token = tokens[position]
        stars += token.text == "*"
        pieces.append(token.text)
        position += 1
    if not pieces or first.kind != "name" or tokens[position].text != ")":
        return None
    if is_keyword(first.text):
        certain = True
    elif is_word(first.text) or len(pieces) - stars != 1:
        return None
    else:
        # An expression neither ends in a star nor, by convention, in `_t`.
        name = first.text
        certain = bool(stars or base_type(name) or name.endswith("_t"))
    return TypeText(" ".join(pieces), certain, position)


def is_cast(tokens: Sequence[Token], found: TypeText) -> bool:
    """Whether what follows a name in parentheses makes it a cast.

    Behind an expression no other operand can follow.
    """
    following = tokens[found.end + 1]
    if following.kind == "operator":
        return found.certain or following.text in ("(", "~", "!")
    return following.kind != "end"
