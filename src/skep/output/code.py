"""Generated Python source and the objects that its names stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any


class Code:
    """Statements in the making, and the objects that they name."""

    __slots__ = ("names", "statements")

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.statements: list[str] = []

    def add(self, *statements: str) -> None:
        """Append lines of source; nested ones carry their own indentation."""
        self.statements.extend(statements)

    def take(self) -> list[str]:
        """The lines so far; the next ones start a new list."""
        statements, self.statements = self.statements, []
        return statements

    def bind(self, stem: str, value: Any) -> str:
        """A name for `value`, made from `stem` and different from all others."""
        name = f"{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def variable(self, stem: str) -> str:
        """A name for a local variable, different from all others."""
        return self.bind(stem, None)


def indented(lines: Iterable[str]) -> list[str]:
    """The lines, one level further in."""
    return [f"    {line}" for line in lines]


def mentions(lines: Iterable[str], name: str) -> bool:
    """True if one of the lines contains `name` as a whole word."""
    word = re.compile(rf"\b{name}\b")
    return any(word.search(line) for line in lines)


def literal(text: str) -> str:
    """`text` as a literal part of an f-string in single quotes."""
    # With a double quote inside, repr always takes single ones around.
    escaped = repr('"' + text)[2:-1]
    return escaped.replace("{", "{{").replace("}", "}}")


def define(
    name: str, parameters: str, body: Sequence[str], names: dict[str, Any]
) -> Any:
    """The function `name` with this body, seeing `names` as its globals."""
    source = "\n".join([f"def {name}({parameters}):", *indented(body), ""])
    scope = dict(names)
    exec(compile(source, f"<generated {name}>", "exec"), scope)
    return scope[name]
