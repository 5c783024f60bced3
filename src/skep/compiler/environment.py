"""What the names in kernel-side code mean, as far as they are not local."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import CellType, CodeType
from typing import Any, Callable, Protocol, Union

from skep.compiler import tree
from skep.compiler.types import Layout
from skep.named_tuple import NamedTuple
from skep.spec import MapSpec, RecordLayout

INLINE_MARK = "__skep_inline__"
"""Attribute of the Python functions that kernel-side code may call."""


class SourceFunction(Protocol):
    """A Python function whose source is kernel-side code."""

    __name__: str
    __module__: str

    @property
    def __code__(self) -> CodeType:
        """Where the source stands."""

    @property
    def __closure__(self) -> tuple[CellType, ...] | None:
        """The variables of enclosing functions."""

    @property
    def __globals__(self) -> dict[str, Any]:
        """The variables of its module."""


class WrittenFunction(NamedTuple):
    """A function that a front end made from another language than Python.

    `names` are those that the tree does not define itself; looking one up may cost
    something, as with the enumerators of a kernel.
    """

    tree: tree.Function
    names: Mapping[str, object]


KernelFunction = Union[SourceFunction, WrittenFunction]
"""What the compiler can be given to compile."""


class Environment(NamedTuple):
    """How the compiler gets at Python objects.

    `tree_of` gives the syntax tree of a function.  `bind` replaces a declaration
    (options, a map, a stream) by what stands for it in this run, and leaves every other
    object as it is.
    """

    tree_of: Callable[[KernelFunction], tree.Function]
    bind: Callable[[object], object]


class MapObject(NamedTuple):
    """A map as kernel-side code sees it; key and value are C types or records.

    A value that is one number or pointer is reached as `.value` of what `lookup` gives.
    """

    spec: MapSpec
    key: str | Layout
    value: str | Layout


class EmittedField(NamedTuple):
    """A field of an emitted record: its C type, and what fills it when the code that
    emits does not say (the name of an intrinsic without arguments, or None)."""

    name: str
    ctype: str
    fill: str | None


class StreamObject(NamedTuple):
    """A stream of records into a ring buffer.

    `fields` are those that are sent; `hidden` those that may be named in `emit` but are
    not sent in this run, so that their values are never computed.
    """

    ring: MapSpec
    layout: RecordLayout
    fields: Sequence[EmittedField]
    hidden: Sequence[str]


class HistogramObject(NamedTuple):
    """A histogram of powers of two, one per value of the key record if there is one.

    The map's value is `slots` u64 counters and, with `total`, a u64 sum of the values
    behind them.  Slot n counts values whose highest set bit is bit n, slot 0 also zero.
    `hidden` are names of the key record that may be given but do not count in this run;
    `fills` are the intrinsics that fill members which are not given.
    """

    map: MapSpec
    key: Layout | None
    slots: int
    total: bool
    hidden: Sequence[str] = ()
    fills: Mapping[str, str] = {}


class StackMaps(NamedTuple):
    """Maps of kind "stack_trace": the second has what the first has no room for."""

    first: MapSpec
    second: MapSpec


class TableObject(NamedTuple):
    """Sums by key, in two maps that take turns.

    Programs add to the map whose number (0 or 1) is the element of the array map
    `epoch`; meanwhile the other can be read and emptied.  `value` has 8-byte members.
    `hidden` are names that may be given but do not count in this run.  `fills` are
    the intrinsics that fill members of the key which are not given.  Stacks in the key
    are in `stacks`, which take turns, too.
    """

    epoch: MapSpec
    maps: Sequence[MapSpec]
    key: Layout
    value: Layout
    hidden: Sequence[str] = ()
    fills: Mapping[str, str] = {}
    stacks: Sequence[StackMaps] = ()


class Globals(NamedTuple):
    """Where a function finds the names that are not its own."""

    names: Mapping[str, object]
    closure: Mapping[str, object]

    @classmethod
    def of(cls, function: KernelFunction) -> Globals:
        """The names that a function sees."""
        if isinstance(function, WrittenFunction):
            return cls(function.names, {})
        cells = zip(function.__code__.co_freevars, function.__closure__ or ())
        closure = {name: cell.cell_contents for name, cell in cells}
        return cls(function.__globals__, closure)

    def find(self, name: str) -> tuple[bool, object]:
        """Whether there is such a name, and its value."""
        if name in self.closure:
            return True, self.closure[name]
        if name in self.names:
            return True, self.names[name]
        return False, None
