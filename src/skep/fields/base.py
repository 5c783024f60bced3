"""What a field type is: how one member of a record is filled, shown and serialised.

A field type is a class used as an annotation (`pid: Pid`).  It is never instantiated
and never called once per event: it *describes* its text and its value by small
expressions and functions, from which `skep.output` generates one function per record
class.

Text is plain here; escaping belongs to `skep.escape` alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Protocol

from skep.errors import UsageError
from skep.fields.cgroupfs import Cgroups
from skep.fields.clock import Clock
from skep.fields.diskstats import Disks
from skep.named_tuple import NamedTuple

if TYPE_CHECKING:
    from skep.symbols.symbol import Symbol


class Column(NamedTuple):
    """How a member is shown where that differs from its field type's way.

    title   header of the column, or a function of the options that gives it
    width   characters it is padded to, or a function of the options that gives the
            number; one space always follows
    align   "<" or ">"
    format  a Python format spec without width and alignment (".2f", "08o", ".14"), or
            a function of the options that gives one
    when    the option that shows it (opaque here); None: always shown
    size    for text: the most bytes that the kernel side copies
    help    what the column means, for the manual page

    A format of bcc without a separating space, such as `%-14s%-6s`, is a column that
    is narrower by one: the two differ only for texts that fill the column, which bcc
    runs together with the next.
    """

    title: Any = None
    width: Any = None
    align: str | None = None
    format: Any = None
    when: object = None
    size: int | None = None
    help: str = ""


def column(
    title: str | Callable[[Any], str] | None = None,
    width: int | Callable[[Any], int] | None = None,
    align: str | None = None,
    format: str | Callable[[Any], str] | None = None,
    when: object = None,
    size: int | None = None,
    help: str = "",
) -> Any:
    """A `Column`, typed so that it may be assigned to a member with any annotation."""
    return Column(title, width, align, format, when, size, help)


class Naming(Protocol):
    """What knows the names of addresses: see `skep.symbols.resolver.Symbols`."""

    def kernel(self, address: int) -> Symbol:
        """What an address of the kernel is called."""

    def user(self, pid: int, address: int) -> Symbol:
        """What an address in a process is called."""

    def caller(self, pid: int, address: int) -> Symbol:
        """What a return address belongs to; `pid` is 0 for the kernel."""

    def kernel_problem(self) -> str:
        """Why addresses of the kernel that were asked for have no names, or ""."""


class Context:
    """What field types need to know of this run.

    `io_names` are the enumerators of the enums that fields ask for, by name;
    their numbers differ between kernels.  `places` are the names of those where
    programs run that ask for their place, by number.  `read_ns` is when what is shown
    was read, since the Unix epoch; None stands for now.
    """

    __slots__ = (
        "_symbols",
        "cgroups",
        "clock",
        "disks",
        "io_names",
        "places",
        "read_ns",
    )

    def __init__(
        self,
        clock: Clock | None = None,
        io_names: Mapping[str, int] | None = None,
        disks: Disks | None = None,
        cgroups: Cgroups | None = None,
        places: Sequence[str] = (),
    ) -> None:
        self.clock = clock or Clock()
        self.io_names = io_names or {}
        self.disks = disks or Disks()
        self.cgroups = cgroups or Cgroups()
        self.places = places
        self.read_ns: int | None = None
        self._symbols: Naming | None = None

    @property
    def symbols(self) -> Naming:
        """What addresses mean, looked up when the first is asked for."""
        if self._symbols is None:
            from skep.symbols.resolver import Symbols

            self._symbols = Symbols()
        return self._symbols

    @symbols.setter
    def symbols(self, symbols: Naming) -> None:
        self._symbols = symbols

    def now_ns(self) -> int:
        """When what is shown was read."""
        return time.time_ns() if self.read_ns is None else self.read_ns

    def kernel_problem(self) -> str:
        """Why addresses of the kernel that were shown have no names; "" if they do."""
        return self._symbols.kernel_problem() if self._symbols else ""


class Member(NamedTuple):
    """One member of a record class: its name, field type and column."""

    name: str
    field: type[Field]
    column: Column = Column()

    @property
    def raw(self) -> str:
        """The variable that holds the member's raw value in generated code.

        Raw values are what `struct` unpacks: int, or bytes for text.
        """
        return f"raw_{self.name}"


class Cell(NamedTuple):
    """One printed column of a member.

    `source` is a Python expression over `Member.raw` names.  Without `text` its value
    is a number shown by the format spec `spec`; with `text`, that function gives the
    shown text.  `remember` says that few values occur, so that their texts are kept.
    `names` has the objects that `source` needs besides.  A cell that is `below` has its
    lines under the row in a table, `width` to the right.
    """

    title: str
    width: int
    align: str
    source: str
    text: Callable[[Any], str] | None = None
    spec: str = "d"
    remember: bool = True
    names: Mapping[str, Any] = {}
    below: bool = False


class Value(NamedTuple):
    """A member as a program sees it: an attribute of the library, a key in JSON.

    `key` is the JSON key.  Without `convert` the value is that of the expression
    `source`, a number; with it, convert(source).  `symbols`, given the same, adds JSON
    keys for symbolic forms.  `remember` as in `Cell`.
    """

    key: str
    source: str
    convert: Callable[[Any], Any] | None = None
    symbols: Callable[[Any], Mapping[str, Any]] | None = None
    remember: bool = True


class Key(NamedTuple):
    """A key in JSON, for descriptions of a record.

    `type` is in the words of JSON Schema: {"type": "integer"}.  An `optional` key is
    not in every line.
    """

    name: str
    type: Mapping[str, Any]
    meaning: str = ""
    optional: bool = False


STRING: Mapping[str, Any] = {"type": "string"}
STRINGS: Mapping[str, Any] = {"type": "array", "items": STRING}
MAYBE_STRING: Mapping[str, Any] = {"type": ["string", "null"]}
BOOLEAN: Mapping[str, Any] = {"type": "boolean"}


def truncated_key(name: str) -> Key:
    """The key that tells that a text was cut."""
    return Key(f"{name}_truncated", BOOLEAN, "true where the text was cut", True)


class Field:
    """Base of all field types; by itself a u64 shown in decimal.

    ctype    type on the kernel side, in C spelling; "string" and "strings" are text
             of variable length at the end of the record
    key_ctype  the type in the key of a table where it is another
    fill     compiler intrinsic that fills the member when the author passes nothing;
             None where it must be passed
    title, width, align, spec
             the column's defaults; an empty title is the member's name in capitals
    shown    expression that a `varied` field prints, `{}` standing for the raw value
    is_stack, names_programs
             it is a stack; it shows addresses of programs by their names
    looks_up  what is shown is looked up on the machine, by the context
    has_order  rows can be sorted by it
    varied   nearly every record has another value, so texts are not kept
    enums    enums of the kernel whose enumerators it is shown by
    unit, meaning, json
             for descriptions of the record; a unit of "ns" is appended to JSON keys,
             and `json` is the type of the value there, as in `Key`
    """

    ctype = "u64"
    key_ctype: str | None = None
    is_stack = False
    names_programs = False
    looks_up = False
    has_order = True
    fill: str | None = None
    title = ""
    width = 0
    align = "<"
    spec = "d"
    shown = "{}"
    varied = False
    enums: Sequence[str] = ()
    unit = ""
    meaning = ""
    json: Mapping[str, Any] = {"type": "integer"}

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """The columns of `member`, one of the visible `members` of its record."""
        cell = cls.cell(member, context)
        if not cls.varied:
            return (cell,)
        source = cls.shown.format(member.raw)
        if cell.spec[:1].isdigit():
            # The spec has a width of its own ("08o"), so the text is padded separately.
            return (cell._replace(source=source, remember=False),)
        return (cell._replace(source=source, text=None),)

    @classmethod
    def cell(cls, member: Member, context: Context) -> Cell:
        """The one column of most fields: defaults overridden by the declaration."""
        declared = member.column
        spec = cls.spec if declared.format is None else declared.format
        return Cell(
            title=declared.title or cls.title or member.name.upper(),
            width=cls.width if declared.width is None else declared.width,
            align=declared.align or cls.align,
            source=member.raw,
            text=lambda raw: cls.text(raw, spec, context),
            spec=spec,
        )

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The text of a raw value, not yet padded or escaped."""
        return format(raw, spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The member as programs see it."""
        return Value(cls.key(member), member.raw)

    @classmethod
    def key(cls, member: Member) -> str:
        """The JSON key: the name, with the unit of a time appended."""
        if cls.unit == "ns" and not member.name.endswith("_ns"):
            return f"{member.name}_ns"
        return member.name

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The keys in JSON that the `symbols` of `value` add."""
        return ()

    @classmethod
    def choices(cls) -> Sequence[str]:
        """What `parse` understands, where that is a list of names."""
        return ()

    @classmethod
    def parse(cls, text: str) -> int:
        """The raw value that a user means by `text`; raises UsageError."""
        try:
            return int(text, 0)
        except ValueError:
            raise UsageError(f"not a number: {text!r}") from None

    @classmethod
    def typed(cls, raw: int) -> Sequence[str]:
        """The texts that, given to an option one after the other, have this value;
        none where a number says it as well."""
        return ()


class NoColumn(Field):
    """Mixed in: a field that has no column of its own, for other fields or JSON."""

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """None."""
        return ()
