"""Which functions, tracepoints or USDT probes are meant: the notation of bcc's
funccount and its kin."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from skep.arch import arch_of
from skep.errors import Span, UsageError
from skep.named_tuple import NamedTuple
from skep.symbols.name_pattern import Matching, is_pattern

_FORMS = {
    "p": (
        "FUNCTION or p::FUNCTION, of the kernel",
        "LIBRARY:FUNCTION, /PATH:FUNCTION or p:LIBRARY:FUNCTION, of a user program",
    ),
    "t": ("t:CATEGORY:EVENT, a tracepoint",),
    "u": ("u:LIBRARY:PROBE or u:LIBRARY:PROVIDER:PROBE, a USDT probe",),
}

# What the kernel puts in front of the name of a system call where a function does it.
_SYSCALL = re.compile(
    r"\^?(?:__x64_sys_|__arm64_sys_|__se_sys_|__do_sys_|sys_|SyS_)(?=.)"
)


class Places(NamedTuple):
    """What is meant.

    `kind` is "p" for functions, "t" for tracepoints, "u" for USDT probes; `library` is
    "" for functions of the kernel.  `name` may have "*" in it for any characters, or is
    a `Matching`; of tracepoints it is "category:event", of USDT probes also
    "provider:probe".  `span` is where the text says so.
    """

    kind: str
    library: str
    name: str
    span: Span

    @property
    def in_kernel(self) -> bool:
        """Whether functions of the kernel are meant."""
        return self.kind == "p" and not self.library

    @property
    def in_user(self) -> bool:
        """Whether functions of a library or program are meant."""
        return self.kind == "p" and bool(self.library)

    @property
    def syscall(self) -> str:
        """The system calls whose functions are meant, "" if none."""
        prefix = _SYSCALL.match(self.name) if self.in_kernel else None
        return _like(self.name, self.name[prefix.end() :]) if prefix else ""

    @property
    def syscall_names(self) -> tuple[str, ...]:
        """The one system call whose function is meant, or none."""
        if not self.syscall or is_pattern(self.name):
            return ()
        from skep.probes.syscall_table import name_of_event

        name = name_of_event(_arch(), self.syscall)
        return (name,) if name else ()

    @property
    def syscall_tracepoint(self) -> str:
        """The tracepoints at the start of these system calls."""
        return _like(self.name, f"syscalls:sys_enter_{self.syscall}")


def _like(pattern: str, text: str) -> str:
    return Matching(text) if isinstance(pattern, Matching) else text


def _arch() -> str:
    return arch_of(os.uname().machine).name


def syscall_places(places: Sequence[Places]) -> Sequence[str]:
    """The functions of those system calls that are meant one by one, each at the
    number of its call: what `place` is named by where it is such a number."""
    named = [
        (each.syscall_names[0], each.name) for each in places if each.syscall_names
    ]
    if not named:
        return ()
    from skep.probes.syscall_table import lookup

    found = [(lookup(_arch(), call), name) for call, name in named]
    numbers = {call.number: name for call, name in found if call}
    return [numbers.get(n, "") for n in range(max(numbers, default=-1) + 1)]


def parse(text: str, is_regular: bool = False, kinds: str = "ptu") -> Places:
    """What a text means; `is_regular` names are regular expressions.

    Only the `kinds` that a tool can do with are known.  Raises UsageError with the
    place in the text.
    """
    return _Parser(text, is_regular, kinds).places()


class _Part(NamedTuple):
    """A part of the text between colons."""

    text: str
    start: int


class _Parser:
    def __init__(self, text: str, is_regular: bool, kinds: str) -> None:
        self.text = text
        self.is_regular = is_regular
        self.kinds = kinds

    def places(self) -> Places:
        parts = _split(self.text, self.is_regular)
        if len(parts) == 1:
            return self.functions(None, parts[0])
        if len(parts) == 2:
            if parts[0].text in ("p", "t", "u"):
                whole = _Part(self.text, 0)
                raise self.error(f"something is missing after {self.text}", whole)
            return self.functions(parts[0], parts[1])
        kind, first, *names = parts
        if kind.text.startswith("/"):
            # A path may have colons in it.
            last = parts[-1]
            return self.functions(_Part(self.text[: last.start - 1], 0), last)
        if kind.text not in ("p", "t", "u"):
            raise self.error(f"'{kind.text}' is not one of {_any_of(self.kinds)}", kind)
        if kind.text not in self.kinds:
            raise self.error("only functions can be timed", kind)
        if len(names) > (2 if kind.text == "u" else 1):
            raise self.error("too many parts", names[-1])
        if kind.text == "p":
            return self.functions(first if first.text else None, names[0])
        return self.other(kind.text, first, names)

    def functions(self, library: _Part | None, name: _Part) -> Places:
        """Functions of a library, or of the kernel."""
        if library is not None:
            self.given(library, "library")
        where = library.text if library else ""
        pattern = self.pattern(name.text, name, "function")
        return Places("p", where, pattern, self.span(library or name, name))

    def other(self, kind: str, first: _Part, names: Sequence[_Part]) -> Places:
        """Tracepoints or USDT probes."""
        last = names[-1]
        if kind == "t":
            self.given(first, "category")
            self.given(last, "event")
            joined = _Part(f"{first.text}:{last.text}", first.start)
            pattern = self.pattern(joined.text, joined, "event")
            return Places("t", "", pattern, self.span(first, last))
        self.given(first, "library")
        name = self.pattern(last.text, last, "probe")
        if len(names) == 2:
            self.given(names[0], "provider")
            if self.is_regular:
                raise self.error("a regular expression is for all providers", names[0])
            name = f"{names[0].text}:{name}"
        return Places("u", first.text, name, self.span(first, last))

    def given(self, part: _Part, what: str) -> None:
        """Refuse a part that is empty."""
        if not part.text:
            raise self.error(f"the {what} is missing", part)

    def pattern(self, text: str, part: _Part, what: str) -> str:
        """A name as a pattern."""
        self.given(part, what)
        if not self.is_regular:
            return text
        try:
            re.compile(text)
        except re.error as error:
            where = _Part(" ", part.start + (error.pos or 0))
            raise self.error(f"no regular expression: {error.msg}", where) from None
        return Matching(text)

    def error(self, message: str, part: _Part) -> UsageError:
        """What is wrong with a part of the text."""
        forms = [form for kind in self.kinds for form in _FORMS[kind]]
        notes = [f"expected {form}" for form in forms]
        return UsageError(message, self.span(part, part), notes)

    def span(self, first: _Part, last: _Part) -> Span:
        """Where parts of the text are."""
        end = last.start + max(1, len(last.text))
        return Span("PATTERN", 1, first.start, end, self.text)


def _any_of(kinds: str) -> str:
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def _split(text: str, is_regular: bool) -> list[_Part]:
    """The parts between colons; in a regular expression those outside parentheses."""
    parts, start, depth = [], 0, 0
    for position, character in enumerate(f"{text}:"):
        if is_regular:
            depth += (character in "([") - (character in ")]")
        if character == ":" and (depth <= 0 or position == len(text)):
            parts.append(_Part(text[start:position], start))
            start = position + 1
    return parts
