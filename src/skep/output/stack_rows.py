"""Counted stacks: those that look alike are one, whichever ids they had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from skep.fields.base import Context, Member
from skep.fields.stacks import KernelStack, Stack, frame_text, frames, trace_of
from skep.fields.task import Comm, Pid


class StackRow(NamedTuple):
    """A stack and how much it counts.

    `comm` and `pid` are those of the task, None where the key does not have them.
    Frames are texts, the innermost first; None where the key has no such stack.
    """

    comm: str | None
    pid: int | None
    kernel: Sequence[str] | None
    user: Sequence[str] | None
    count: int


class StackRows:
    """Makes stack rows of a table's rows: raw values of `members`, of which the last is
    the count.  `spec` is the form of a frame (see `skep.fields.stacks.Stack`)."""

    def __init__(self, members: Sequence[Member], spec: str, context: Context) -> None:
        self._context = context
        self._spec = spec
        self._comm = _index(members, Comm)
        self._pid = _index(members, Pid)
        self._stacks = {
            issubclass(member.field, KernelStack): index
            for index, member in enumerate(members)
            if issubclass(member.field, Stack)
        }

    def merged(self, rows: Iterable[Sequence[Any]]) -> list[StackRow]:
        """Stack rows in ascending order of their counts."""
        counts: dict[StackRow, int] = {}
        for row in rows:
            key = self._key(row)
            counts[key] = counts.get(key, 0) + row[-1]
        found = [key._replace(count=count) for key, count in counts.items()]
        return sorted(found, key=lambda row: row.count)

    def _key(self, row: Sequence[Any]) -> StackRow:
        comm = None if self._comm is None else Comm.text(row[self._comm], "", _NOTHING)
        pid = None if self._pid is None else row[self._pid]
        return StackRow(comm, pid, self._frames(row, True), self._frames(row, False), 0)

    def _frames(self, row: Sequence[Any], is_kernel: bool) -> Sequence[str] | None:
        place = self._stacks.get(is_kernel)
        if place is None:
            return None
        raw = row[place]
        error = trace_of(raw).error
        if error:
            return () if error == _NO_STACK else (f"[lost stack: error {error}]",)
        return tuple(frame_text(f, self._spec) for f in frames(raw, self._context))


_NO_STACK = -14
_NOTHING = Context()


def _index(members: Sequence[Member], kind: type) -> int | None:
    found = [i for i, member in enumerate(members) if issubclass(member.field, kind)]
    return found[0] if found else None


def block(row: StackRow, is_delimited: bool) -> str:
    """A row as lines: frames, the task, the count, and an empty line."""
    kernel, user = row.kernel or (), row.user or ()
    lines = [f"  {frame}" for frame in kernel]
    if is_delimited and row.kernel is not None and row.user is not None:
        lines.append("    --")
    lines += [f"  {frame}" for frame in user]
    if row.comm is not None:
        lines.append(f"    {row.comm} [{row.pid}]")
    return "".join(f"{line}\n" for line in [*lines, f"    {row.count}", ""])
