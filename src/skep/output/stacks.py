"""Counted stacks in their forms: blocks of lines, folded lines, a flame graph.

Stacks that look alike are one, whichever addresses and ids they had.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skep.errors import SkepError
from skep.escape import escape
from skep.fields.base import Context, Member
from skep.fields.stacks import KernelStack, Stack, folded_text, frame_text, frames
from skep.fields.stacks import trace_of as trace
from skep.fields.task import Comm, Pid
from skep.fields.text import c_string, decoded
from skep.named_tuple import NamedTuple
from skep.output.flamegraph import flamegraph
from skep.output.folded import FoldedStack, fold, folded_line


class Task(NamedTuple):
    """Whose stacks they are; None where those of many tasks are one."""

    comm: str | None
    pid: int | None


class Frames(NamedTuple):
    """Stacks as texts, the innermost frame first; None where they are not asked for."""

    kernel: Sequence[str] | None
    user: Sequence[str] | None


class StackReader:
    """Reads stacks out of rows: tuples of raw values of `members`."""

    def __init__(self, members: Sequence[Member], context: Context) -> None:
        self._context = context
        self._comm = _index(members, Comm)
        self._pid = _index(members, Pid)
        self._places = {
            issubclass(member.field, KernelStack): index
            for index, member in enumerate(members)
            if issubclass(member.field, Stack)
        }

    def task(self, row: Sequence[Any]) -> Task:
        """The task that a row is about."""
        comm = None if self._comm is None else decoded(c_string(row[self._comm]))
        return Task(comm, None if self._pid is None else row[self._pid])

    def frames(self, row: Sequence[Any], spec: str) -> Frames:
        """The stacks of a row; `spec` is the form of a frame (see `Stack`)."""
        return Frames(*(self._texts(row, place, spec) for place in (True, False)))

    def folded(self, row: Sequence[Any]) -> FoldedStack:
        """The stacks of a row as names only."""
        kernel, user = self.frames(row, "folded")
        return fold(self.task(row).comm or "", user or (), kernel or ())

    def _texts(
        self, row: Sequence[Any], is_kernel: bool, spec: str
    ) -> Sequence[str] | None:
        place = self._places.get(is_kernel)
        if place is None:
            return None
        raw = row[place]
        error = trace(raw).error
        if error:
            return () if error == NO_STACK else (f"[lost stack: error {error}]",)
        show = folded_text if spec == "folded" else frame_text
        return tuple(show(frame, spec) for frame in frames(raw, self._context))


NO_STACK = -14
"""EFAULT: there is none, as a thread of the kernel has no stack of a program."""


def _index(members: Sequence[Member], kind: type) -> int | None:
    found = [i for i, member in enumerate(members) if issubclass(member.field, kind)]
    return found[0] if found else None


def merged(pairs: Iterable[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Sums by key, the smallest first."""
    sums: dict[Any, int] = {}
    for key, number in pairs:
        sums[key] = sums.get(key, 0) + number
    return sorted(sums.items(), key=lambda pair: pair[1])


def block(task: Task, stacks: Frames, number: int, is_delimited: bool) -> str:
    """Lines of one stack: frames, the task, the number, and an empty line."""
    lines = [f"  {escape(frame)}" for frame in stacks.kernel or ()]
    if is_delimited and stacks.kernel is not None and stacks.user is not None:
        lines.append("    --")
    lines += [f"  {escape(frame)}" for frame in stacks.user or ()]
    if task.comm is not None:
        lines.append(f"    {escape(task.comm)} [{task.pid}]")
    return "".join(f"{line}\n" for line in [*lines, f"    {number}", ""])


class StacksPart(NamedTuple):
    """The stacks of a report, with their numbers, in the form "table" (blocks) or
    "folded".

    A stack is a `Task` and `Frames`, or a `FoldedStack`.  The largest `limit` are
    shown.
    """

    form: str
    is_delimited: bool
    limit: int | None
    stacks: Sequence[tuple[Any, int]]

    def lines(self) -> list[str]:
        """What is written of it."""
        ranked = merged(self.stacks)
        chosen = ranked[-self.limit :] if self.limit else ranked
        if self.form == "folded":
            return [folded_line(stack, n, self.is_delimited) for stack, n in chosen]
        return [
            block(task, frames, n, self.is_delimited) for (task, frames), n in chosen
        ]


class FlameGraphFile:
    """A flame graph that is written to a file again at every report.

    Raises SkepError at once if the file cannot be written.
    """

    def __init__(self, path: str, title: str, unit: str) -> None:
        self._path = path
        self._title = title
        self._unit = unit
        self._counts: dict[FoldedStack, int] = {}
        try:
            os.close(_open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC))
        except OSError as error:
            raise self._problem(error) from error

    def add(self, counts: Mapping[FoldedStack, int]) -> None:
        """Count more stacks."""
        for stack, count in counts.items():
            self._counts[stack] = self._counts.get(stack, 0) + count

    def write(self) -> None:
        """Write all that was counted.  Raises SkepError."""
        text = flamegraph(self._counts, self._title, self._unit)
        try:
            with open(self._path, "w", encoding="utf-8", opener=_open) as file:
                file.write(text)
        except OSError as error:
            raise self._problem(error) from error

    def _problem(self, error: OSError) -> SkepError:
        if error.errno == errno.ENXIO:
            return SkepError(
                f"cannot write {self._path}: nobody reads this pipe",
                hint="start its reader first",
            )
        return SkepError(f"cannot write {self._path}: {error.strerror}")


def _open(path: str, flags: int) -> int:
    """Open to write; a pipe that nobody reads is an error, not waited for."""
    file = os.open(path, flags | os.O_NONBLOCK, 0o644)
    os.set_blocking(file, True)
    return file
