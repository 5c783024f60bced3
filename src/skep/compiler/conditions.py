"""Conditions: tests that end in a jump to one of two blocks.

A condition that is known when compiling jumps to one block only; the other is then not
reached and what is in it is never typed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Callable

from skep.compiler import ir, strings, tree
from skep.compiler.arithmetic import (
    Number,
    Test,
    convert,
    expect_number,
    literal_type,
)
from skep.compiler.ir import Block, Imm
from skep.compiler.scope import Facts, Flow
from skep.compiler.types import BOOL, S64, Array, Int, Pointer
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

NOTHING = Facts()

BRANCHES: dict[type[object], Callable[[Walker, Any, Block, Block], Facts]] = {}
"""Nodes that decide by rules of their own: C's, once `c_rules` is imported."""

MOST_MEMBERS = 1024
"""Numbers in a collection that `in` compares with, an instruction or two for each."""


def branch(walker: Walker, test: tree.Expression, then: Block, orelse: Block) -> Facts:
    """Evaluate `test` and go to `then` if it holds, else to `orelse`."""
    if isinstance(test, tree.Unary) and test.operator == "not":
        facts = branch(walker, test.operand, orelse, then)
        return Facts(facts.when_false, facts.when_true)
    if isinstance(test, tree.BoolOp):
        return _bool_op(walker, test, then, orelse)
    if isinstance(test, tree.Compare):
        return _compare(walker, test, then, orelse)
    special = BRANCHES.get(type(test))
    if special is not None:
        return special(walker, test, then, orelse)
    return truth(walker, walker.value(test), test, then, orelse)


def _bool_op(walker: Walker, test: tree.BoolOp, then: Block, orelse: Block) -> Facts:
    """`and` and `or`: each operand is walked only if those before it let it."""
    builder = walker.builder
    # The first operand is evaluated in any case; what it computes stays at hand.
    before = walker.flow
    certain: frozenset[int] = frozenset()
    conjunction = test.operator == "and"
    for operand in test.operands[:-1]:
        following = builder.new_block()
        if conjunction:
            facts = branch(walker, operand, following, orelse).when_true
        else:
            facts = branch(walker, operand, then, following).when_false
        certain |= facts
        if walker.flow is before:
            walker.flow = before.copy()
        walker.flow.nonnull |= facts
        if not builder.start(following):
            require_same_records(walker, before, operand)
            walker.flow = before
            return NOTHING
    last = branch(walker, test.operands[-1], then, orelse)
    require_same_records(walker, before, test)
    # What the later operands computed is not at hand on the paths that skipped them.
    walker.flow = before
    if conjunction:
        return Facts(certain | last.when_true, frozenset())
    return Facts(frozenset(), certain | last.when_false)


def require_same_records(walker: Walker, before: Flow, node: tree.Expression) -> None:
    """Refuse that a record is begun or sent where that depends on a condition.

    Behind the expression it would be known on some paths only whether it is in use.
    """
    if walker.flow.held != before.held:
        raise CompileError(
            "a record is begun or sent in a condition or in one of two values",
            node.span,
            hint="use an 'if' statement",
        )


def _compare(walker: Walker, test: tree.Compare, then: Block, orelse: Block) -> Facts:
    left, right = walker.value(test.left), walker.value(test.right)
    operator = test.operator
    if operator in ("is", "is-not"):
        return _is_none(walker, test, left, right, then, orelse)
    if operator in ("in", "not-in"):
        return _membership(walker, test, left, right, then, orelse)
    text = strings.comparable(left, right)
    if text is not None and operator in ("==", "!="):
        if operator == "!=":
            then, orelse = orelse, then
        strings.branch_if_equal(walker, text[0], text[1], test.span, then, orelse)
        return NOTHING
    if text is not None:
        raise CompileError("text has no order", test.span, hint="'==' and '!=' only")
    if isinstance(left, Static) and isinstance(right, Static):
        return _static(walker, test, left, right, then, orelse)
    if _pointer_type(left) and _pointer_type(right) and operator in ("==", "!="):
        assert isinstance(left, Register) and isinstance(right, Register)
        a, b = left.register, right.register
        walker.builder.finish(ir.Branch(operator, a, b, True, then, orelse))
        return NOTHING
    x, y = expect_number(left, test.left.span), expect_number(right, test.right.span)
    outcome = walker.arithmetic.compare(operator, x, y, test.span)
    decide(walker, outcome, then, orelse)
    return NOTHING


