"""C's arithmetic, on numbers and on pointers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from skep.compiler import tree
from skep.compiler.arithmetic import Number, convert
from skep.compiler.builder import Builder
from skep.compiler.c_rules import conditions, memory
from skep.compiler.c_rules.scalars import (
    Scalar,
    common,
    described,
    forgotten,
    int_of,
    number,
    pointer_of,
    promote,
    scalar,
)
from skep.compiler.types import S64, Int, from_c
from skep.compiler.values import Const, Register, Value
from skep.errors import CompileError, Span

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

_SKEP = {"/": "//"}
"""Operators that have another name in `arithmetic`."""


def literal(walker: Walker, node: tree.CLiteral) -> Value:
    """A number with the type of its spelling."""
    type_ = from_c(node.type, None)
    assert isinstance(type_, Int)
    return Const(type_.wrap(node.value), type_)


def unary(walker: Walker, node: tree.CUnary) -> Value:
    """`- + ~` on numbers; `!`, `*` and `&` are elsewhere."""
    if node.operator == "!":
        return conditions.truth_value(walker, node)
    if node.operator == "*":
        return memory.followed(walker, node)
    if node.operator == "&":
        return memory.address(walker, node)
    operand = scalar(walker, walker.value(node.operand), node.operand.span)
    if pointer_of(operand):
        raise CompileError(f"'{node.operator}' of {described(operand)}", node.span)
    promoted = promote(walker, operand)
    if node.operator == "-":
        return walker.arithmetic.negate(promoted)
    if node.operator == "~":
        return walker.arithmetic.invert(promoted, node.span)
    return promoted


def binary(walker: Walker, node: tree.CBinary) -> Value:
    """Two operands; comparisons, `&&` and `||` are elsewhere."""
    if node.operator in conditions.DECIDING:
        return conditions.truth_value(walker, node)
    left = scalar(walker, walker.value(node.left), node.left.span)
    right = scalar(walker, walker.value(node.right), node.right.span)
    if pointer_of(left) or pointer_of(right):
        return _with_pointer(walker, node, left, right)
    return calculated(walker, node.operator, left, right, node.span)


def calculated(
    walker: Walker, operator: str, left: Number, right: Number, span: Span
) -> Number:
    """Arithmetic on two numbers; by zero, a division gives zero and `%` the left."""
    left, right = promote(walker, left), promote(walker, right)
    if operator not in ("<<", ">>"):
        type_ = common(int_of(left), int_of(right))
        left = convert(walker.builder, left, type_)
        right = convert(walker.builder, right, type_)
    operator = _SKEP.get(operator, operator)
    return walker.arithmetic.binary(operator, left, right, span)


def _with_pointer(
    walker: Walker, node: tree.CBinary, left: Scalar, right: Scalar
) -> Value:
    a, b = pointer_of(left), pointer_of(right)
    if a and b and node.operator == "-":
        return _distance(walker, left, right, node.span)
    if node.operator == "+" and b and not a:
        left, right, a, b = right, left, b, a
    if a and not b and node.operator in ("+", "-"):
        assert isinstance(left, Register)
        count = number(right, node.span)
        return memory.moved(walker, left, count, node.operator, node.span)
    raise CompileError(
        f"'{node.operator}' on {described(left)} and {described(right)}",
        node.span,
        hint="a cast gives the address as a number: '(unsigned long) p'",
    )


def _distance(walker: Walker, left: Scalar, right: Scalar, span: Span) -> Value:
    a, b = pointer_of(left), pointer_of(right)
    assert a and b and isinstance(left, Register) and isinstance(right, Register)
    size = memory.element_size(a.target, span)
    if size != memory.element_size(b.target, span):
        raise CompileError(f"'-' on {a} and {b}", span)
    x = forgotten(walker, left)
    y = forgotten(walker, right)
    bytes_ = _subtracted(walker.builder, x, y)
    return walker.arithmetic.binary("//", bytes_, Const(size, S64), span)


def _subtracted(builder: Builder, left: int, right: int) -> Register:
    result = builder.move(left)
    builder.alu("-", result, right)
    return Register(result, S64)


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {
    tree.CLiteral: literal,
    tree.CUnary: unary,
    tree.CBinary: binary,
}
