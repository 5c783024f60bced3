"""Loops, which end on every kernel: bounded by constants or by a hidden counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert
from skep.compiler.ir import Imm
from skep.compiler.scope import Loop, assigned_names
from skep.compiler.types import S64, Int
from skep.compiler.values import Const, Register
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

WHILE_LIMIT = 1024
"""Rounds of a `while` after which the ledger counts a loop limit and it is left."""


def for_(walker: Walker, statement: tree.For) -> None:
    """`for` over a range, with its test at the end, as at least one round is made."""
    rounds = _rounds(walker, statement)
    if not rounds:
        return
    b = walker.builder
    counter = Register(b.constant(rounds.start), S64)
    after = b.new_block()
    _forget(walker, assigned_names(statement.body) | {statement.name})
    before = walker.flow.copy()
    b.depth += 1
    top, bottom, step = b.new_block(), b.new_block(), b.new_block()
    b.jump(top)
    b.start(top)
    _set_counter(walker, statement, counter)
    _walk_body(walker, statement, Loop(bottom, after))
    b.jump(bottom)
    b.start(bottom)
    walker.flow = before.copy()
    last = _immediate(walker, rounds[-1])
    b.finish(ir.Branch("!=", counter.register, last, True, step, after))
    b.start(step)
    b.alu("+", counter.register, _immediate(walker, rounds.step))
    b.jump(top)
    b.depth -= 1
    walker.flow = before
    b.start(after)


def _rounds(walker: Walker, statement: tree.For) -> range:
    """What the loop counts through."""
    bounds = []
    for bound in (statement.start, statement.stop, statement.step):
        value = walker.value(bound)
        if not isinstance(value, Const):
            raise CompileError(
                "the bounds of range() must be constants",
                bound.span,
                hint="take the largest number and leave the loop with 'break'",
            )
        bounds.append(value.value)
    return range(*bounds)


def _set_counter(walker: Walker, statement: tree.For, counter: Register) -> None:
    """Give the round's number to the loop's variable, which the body may assign."""
    variables = walker.current_frame.variables
    variable = variables.get(statement.name)
    if variable is None:
        variable = Register(walker.builder.register(), S64)
        variables[statement.name] = variable
    if not isinstance(variable.type, Int):
        raise CompileError(
            f"'{statement.name}' is {variable.type}, not a number",
            statement.span,
            hint="give the counter a name of its own",
        )
    value = convert(walker.builder, counter, variable.type)
    walker.builder.move(walker.number_operand(value), variable.register)
    walker.flow.assigned[statement.name] = variable


def while_(walker: Walker, statement: tree.While) -> None:
    """`while` with a hidden counter, so that the verifier sees an end."""
    b = walker.builder
    rounds = b.constant(0)
    _forget(walker, assigned_names(statement.body))
    after = b.new_block()
    b.depth += 1
    top, body = b.new_block(), b.new_block()
    b.jump(top)
    b.start(top)
    before = walker.flow.copy()
    facts = walker.branch(statement.test, body, after)
    walker.flow.nonnull |= facts.when_true
    if b.start(body):
        exhausted, inside = b.new_block(cold=True), b.new_block()
        limit = Imm(WHILE_LIMIT)
        b.finish(ir.Branch(">=", rounds, limit, True, exhausted, inside))
        b.start(exhausted)
        b.add_to_ledger("loop limit")
        b.jump(after)
        b.start(inside)
        b.alu("+", rounds, Imm(1))
        _walk_body(walker, statement, Loop(top, after))
        b.jump(top)
    b.depth -= 1
    walker.flow = before
    b.start(after)


def _walk_body(walker: Walker, statement: tree.For | tree.While, loop: Loop) -> None:
    walker.current_frame.loops.append(loop)
    walker.block(statement.body)
    walker.current_frame.loops.pop()


def _forget(walker: Walker, names: set[str]) -> None:
    """Drop what is known of variables that a loop assigns."""
    variables = walker.current_frame.variables.items()
    changed = {variable.register for name, variable in variables if name in names}
    walker.flow.nonnull -= changed


def _immediate(walker: Walker, number: int) -> ir.Operand:
    return walker.builder.operand(Const(number, S64), True)


def break_(walker: Walker, statement: tree.Break) -> None:
    """`break`."""
    walker.builder.jump(_innermost(walker, statement).after)


def continue_(walker: Walker, statement: tree.Continue) -> None:
    """`continue`."""
    walker.builder.jump(_innermost(walker, statement).next)


def _innermost(walker: Walker, statement: tree.Statement) -> Loop:
    if not walker.current_frame.loops:
        raise CompileError("not inside a loop", statement.span)
    return walker.current_frame.loops[-1]
