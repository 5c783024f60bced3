"""Numbers, characters and texts as C spells them."""

from __future__ import annotations

import re

from skep.compiler import tree
from skep.errors import UsageError
from skep.frontends.cexpr.lexer import Place, Token

_NUMBER = re.compile(
    r"(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)|(?P<octal>0[0-7]*)"
    r"|(?P<decimal>[1-9][0-9]*))(?P<suffix>[uUlL]*)"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_SUFFIXES = ("", "u", "l", "ul", "lu", "ll", "ull", "llu")

_TYPES = (
    ("int", (1 << 31) - 1, "signed"),
    ("unsigned int", (1 << 32) - 1, "unsigned"),
    ("long", (1 << 63) - 1, "signed"),
    ("unsigned long", (1 << 64) - 1, "unsigned"),
)
"""Types for a literal without a suffix, with their largest numbers; long and long long
are the same on Linux's 64-bit machines."""

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(.))", re.S)
_ESCAPES = {
    **{"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27},
    **{"\\": 92, "'": 39, '"': 34, "?": 63},
}


def number(token: Token, span: Place) -> tree.CLiteral:
    """An integer, with the type that C gives it by its base, size and suffix."""
    place = span(token.start, token.end)
    match = _NUMBER.fullmatch(token.text)
    suffix = match["suffix"].lower() if match else "?"
    if match is None or suffix not in _SUFFIXES:
        raise UsageError(
            f"'{token.text}' is no integer",
            place,
            hint="there is no floating point in the kernel"
            if "." in token.text
            else "integers look like 42, 0x2a, 052 or 42UL",
        )
    base = next(name for name in _BASES if match[name])
    digits = match[base].lstrip("0")
    # Python refuses to read thousands of digits; 64 bits have no more than 64.
    value = int(digits or "0", _BASES[base]) if len(digits) <= 64 else 1 << 64
    for type_, largest, sign in _TYPES:
        fits = value <= largest and not ("l" in suffix and type_.endswith("int"))
        if sign == "signed":
            fits = fits and "u" not in suffix
        else:
            # A decimal number becomes unsigned only if asked to, or beyond 63 bits.
            fits = fits and ("u" in suffix or base != "decimal" or value >> 63 == 1)
        if fits:
            return tree.CLiteral(value, type_, place)
    raise UsageError(f"{token.text} does not fit into 64 bits", place)


def character(token: Token, span: Place) -> tree.CLiteral:
    """A character, which is an int to C."""
    place = span(token.start, token.end)
    value = _unescaped(token.text[1:-1], token, span)
    if len(value) != 1:
        raise UsageError(
            f"{token.text} is not one character",
            place,
            hint='a text has double quotes: "abc"' if value else "",
        )
    return tree.CLiteral(value[0], "int", place)


def text(token: Token, span: Place) -> tree.Literal:
    """The bytes of a text, without the NUL at its end."""
    place = span(token.start, token.end)
    return tree.Literal(_unescaped(token.text[1:-1], token, span), place)


def _unescaped(inner: str, token: Token, span: Place) -> bytes:
    result, position = bytearray(), 0
    for match in _ESCAPE.finditer(inner):
        result += _encoded(inner[position : match.start()])
        position = match.end()
        hexadecimal, octal, single = match.groups()
        if single:
            value = _ESCAPES.get(single, 256)
        else:
            value = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        if value > 255:
            start = token.start + 1 + match.start()
            raise UsageError(
                f"{match[0]} is no character of one byte",
                span(start, start + len(match[0])),
            )
        result.append(value)
    return bytes(result + _encoded(inner[position:]))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
