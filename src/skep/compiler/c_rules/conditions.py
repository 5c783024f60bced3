"""C's comparisons, `&& || !` and `?:`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert
from skep.compiler.c_rules.conversions import unevaluated
from skep.compiler.c_rules.scalars import (
    Scalar,
    common,
    decayed,
    described,
    int_of,
    is_null,
    pointer_of,
    scalar,
)
from skep.compiler.conditions import NOTHING, branch, decide, materialize, truth
from skep.compiler.ir import Block, Imm
from skep.compiler.scope import Facts
from skep.compiler.types import S32, U64, Int, Pointer, Void
from skep.compiler.values import Const, Place, Register, Value
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_JOINTS = {"&&": "and", "||": "or"}
DECIDING = frozenset((*_COMPARISONS, *_JOINTS))
"""Operators whose result is 0 or 1."""

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def truth_value(walker: Walker, node: tree.CBinary | tree.CUnary) -> Value:
    """A condition as a number: an int that is 0 or 1."""
    outcome = materialize(walker, node)
    if isinstance(outcome, Const):
        return Const(outcome.value, S32)
    assert isinstance(outcome, Register)
    return Register(outcome.register, S32)


def _binary(walker: Walker, test: tree.CBinary, then: Block, orelse: Block) -> Facts:
    if test.operator in _JOINTS:
        operands = [test.left, test.right]
        joint = tree.BoolOp(_JOINTS[test.operator], operands, test.span)
        return branch(walker, joint, then, orelse)
    if test.operator in _COMPARISONS:
        return _compare(walker, test, then, orelse)
    return _nonzero(walker, test, then, orelse)


def _unary(walker: Walker, test: tree.CUnary, then: Block, orelse: Block) -> Facts:
    if test.operator == "!":
        negated = tree.Unary("not", test.operand, test.span)
        return branch(walker, negated, then, orelse)
    return _nonzero(walker, test, then, orelse)


def _nonzero(
    walker: Walker, test: tree.Expression, then: Block, orelse: Block
) -> Facts:
    """Any other value holds if it is not zero."""
    value = scalar(walker, walker.value(test), test.span)
    return truth(walker, value, test, then, orelse)


def _compare(walker: Walker, test: tree.CBinary, then: Block, orelse: Block) -> Facts:
    left = scalar(walker, walker.value(test.left), test.left.span)
    right = scalar(walker, walker.value(test.right), test.right.span)
    if pointer_of(left) or pointer_of(right):
        return _compare_pointers(walker, test.operator, left, right, then, orelse)
    type_ = common(int_of(left), int_of(right))
    x, y = (convert(walker.builder, each, type_) for each in (left, right))
    outcome = walker.arithmetic.compare(test.operator, x, y, test.span)
    decide(walker, outcome, then, orelse)
    return NOTHING


def _compare_pointers(
    walker: Walker,
    operator: str,
    left: Scalar,
    right: Scalar,
    then: Block,
    orelse: Block,
) -> Facts:
    """Addresses, as unsigned numbers; the other side may be a number, too."""
    if not pointer_of(left):
        left, right, operator = right, left, _MIRRORED[operator]
    assert isinstance(left, Register)
    b = walker.builder
    if isinstance(right, Register) and pointer_of(right):
        other: ir.Operand = right.register
    else:
        other = b.operand(convert(b, right, U64), True)
    b.finish(ir.Branch(operator, left.register, other, True, then, orelse))
    if not is_null(right) or operator not in ("==", "!="):
        return NOTHING
    proven, nothing = frozenset((left.register,)), frozenset[int]()
    return Facts(nothing, proven) if operator == "==" else Facts(proven, nothing)


def conditional(walker: Walker, node: tree.CConditional) -> Value:
    """`test ? a : b`: the side that is not taken still counts for the type."""
    builder = walker.builder
    then, orelse = builder.new_block(), builder.new_block()
    facts = branch(walker, node.test, then, orelse)
    before = walker.flow
    sides: list[tuple[Block, Value]] = []
    other: list[Value] = []
    for block, body, nonnull in (
        (then, node.body, facts.when_true),
        (orelse, node.orelse, facts.when_false),
    ):
        walker.flow = before.copy()
        walker.flow.nonnull |= nonnull
        if builder.start(block):
            value = decayed(walker, walker.value(body))
            assert builder.block is not None
            sides.append((builder.block, value))
            builder.block = None
        else:
            other.append(decayed(walker, unevaluated(walker, body)))
    walker.flow = before
    values = [value for _, value in sides] + other
    return _merged(walker, sides, values, node)


def _merged(
    walker: Walker,
    sides: list[tuple[Block, Value]],
    values: list[Value],
    node: tree.CConditional,
) -> Value:
    """The value of the side that was taken, in the type of both."""
    builder = walker.builder
    if len(sides) == 1 and isinstance(sides[0][1], Place):
        builder.block, value = sides[0]
        return value
    type_ = _type_of_both(values, node)
    if not sides:  # the expression itself is not evaluated
        return Register(builder.register(), type_)
    if len(sides) == 1:
        builder.block, value = sides[0]
        assert isinstance(value, (Const, Register))
        if isinstance(type_, Int):
            return convert(builder, value, type_)
        return Register(_operand_register(walker, value), type_)
    result, done = builder.register(), builder.new_block()
    for block, value in sides:
        builder.block = block
        assert isinstance(value, (Const, Register))
        if isinstance(type_, Int):
            number = convert(builder, value, type_)
            builder.move(walker.number_operand(number), result)
        else:
            builder.move(
                value.register if isinstance(value, Register) else Imm(0), result
            )
        builder.jump(done)
    builder.start(done)
    return Register(result, type_)


def _operand_register(walker: Walker, value: Scalar) -> int:
    if isinstance(value, Register):
        return value.register
    return walker.builder.constant(value.value)


def _type_of_both(values: list[Value], node: tree.CConditional) -> Int | Pointer:
    """What C makes of the two sides of `?:`."""
    a, b = values[0], values[-1]
    if all(isinstance(each, (Const, Register)) for each in (a, b)):
        assert isinstance(a, (Const, Register)) and isinstance(b, (Const, Register))
        p, q = pointer_of(a), pointer_of(b)
        if p and q:
            return _joined_pointer(p, q, node)
        if p or q:
            pointer, rest = (p, b) if p else (q, a)
            assert pointer is not None
            if is_null(rest):
                return _unproven(pointer)
        else:
            return common(int_of(a), int_of(b))
    raise CompileError(
        f"one side of '?:' is {described(a)}, the other {described(b)}",
        node.span,
        hint="a cast of one of them makes them alike",
    )


def _joined_pointer(p: Pointer, q: Pointer, node: tree.CConditional) -> Pointer:
    p, q = _unproven(p), _unproven(q)
    if p.space != q.space:
        raise CompileError(
            f"one side of '?:' leads to {p.space} memory, the other to {q.space}",
            node.span,
        )
    for one, other in ((p, q), (q, p)):
        if isinstance(one.target, Void) or one.target == other.target:
            return one
    raise CompileError(
        f"one side of '?:' is {p}, the other {q}",
        node.span,
        hint="a cast of one of them makes them alike",
    )


def _unproven(pointer: Pointer) -> Pointer:
    """A pointer that may come from either side: read as if it could be null."""
    space = "user" if pointer.space == "user" else "kernel"
    return Pointer(pointer.target, space)


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {
    tree.CConditional: conditional,
}

TESTS: dict[type[object], Callable[..., Facts]] = {
    tree.CBinary: _binary,
    tree.CUnary: _unary,
    **dict.fromkeys(
        (
            tree.CLiteral,
            tree.CConditional,
            tree.CCast,
            tree.CMember,
            tree.CIndex,
            tree.CSizeof,
        ),
        _nonzero,
    ),
}
