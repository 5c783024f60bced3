"""Paths put together from their components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.fields.base import STRING, Context, Key, Member, Value, truncated_key
from skep.fields.text import Args, is_cut, split_strings


class FullPath(Args):
    """A path as the program named it, then the names of the directories above it, from
    the innermost outwards; shown as one path.

    To programs and in JSON it is one text called `path`.
    """

    title = "PATH"
    meaning = "path, with the directory that a relative one starts from"
    json: Mapping[str, Any] = STRING

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """Whether it was cut."""
        return (truncated_key("path"),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The whole path."""
        return join_path(raw)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The whole path as one text."""
        return Value(
            "path",
            member.raw,
            convert=join_path,
            symbols=lambda raw: {"path_truncated": True} if is_cut(raw) else {},
            remember=False,
        )


def join_path(raw: bytes) -> str:
    """Components, from the innermost outwards, to a path.

    "..." stands for directories that did not fit.
    """
    named, *above = split_strings(raw) or [""]
    if not above:
        return named
    outermost: Sequence[str] = ["..."] if is_cut(raw) else []
    parts = [*outermost, *reversed([name for name in above if name != "/"]), named]
    return "/" + "/".join(parts)
