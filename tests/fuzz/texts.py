"""Random texts for the parsers of one-liners: an error with its place, or a tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Callable

from skep.compiler.tree_text import expression_text
from skep.errors import InternalError, SkepError, Span
from skep.frontends import argdist, trace
from skep.frontends.cexpr import parse_expression
from skep.frontends.probe_text import Part, whole
from tests.fuzz.choices import Choices
from tests.fuzz.subject import Case, Failure, Subject, failed

_NAMES = ("a", "arg1", "retval", "$pid", "$", "$entry", "$latency", "args", "sizeof")
_NAMES += (
    "STRCMP",
    "O_CREAT",
    "u64",
    "struct",
    "unsigned",
    "filename@user",
    "int",
    "_",
)
_NUMBERS = ("0", "1", "0x7f", "0X", "08", "1ULL", "1.5", "1e9", "0b1", "9" * 30, "-1")
_NUMBERS += (
    "'a'",
    "'\\n'",
    "''",
    "'ab'",
    "18446744073709551616",
    "0x" + "f" * 17,
    "7" * 5000,
)
_STRINGS = (
    '""',
    '"a"',
    '"\\"',
    '"%d"',
    '"%s %-5.3x%%"',
    f'"%{"8" * 5000}d"',
    '"\\x"',
    '"%',
    '"',
    '"\xe9"',
)
_BINARY = ("+", "-", "*", "/", "%", "<<", ">>", "<", "<=", ">", ">=", "==", "!=")
_BINARY += ("&", "|", "^", "&&", "||")
_TYPES = (
    "int",
    "u64",
    "char *",
    "struct file *",
    "unsigned long long",
    "void",
    "long *",
    f"int[{'9' * 5000}]",
)
_ODD = (
    "\0",
    "\n",
    "\t",
    "\x1b",
    "\u00b2",
    "\u0661",
    "\udcff",
    "\u202e",
    "#",
    "@",
    "\\",
)
_ODD += (";", "=", "+=", "++", "--", "->", ".", "...", ",", ":", "::", "?", "(", ")")
_ODD += ("[", "]", "{", "}", "%", "`", "'", '"', " ", "  ", "((", "))", "$", "!", "~")
_PLACES = ("vfs_read", "p::vfs_read", "c:malloc", "r:c:gets", "t:sched:sched_switch")
_PLACES += ("u:c:setjmp", "p:/a:b:f", "vfs_read+0x10", "c:f+1", "q:x:y", "u:", "", ":")
_PLACES += ("r::vfs_read", "*", "t:", "p:", "vfs_read+", "p::f+-1", "x" * 300)
_SIGNATURES = ("", "()", "(int a)", "(struct file *f, char *b)", "(,)", "(int)", "(")
_SIGNATURES += (
    "(...)",
    "(void)",
    "(char __user *p, size_t n)",
    f"(int a[{'9' * 5000}])",
    "(int a[4])",
    "(int a,)",
)


def expression(choices: Choices, depth: int = 4) -> str:
    """An expression of C, as a rule."""
    if choices.chance(50):
        return choices.one(("a", "retval", "arg1", "1"))
    if depth == 0:
        kinds = (_NAMES, _NUMBERS, _NAMES, _STRINGS)
        return choices.one(choices.one(kinds))

    def inner() -> str:
        return expression(choices, choices.number(0, depth - 1))

    forms: Sequence[Callable[[], str]] = (
        inner,
        lambda: f"{inner()} {choices.one(_BINARY)} {inner()}",
        lambda: f"({inner()})",
        lambda: f"{choices.one(('-', '!', '~', '*', '&', '+'))}{inner()}",
        lambda: f"{inner()}->{choices.one(_NAMES)}",
        lambda: f"{inner()}.{choices.one(_NAMES)}",
        lambda: f"{inner()}[{inner()}]",
        lambda: f"({choices.one(_TYPES)}){inner()}",
        lambda: f"{inner()} ? {inner()} : {inner()}",
        lambda: f"{choices.one(_NAMES)}({inner()}, {inner()})",
        lambda: f"sizeof({choices.one((inner(), *_TYPES))})",
        lambda: choices.one((" + ", "->", " ? 1 : ", "[0]", ".")).join(
            [choices.one(_NAMES)] * choices.number(1, 1500)
        ),
        lambda: inner() + choices.one(("()", "[]", "++", "+", "(", "->")),
        lambda: choices.one(("(", "-", "!", "(int)", "a[")) * choices.number(1, 200),
    )
    return choices.one(forms)()


def probe(choices: Choices) -> str:
    """A probe of `trace`."""
    text = choices.one(_PLACES) + choices.one(_SIGNATURES)
    if choices.chance(50):
        text += f" ({expression(choices)})"
    if choices.chance(60):
        values = [expression(choices, 2) for _ in range(choices.number(0, 3))]
        text += " " + ", ".join([choices.one(_STRINGS), *values])
    return text


def specifier(choices: Choices) -> str:
    """A specifier of `argdist`."""
    text = choices.one(("p:", "r:", "p:", "r:", "t:", "u:", "", "x:"))
    text += choices.one(("", "c", "", "c", "sched", "/a:b", ":")) + ":"
    text += choices.one(("f", "vfs_read", "sched_switch", "f", ""))
    text += "()" if choices.chance(50) else choices.one(_SIGNATURES)
    if choices.chance(70):
        number = choices.number(1, 3)
        text += ":" + ",".join(choices.one(_TYPES) for _ in range(number))
        number += choices.chance(10)
        text += ":" + ",".join(expression(choices, 2) for _ in range(number))
    if choices.chance(40):
        text += f":{expression(choices)}"
    if choices.chance(25):
        text += choices.one(("#label", "#", "##", "#a#b", "# a : b"))
    return text


def spoiled(choices: Choices, text: str) -> str:
    """The text with a few changes."""
    for _ in range(max(0, choices.number(-3, 3))):
        at = choices.number(0, len(text))
        end = min(len(text), at + choices.number(0, 6))
        action = choices.number(0, 2)
        if action == 0:
            text = text[:at] + choices.one(_ODD) + text[at:]
        elif action == 1:
            text = text[:at] + text[end:]
        else:
            text = text[:end] + text[at:end] + text[end:]
    return text


def parts_of_trace(text: str) -> Iterator[Part]:
    """The expressions in a probe."""
    parsed = trace.parse(text)
    yield from parsed.values
    if parsed.predicate is not None:
        yield parsed.predicate


def parts_of_argdist(text: str) -> Iterator[Part]:
    """The expressions in a specifier, of a histogram or not."""
    parsed = argdist.parse(text, histogram=len(text) % 2 == 1)
    yield from (v.expression for v in parsed.values if v.expression is not None)
    if parsed.filter is not None:
        yield parsed.filter


class Text(Case):
    """A text, and what finds the expressions in it."""

    def __init__(self, text: str, parts: Callable[[str], Iterator[Part]]) -> None:
        self._text = text
        self._parts = parts

    @property
    def text(self) -> str:
        """It is kept as Python writes it, as it may have any characters."""
        return ascii(self._text)

    def check(self) -> str:
        """Parse everything."""
        try:
            for part in self._parts(self._text):
                expression_text(parse_expression(part.text, part.span))
        except SkepError as error:
            if isinstance(error, InternalError):
                raise failed(error) from error
            self._check_error(error)
            return "refused"
        except Exception as error:
            raise failed(error) from error
        return "parsed"

    def _check_error(self, error: SkepError) -> None:
        message, span = error.diagnostic.message, error.diagnostic.span
        if not message or not str(error):
            raise Failure("an error says nothing")
        if span is None:
            if self._text.strip():
                raise Failure(f"no place: {message}")
            return
        if not self._is_inside(span):
            raise Failure(f"the place is outside: {message}", repr(span))

    def _is_inside(self, span: Span) -> bool:
        """Whether a place is in the text, or right behind it."""
        return 0 <= span.column < span.end_column <= len(self._text) + 1


class Texts(Subject):
    """The texts of one language."""

    def __init__(
        self,
        name: str,
        make: Callable[[Choices], str],
        parts: Callable[[str], Iterator[Part]],
    ) -> None:
        self.name = name
        self._make = make
        self._parts = parts

    def case(self, choices: Choices) -> Case:
        """One that may be right, or almost."""
        return Text(spoiled(choices, self._make(choices)), self._parts)

    def kept(self, text: str) -> Case:
        """The text from its literal."""
        literal = text.strip()
        return Text(ast.literal_eval(literal), self._parts)


TEXTS = (
    Texts("c", expression, lambda text: iter((whole(text),))),
    Texts("trace", probe, parts_of_trace),
    Texts("argdist", specifier, parts_of_argdist),
)
