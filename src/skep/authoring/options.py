"""Options of tools: declared as class attributes, bound to values at start.

Kernel-side code says `Options.failed`; what it sees is a constant, and code that the
constant excludes is not even compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, ClassVar

from skep.authoring.annotations import evaluate_annotation, own_annotations
from skep.errors import InternalError, UsageError
from skep.fields import Field

MOST_LISTED = 1024
"""Values of an option that is a list: as many as kernel-side `in` compares with."""


class Option:
    """One option; after its class is made it knows its name and type.

    `flags` are as on the command line; without any it is positional.  `type` is bool,
    int, float, str or a field type, whose `parse` makes an int of the text.
    """

    __slots__ = (
        "flags",
        "default",
        "help",
        "metavar",
        "repeat",
        "check",
        "name",
        "type",
        "rest",
        "heading",
        "listed",
        "choices",
    )

    def __init__(
        self,
        flags: Sequence[str],
        default: object,
        help: str,
        metavar: str | None,
        repeat: bool,
        check: Callable[[Any], Any] | None,
        rest: bool,
        listed: bool = False,
        choices: Sequence[str] = (),
    ) -> None:
        self.flags = tuple(flags)
        self.default = default
        self.help = help
        self.metavar = metavar
        self.repeat = repeat
        self.check = check
        self.rest = rest
        self.listed = listed
        self.choices = tuple(choices)
        self.name = ""
        self.type: Any = str
        self.heading = ""

    def with_letter(self, letter: str) -> Option:
        """The same option with a single letter besides its long form."""
        return self.with_flags((letter, *self.flags))

    def with_flags(self, flags: Sequence[str]) -> Option:
        """The same option with other flags."""
        copy = Option(
            flags,
            self.default,
            self.help,
            self.metavar,
            self.repeat,
            self.check,
            self.rest,
            self.listed,
            self.choices,
        )
        copy.name, copy.type, copy.heading = self.name, self.type, self.heading
        return copy

    def convert(self, text: str) -> Any:
        """The value of the option's text; raises UsageError for text that has none."""
        if self.listed:
            parts = text.split(",")
            if len(parts) > MOST_LISTED:
                raise UsageError(f"{len(parts)} values are more than {MOST_LISTED}")
            return tuple(self._convert(part.strip()) for part in parts)
        return self._convert(text)

    def typed(self, value: Any) -> Sequence[str]:
        """The texts of a value that has names; none for what says it itself."""
        is_field = isinstance(self.type, type) and issubclass(self.type, Field)
        if not is_field or not isinstance(value, int):
            return ()
        names: Sequence[str] = self.type.typed(value)
        return names

    def _convert(self, text: str) -> Any:
        if isinstance(self.type, type) and issubclass(self.type, Field):
            value: Any = _in_range(self.type.parse(text), self.type.ctype)
        else:
            try:
                value = int(text, 0) if self.type is int else self.type(text)
            except ValueError:
                kind = "whole number" if self.type is int else "number"
                raise UsageError(f"'{text}' is no {kind}") from None
        return self.check(value) if self.check else value


_BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}


def _in_range(value: int, ctype: str) -> int:
    """The value, if a field of an unsigned type can have it.  Raises UsageError."""
    bits = _BITS.get(ctype)
    if bits and not 0 <= value < 1 << bits:
        raise UsageError(f"{value} is not between 0 and {(1 << bits) - 1}")
    return value


def option(
    *flags: str,
    default: object = None,
    help: str = "",
    metavar: str | None = None,
    repeat: bool = False,
    check: Callable[[Any], Any] | None = None,
    rest: bool = False,
    listed: bool = False,
    choices: Sequence[str] = (),
) -> Any:
    """Declare an option: `failed: bool = option("-x", "--failed", help="…")`.

    Without flags it is a positional argument.  With `repeat` it may be given several
    times: numbers are ORed, texts collected, and a bool becomes how often it was given.
    `check` gets the value and returns it, or another, or raises UsageError.  With
    `rest` it takes all that is left of the line.
    With `listed` it takes several values with commas between; they make a tuple, which
    `in` of kernel-side code understands.  `choices` are the values that there are, for
    descriptions and completion; what to say of others is `check`'s affair.
    """
    return Option(flags, default, help, metavar, repeat, check, rest, listed, choices)


class Options:
    """Base of all options; an instance has the values of one run."""

    options: ClassVar[Mapping[str, Option]] = {}
    letters: ClassVar[Mapping[str, str]] = {}
    """Single letters for inherited options, by name: `{"pid": "-p"}`."""
    heading: ClassVar[str] = "options"
    """What the options of this very class stand under in the help."""

    def __init_subclass__(cls) -> None:
        options = dict(cls.options)
        for name, annotation in own_annotations(cls).items():
            declared = cls.__dict__.get(name)
            if isinstance(declared, Option):
                declared.name = name
                declared.type = evaluate_annotation(cls, annotation)
                declared.heading = cls.__dict__.get("heading", Options.heading)
                options.pop(name, None)  # one declared anew comes last
                options[name] = declared
        for name, letter in cls.__dict__.get("letters", {}).items():
            if name not in options:
                raise InternalError(f"{cls.__name__} has no option {name}")
            options[name] = options[name].with_letter(letter)
        cls.options = options

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name, declared in type(self).options.items():
            default = declared.default
            if default is None and declared.type is bool:
                default = False
            setattr(self, name, values.get(name, default))

    def finish(self) -> None:
        """Check values against each other and derive others; a hook for tools.

        Raises UsageError.
        """
