"""What output has to know of a record class, and which of its columns are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from skep.errors import UsageError, did_you_mean
from skep.fields.base import Cell, Context, Member
from skep.named_tuple import NamedTuple
from skep.spec import RecordLayout


class RecordType(NamedTuple):
    """A record class in this run.

    `members` are those in the layout, in the author's order.  `schema` names the record
    and its version in JSON ("opensnoop.open/1"); `kind` is its JSON `type`.  `columns`
    are the user's choice of columns and their order, None for all.  `factory` makes the
    library's object from a tuple of values; None leaves the tuple.
    """

    layout: RecordLayout
    members: Sequence[Member]
    schema: str
    kind: str = "event"
    columns: Sequence[str] | None = None
    factory: Callable[[tuple[Any, ...]], Any] | None = None

    def cells(self, context: Context) -> list[Cell]:
        """The columns of text output, in order.  Raises UsageError."""
        return [cell for _, cell in self.selection(context)]

    def shown_members(self, context: Context) -> list[Member]:
        """The members that are wanted: those with one of the chosen columns, else all,
        also the ones that have no column.  Raises UsageError."""
        if self.columns is None:
            return list(self.members)
        members = {member.name: member for member, _ in self.selection(context)}
        return list(members.values())

    def member(self, name: str, context: Context) -> Member:
        """The member called `name`, or one with a column of that title.

        Raises UsageError.
        """
        return _find(name, self._all(context))[0][0]

    def _all(self, context: Context) -> list[tuple[Member, Cell]]:
        return [
            (member, cell)
            for member in self.members
            for cell in member.field.cells(member, self.members, context)
        ]

    def selection(self, context: Context) -> list[tuple[Member, Cell]]:
        """The columns, each with the member that it shows.  Raises UsageError."""
        pairs = self._all(context)
        if self.columns is None:
            return pairs
        return [pair for name in self.columns for pair in _find(name, pairs)]


def _find(name: str, pairs: Sequence[tuple[Member, Cell]]) -> list[tuple[Member, Cell]]:
    """The columns that a user means by `name`: a title, or a member with all of its
    columns; upper and lower case are the same."""
    wanted = name.strip().lower()
    found = [pair for pair in pairs if pair[1].title.lower() == wanted]
    found = found or [pair for pair in pairs if pair[0].name.lower() == wanted]
    if found:
        return found
    titles = [cell.title for _, cell in pairs]
    raise UsageError(
        f"no such column: {name}",
        notes=[f"the columns are {', '.join(titles)}"],
        hint=did_you_mean(name.upper(), titles),
    )