def _membership(
    walker: Walker,
    test: tree.Compare,
    left: Value,
    right: Value,
    then: Block,
    orelse: Block,
) -> Facts:
    """A number among those of a Python collection: one comparison for each."""
    numbers = right.value if isinstance(right, Static) else None
    if not isinstance(numbers, Collection) or not all(
        isinstance(number, int) for number in numbers
    ):
        raise CompileError(
            f"'in' needs numbers known when compiling, not {type_name(right)}",
            test.right.span,
        )
    if len(numbers) > MOST_MEMBERS:
        raise CompileError(
            f"'in' compares with {MOST_MEMBERS} numbers at most, not {len(numbers)}",
            test.right.span,
        )
    if test.operator == "not-in":
        then, orelse = orelse, then
    number = expect_number(left, test.left.span)
    for each in sorted(set(numbers)):
        following = walker.builder.new_block()
        outcome = walker.arithmetic.compare("==", number, Const(each), test.span)
        decide(walker, outcome, then, following)
        if not walker.builder.start(following):
            return NOTHING
    walker.builder.jump(orelse)
    return NOTHING


def decide(walker: Walker, outcome: bool | Test, then: Block, orelse: Block) -> None:
    """Go where the outcome of a comparison leads."""
    if isinstance(outcome, bool):
        walker.builder.jump(then if outcome else orelse)
    else:
        walker.builder.finish(ir.Branch(*outcome, then, orelse))


def _static(
    walker: Walker,
    test: tree.Compare,
    left: Static,
    right: Static,
    then: Block,
    orelse: Block,
) -> Facts:
    """Python objects, for instance the value of an option with a text."""
    if test.operator not in ("==", "!="):
        raise CompileError(
            f"{type_name(left)} and {type_name(right)} have no order", test.span
        )
    equal = left.value == right.value
    walker.builder.jump(then if equal == (test.operator == "==") else orelse)
    return NOTHING


def _is_none(
    walker: Walker,
    test: tree.Compare,
    left: Value,
    right: Value,
    then: Block,
    orelse: Block,
) -> Facts:
    if not (isinstance(right, Static) and right.value is None):
        raise CompileError(
            "'is' compares with None only", test.span, hint="use '==' for values"
        )
    if test.operator == "is-not":
        then, orelse = orelse, then
    if isinstance(left, (Static, Const)):
        walker.builder.jump(then if left.value is None else orelse)
        return NOTHING
    if not isinstance(left, Register) or not isinstance(left.type, Pointer):
        raise CompileError(f"{type_name(left)} is never None", test.span)
    walker.builder.finish(ir.Branch("==", left.register, Imm(0), True, then, orelse))
    proven = frozenset((left.register,))
    if test.operator == "is-not":
        return Facts(proven, frozenset())
    return Facts(frozenset(), proven)


def truth(
    walker: Walker, value: Value, test: tree.Expression, then: Block, orelse: Block
) -> Facts:
    """A value as a condition: not zero, not null, not empty."""
    if isinstance(value, (Const, Static)):
        walker.builder.jump(then if value.value else orelse)
        return NOTHING
    if isinstance(value, Place):
        if isinstance(value.type, Array) and value.type.element.size == 1:
            first = walker.access.load(
                value.base, value.offset, value.type.element, value.space, test.span
            )
            return truth(walker, first, test, then, orelse)
        raise CompileError(f"{type_name(value)} is no condition", test.span)
    wide = value.type.size == 8
    walker.builder.finish(ir.Branch("!=", value.register, Imm(0), wide, then, orelse))
    if isinstance(value.type, Pointer):
        return Facts(frozenset((value.register,)), frozenset())
    return NOTHING


def _pointer_type(value: Value) -> Pointer | None:
    if isinstance(value, Register) and isinstance(value.type, Pointer):
        return value.type
    return None


def materialize(walker: Walker, test: tree.Expression) -> Value:
    """A condition as a value: true or false."""
    builder = walker.builder
    then, orelse = builder.new_block(), builder.new_block()
    branch(walker, test, then, orelse)
    if not (then.reached and orelse.reached):
        builder.start(then if then.reached else orelse)
        return Const(int(then.reached), BOOL)
    result = builder.register()
    done = builder.new_block()
    for block, outcome in ((then, 1), (orelse, 0)):
        builder.start(block)
        builder.move(Imm(outcome), result)
        builder.jump(done)
    builder.start(done)
    return Register(result, BOOL)


