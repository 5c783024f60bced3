"""What is known at a point of a kernel-side function.

A function's variables keep their registers throughout; which of them are assigned,
which pointers are not null, and which pure values are at hand changes with the control
flow and is kept in a `Flow`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

from skep.compiler import tree
from skep.compiler.environment import Globals
from skep.compiler.ir import Block
from skep.compiler.values import Register, Value
from skep.named_tuple import NamedTuple
from skep.spec import MapSpec

K = TypeVar("K", bound=Hashable)


class Flow:
    """Facts that hold at the current point.

    `assigned`  local names that have a value here
    `nonnull`   registers whose pointer was compared with None
    `at_hand`   values already computed, by what they are (a parameter, a pure helper)
    `held`      registers with the addresses of scratch records that are in use
    """

    __slots__ = ("assigned", "nonnull", "at_hand", "held")

    def __init__(self) -> None:
        self.assigned: dict[str, Value] = {}
        self.nonnull: frozenset[int] = frozenset()
        self.at_hand: dict[Hashable, Value] = {}
        self.held: frozenset[int] = frozenset()

    def copy(self) -> Flow:
        """The same facts, to change them on one path."""
        flow = Flow()
        flow.assigned = dict(self.assigned)
        flow.nonnull = self.nonnull
        flow.at_hand = dict(self.at_hand)
        flow.held = self.held
        return flow

    def join(self, other: Flow) -> Flow:
        """What holds when control comes from either of two places."""
        flow = Flow()
        flow.assigned = _common(self.assigned, other.assigned)
        flow.nonnull = self.nonnull & other.nonnull
        flow.at_hand = _common(self.at_hand, other.at_hand)
        flow.held = self.held & other.held
        return flow


def _common(a: dict[K, Value], b: dict[K, Value]) -> dict[K, Value]:
    return {key: value for key, value in a.items() if b.get(key) == value}


class Facts(NamedTuple):
    """The pointers that a condition proves not null, by its outcome."""

    when_true: frozenset[int] = frozenset()
    when_false: frozenset[int] = frozenset()


class Scratch(NamedTuple):
    """A record in a map, which was begun in `depth` loops."""

    spec: MapSpec
    depth: int


class Loop(NamedTuple):
    """The innermost loop: where `continue` and `break` go, and what was `held` before
    it, which then still is."""

    next: Block
    after: Block
    held: frozenset[int]


class Returned(NamedTuple):
    """A `return`: the block it ends, not terminated yet, what it gives, what holds."""

    block: Block
    value: Value | None
    flow: Flow
    statement: tree.Return


class Deferred:
    """An argument of an inline function that is read when it is first used.

    Most arguments of a function that emits a record belong to columns that are not
    shown; following their pointers would cost time, and a read that fails would be
    counted as a loss although nobody wanted it.
    """

    __slots__ = ("assigned", "expression", "frame")

    def __init__(
        self, expression: tree.Expression, frame: Frame, assigned: dict[str, Value]
    ) -> None:
        self.expression = expression
        self.frame = frame
        self.assigned = assigned


class Frame:
    """One function being walked, the program itself or a call of an inline one."""

    __slots__ = ("function", "globals", "variables", "loops", "returns", "caller")

    def __init__(
        self, function: tree.Function, names: Globals, caller: Frame | None
    ) -> None:
        self.function = function
        self.globals = names
        self.caller = caller
        self.variables: dict[str, Register] = {}
        self.loops: list[Loop] = []
        self.returns: list[Returned] = []

    def calls(self, function: tree.Function) -> bool:
        """Whether `function` is being walked already, so that calling it recurses."""
        frame: Frame | None = self
        while frame is not None:
            if frame.function is function:
                return True
            frame = frame.caller
        return False


def assigned_names(body: Sequence[tree.Statement]) -> set[str]:
    """The local names that some statement assigns."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, (tree.Assign, tree.Augment)):
            if isinstance(statement.target, tree.Name):
                names.add(statement.target.id)
        elif isinstance(statement, tree.If):
            names |= assigned_names(statement.body) | assigned_names(statement.orelse)
        elif isinstance(statement, tree.For):
            names |= {statement.name} | assigned_names(statement.body)
        elif isinstance(statement, tree.While):
            names |= assigned_names(statement.body)
    return names
