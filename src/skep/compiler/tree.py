"""The syntax tree that every front end produces and the compiler consumes.

Nodes are plain: a class per construct, fields in declaration order, the span last.
There are no types here; the compiler gives them while it walks.

Expressions come in two kinds.  Those of Python's syntax follow skep's own rules for
numbers and pointers; those whose names begin with C follow C's (`compiler.c_rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

from skep.errors import Span

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform() -> Any:
        """Tell type checkers that subclasses get an `__init__` from their fields."""
        return lambda cls: cls


@dataclass_transform()
class Node:
    """Base of all nodes; takes its fields by position, in declaration order."""

    _fields: Sequence[str] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)

    if not TYPE_CHECKING:

        def __init__(self, *values: object) -> None:
            self.__dict__.update(zip(self._fields, values))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self._fields if name != "span"
        )
        return f"{type(self).__name__}({shown})"


class Name(Node):
    """A local variable, a parameter, or a Python value known when compiling."""

    id: str
    span: Span


class Literal(Node):
    """An int, bool, bytes, str or None."""

    value: int | bytes | str | None
    span: Span


class Unary(Node):
    """`operator` is one of `-`, `~`, `not`."""

    operator: str
    operand: Expression
    span: Span


class Binary(Node):
    """`operator` is one of `+ - * // % & | ^ << >>`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


class Compare(Node):
    """`operator` is one of `== != < <= > >= is is-not in not-in`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


class BoolOp(Node):
    """`operator` is `and` or `or`; evaluation stops where an operand decides."""

    operator: str
    operands: Sequence[Expression]
    span: Span


class Conditional(Node):
    """`body if test else orelse`."""

    test: Expression
    body: Expression
    orelse: Expression
    span: Span


class Shared(Node):
    """An expression that stands in several places: the middle of `a < b < c`.

    It is evaluated where the first of them is reached.
    """

    value: Expression
    span: Span


class Attribute(Node):
    """`value.name`, along pointers as along structures."""

    value: Expression
    name: str
    span: Span


class Index(Node):
    """`value[index]`."""

    value: Expression
    index: Expression
    span: Span


class Call(Node):
    """A call: an intrinsic, a method of a map or stream, a record, a function."""

    function: Expression
    arguments: Sequence[Expression]
    keywords: Sequence[tuple[str, Expression]]
    span: Span


class CLiteral(Node):
    """A number of C with the type that its spelling gives it ("unsigned long")."""

    value: int
    type: str
    span: Span


class CUnary(Node):
    """`operator` is one of C's `- + ~ ! * &`."""

    operator: str
    operand: Expression
    span: Span


class CBinary(Node):
    """`operator` is one of C's `* / % + - << >> < <= > >= == != & ^ | && ||`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


class CConditional(Node):
    """C's `test ? body : orelse`."""

    test: Expression
    body: Expression
    orelse: Expression
    span: Span


class CCast(Node):
    """C's `(type) operand`."""

    type: str
    operand: Expression
    span: Span


class CMember(Node):
    """C's `value.name` or `value->name`; `operator` says which."""

    value: Expression
    operator: str
    name: str
    span: Span


class CIndex(Node):
    """C's `value[index]`."""

    value: Expression
    index: Expression
    span: Span


class CSizeof(Node):
    """C's `sizeof` of a type (in C spelling) or of an expression."""

    operand: str | Expression
    span: Span


class CCall(Node):
    """A call by name of one of the functions that `compiler.c_rules.calls` has."""

    name: str
    arguments: Sequence[Expression]
    span: Span


Expression = Union[
    Name,
    Literal,
    Unary,
    Binary,
    Compare,
    BoolOp,
    Conditional,
    Shared,
    Attribute,
    Index,
    Call,
    CLiteral,
    CUnary,
    CBinary,
    CConditional,
    CCast,
    CMember,
    CIndex,
    CSizeof,
    CCall,
]


class Assign(Node):
    """`target = value`; the first assignment to a name fixes its type."""

    target: Expression
    value: Expression
    span: Span


class Augment(Node):
    """`target operator= value`."""

    target: Expression
    operator: str
    value: Expression
    span: Span


class Evaluate(Node):
    """An expression for its effect."""

    value: Expression
    span: Span


class If(Node):
    """A constant `test` selects its branch before the other is typed."""

    test: Expression
    body: Sequence[Statement]
    orelse: Sequence[Statement]
    span: Span


class For(Node):
    """`for name in range(start, stop, step)`; the bounds are constants."""

    name: str
    start: Expression
    stop: Expression
    step: Expression
    body: Sequence[Statement]
    span: Span


class While(Node):
    """A loop that the compiler bounds and whose exhaustion the ledger counts."""

    test: Expression
    body: Sequence[Statement]
    span: Span


class Break(Node):
    """Leave the innermost loop."""

    span: Span


class Continue(Node):
    """Start the next round of the innermost loop."""

    span: Span


class Return(Node):
    """Leave the function; without a value the result is None."""

    value: Expression | None
    span: Span


Statement = Union[Assign, Augment, Evaluate, If, For, While, Break, Continue, Return]


class Function(Node):
    """A kernel-side function, with defaults for its last parameters."""

    name: str
    parameters: Sequence[str]
    defaults: Sequence[Expression]
    body: Sequence[Statement]
    span: Span