def conditional(walker: Walker, node: tree.Conditional) -> Value:
    """`a if test else b`; a constant test leaves only one side."""
    builder = walker.builder
    then, orelse = builder.new_block(), builder.new_block()
    facts = branch(walker, node.test, then, orelse)
    before = walker.flow
    sides: list[tuple[Block, Value]] = []
    for block, body, nonnull in (
        (then, node.body, facts.when_true),
        (orelse, node.orelse, facts.when_false),
    ):
        walker.flow = before.copy()
        walker.flow.nonnull |= nonnull
        if builder.start(block):
            value = walker.narrowed(walker.value(body))
            require_same_records(walker, before, body)
            assert builder.block is not None
            sides.append((builder.block, value))
            builder.block = None
    walker.flow = before
    return merge(walker, sides, node)


def merge(
    walker: Walker, sides: list[tuple[Block, Value]], node: tree.Expression
) -> Value:
    """Join blocks that are open at their end into one value."""
    builder = walker.builder
    if len(sides) == 1:
        builder.block, value = sides[0]
        return value
    first = sides[0][1]
    if isinstance(first, (Static, Const)) and all(
        type(value) is type(first) and value == first for _, value in sides
    ):
        done = builder.new_block()
        for block, _ in sides:
            builder.block = block
            builder.jump(done)
        builder.start(done)
        return first
    type_ = _merged_type(walker, [value for _, value in sides], node)
    result, done = builder.register(), builder.new_block()
    for block, value in sides:
        builder.block = block
        if isinstance(type_, Pointer):
            operand: ir.Operand = (
                value.register if isinstance(value, Register) else Imm(0)
            )
        else:
            assert isinstance(value, (Const, Register))
            operand = walker.number_operand(convert(builder, value, type_))
        builder.move(operand, result)
        builder.jump(done)
    builder.start(done)
    return Register(result, type_)


def _merged_pointer(
    pointers: list[Pointer], values: list[Value], node: tree.Expression
) -> Pointer:
    """The one type of pointers, nullable if one of them is or a value is None."""
    first = pointers[0]
    same = all((p.target, p.space) == (first.target, first.space) for p in pointers)
    rest = [v for v in values if _pointer_type(v) is None]
    if not same or any(v != Static(None) for v in rest):
        raise CompileError("the two sides have different types", node.span)
    nullable = bool(rest) or any(pointer.nullable for pointer in pointers)
    return first._replace(nullable=nullable)


def _joined(walker: Walker, a: Number, b: Number, node: tree.Expression) -> Int:
    """The type for one of two values; unlike for a sum, a literal keeps its value."""
    joined = walker.arithmetic.join("|", a, b, node.span)
    fits = all(
        joined.holds(each.value)
        for each in (a, b)
        if isinstance(each, Const) and each.type is None
    )
    return joined if fits or joined.size == 8 else S64


def _merged_type(
    walker: Walker, values: list[Value], node: tree.Expression
) -> Int | Pointer:
    """The common type of several values: widths join, None makes a pointer nullable."""
    pointers = [pointer for v in values if (pointer := _pointer_type(v))]
    if pointers:
        return _merged_pointer(pointers, values, node)
    if any(isinstance(v, Static) and v.value is None for v in values):
        raise CompileError(
            "there is a value on some paths only",
            node.span,
            hint="give one on every path, or on none",
        )
    numbers = [expect_number(value, node.span) for value in values]
    merged = numbers[0]
    for number in numbers[1:]:
        if merged.type is None and number.type is None:
            assert isinstance(merged, Const) and isinstance(number, Const)
            widest = max((merged, number), key=lambda n: abs(n.value))
            merged = Const(widest.value)
            if min(merged.value, number.value) < 0:
                merged = Const(merged.value, literal_type(-1))
            continue
        merged = Register(-1, _joined(walker, merged, number, node))
    if merged.type is None:
        assert isinstance(merged, Const)
        return literal_type(merged.value)
    assert isinstance(merged.type, Int)
    return merged.type
