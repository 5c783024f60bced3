"""The arguments of an execve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skep.fields.base import BOOLEAN, Cell, Context, Member, NoColumn, Value
from skep.fields.integers import U8
from skep.fields.text import Args, is_cut, split_strings


class Interpreted(NoColumn, U8):
    """Whether the file is a script, which its interpreter gets as an argument."""

    meaning = "whether the file is a script that an interpreter runs"
    json = BOOLEAN

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """True or False."""
        return Value(member.name, member.raw, convert=bool)


class ExecArgs(Args):
    """The file that was executed, then the arguments that its process got.

    Shown as the file and the arguments behind argv[0], as the caller of execve gave
    them.  In the record of a script (`Interpreted`) the arguments begin with the
    interpreter and its own; they are left out.  A column format is a number, the most
    strings to show, and "q" behind it puts each in quotes.
    """

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """All strings in one column."""
        cell = cls.cell(member, context)._replace(remember=False)
        return (cell._replace(source=_source(member, members)),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The strings joined by spaces."""
        strings, cut = as_given(raw)
        limit = int(spec.rstrip("q"))
        cut = cut or len(strings) > limit
        strings = strings[:limit]
        if spec.endswith("q"):
            strings = ['"' + string.replace('"', '\\"') + '"' for string in strings]
        return " ".join([*strings, "..."] if cut else strings)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The strings as a list."""
        truncated = {f"{member.name}_truncated": True}
        return Value(
            member.name,
            f"({member.raw}, raw_script)",
            convert=lambda raw: as_given(raw)[0],
            symbols=lambda raw: truncated if as_given(raw)[1] else {},
            remember=False,
        )


def _source(member: Member, members: Sequence[Member]) -> str:
    scripts = [m.raw for m in members if issubclass(m.field, Interpreted)]
    return f"({member.raw}, {scripts[0] if scripts else 0})"


def as_given(raw: tuple[bytes, int]) -> tuple[list[str], bool]:
    """The file and its arguments from (strings, is a script), and whether some are
    missing."""
    text, is_script = raw
    cut = is_cut(text)
    file, *arguments = split_strings(text) or [""]
    if is_script and file in arguments:
        return [file, *arguments[arguments.index(file) + 1 :]], cut
    return [file, *arguments[1:]], cut
