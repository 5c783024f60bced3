"""Formats as of printf: what each conversion takes from the kernel, and how it shows.

Numbers are cut to the C type that a conversion asks for, as printf would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from skep.errors import Span, UsageError
from skep.named_tuple import NamedTuple

_CONVERSION = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>\d*)(?P<precision>(?:\.\d*)?)"
    r"(?P<length>hh|h|ll|l|j|z|t|)(?P<kind>[a-zA-Z%])?"
)

_BITS = {"hh": 8, "h": 16, "": 32, "l": 64, "ll": 64, "j": 64, "z": 64, "t": 64}

_SIGNED, _UNSIGNED = "di", "uxXo"
_OTHERS = {"c": "u8", "p": "u64", "s": "string", "K": "u64", "U": "u64"}

_KNOWN = "%d %i %u %x %X %o %c %s %p, with l, ll, h, hh and a width; %K and %U"

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "a": "\a", "r": "\r", "0": "\0"}

_WIDEST = 1000
"""The largest width and precision: more is a mistake."""


class Conversion(NamedTuple):
    """One conversion: its letter, the C type that it asks for ("string" for text), how
    Python shows it, and where it stands in the format."""

    kind: str
    ctype: str
    python: str
    start: int
    end: int


class Format(NamedTuple):
    """A format: texts and conversions in turn, text first and last.

    `source` is how it was written.
    """

    texts: Sequence[str]
    conversions: Sequence[Conversion]
    source: str

    @property
    def template(self) -> str:
        """The format for Python's own `%`."""
        pieces = [text.replace("%", "%%") for text in self.texts]
        for index, each in enumerate(self.conversions):
            pieces[index] += each.python
        return "".join(pieces)


def parse_format(text: str, span: Callable[[int, int], Span]) -> Format:
    """Read a format; `span` gives the place of its characters.

    Raises UsageError for a conversion that there is none of.
    """
    texts, conversions = [""], []
    position = 0
    for match in _CONVERSION.finditer(text):
        texts[-1] += _unescaped(text[position : match.start()])
        position = match.end()
        if match["kind"] == "%" and match[0] == "%%":
            texts[-1] += "%"
            continue
        conversions.append(_conversion(match, span))
        texts.append("")
    texts[-1] += _unescaped(text[position:])
    return Format(texts, conversions, text)


def _conversion(match: re.Match[str], span: Callable[[int, int], Span]) -> Conversion:
    kind, length = match["kind"] or "", match["length"]
    place = span(match.start(), match.end())
    if kind in tuple("eEfFgGaA"):
        raise UsageError(
            f"'{match[0]}': the kernel has no fractions", place, hint=f"known: {_KNOWN}"
        )
    if kind and kind in _SIGNED + _UNSIGNED:
        sign = "s" if kind in _SIGNED else "u"
        ctype = f"{sign}{_BITS[length]}"
        letter = "d" if kind in "diu" else kind
    elif kind in _OTHERS and not length:
        ctype = _OTHERS[kind]
        letter = "s"
    else:
        raise UsageError(
            f"'{match[0]}' is no conversion", place, hint=f"known: {_KNOWN}"
        )
    sizes = (match["width"], match["precision"][1:])
    digits = [size.lstrip("0") for size in sizes]
    # Python refuses to read thousands of digits.
    if any(len(size) > 9 or int(size or "0") > _WIDEST for size in digits):
        raise UsageError(f"'{match[0]}' is wider than {_WIDEST}", place)
    flags = match["flags"]
    if kind not in tuple(_SIGNED):
        flags = flags.replace("+", "").replace(" ", "")  # C knows no sign there
    if kind == "o" and "#" in flags:
        flags, letter = flags.replace("#", ""), "s"  # Python would say 0o755
    shown = f"%{flags}{match['width']}{match['precision']}{letter}"
    return Conversion(kind, ctype, shown, match.start(), match.end())


def _unescaped(text: str) -> str:
    """C's escapes replaced by what they mean."""
    return re.sub(
        r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.S
    )
