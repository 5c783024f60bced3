"""Loops, which end on every kernel: bounded by constants or by a hidden counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert
from skep.compiler.conditions import require_same_records
from skep.compiler.ir import Imm
from skep.compiler.scope import Loop, assigned_names
from skep.compiler.types import S64, Int
from skep.compiler.values import Const, Register
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.builder import Builder
    from skep.compiler.walker import Walker

WHILE_LIMIT = 1024
"""Rounds of a short `while` after which the ledger counts a loop limit and it is left.

The verifier walks each round by itself, so a long one is left earlier."""

LEAST_WHILE_LIMIT = 16
"""Rounds of the longest `while`."""

_MOST_EFFORT = 1 << 19
"""What the verifier may walk in all (see Builder.effort): as many branches as it keeps
in mind, and half the instructions, as it walks again what it reaches in new ways."""

_OUTER_ROUNDS = 32
"""Rounds that are left to a `while` around another one."""

_LEAST_EFFORT = 512
_NOPS = 6
"""What a round of a `while` in a loop counts as at least, and what fills it up.

The verifier remembers what it has seen every eight instructions, so that where short
rounds meet again it often does not notice; what was of no use for long it forgets
(is_state_visited, kernel/bpf/verifier.c)."""


def for_(walker: Walker, statement: tree.For) -> None:
    """`for` over a range, with its test at the end, as at least one round is made."""
    rounds = _rounds(walker, statement)
    if not rounds:
        return
    b = walker.builder
    counter = Register(b.constant(rounds.start), S64)
    after = b.new_block()
    assigned = assigned_names(statement.body)
    _forget(walker, assigned | {statement.name})
    _hide(walker, assigned)
    before = walker.flow.copy()
    b.depth += 1
    top, bottom, step = b.new_block(), b.new_block(), b.new_block()
    b.jump(top)
    b.start(top)
    effort = b.effort
    _set_counter(walker, statement, counter)
    _walk_body(walker, statement, Loop(bottom, after, before.held), len(rounds))
    b.effort += (b.effort - effort) * (len(rounds) - 1)
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
    _hide(walker, assigned_names(statement.body) - _names(statement.test))
    after = b.new_block()
    b.depth += 1
    top, body = b.new_block(), b.new_block()
    b.jump(top)
    b.start(top)
    before = walker.flow.copy()
    effort = b.effort
    facts = walker.branch(statement.test, body, after)
    require_same_records(walker, before, statement.test)
    walker.flow.nonnull |= facts.when_true
    if b.start(body):
        exhausted, inside = b.new_block(cold=True), b.new_block()
        limit = ir.Branch(">=", rounds, Imm(0), True, exhausted, inside)
        b.finish(limit)
        b.start(exhausted)
        b.add_to_ledger("loop limit")
        b.jump(after)
        b.start(inside)
        b.alu("+", rounds, Imm(1))
        if b.rounds > 1:
            _fill_up(b)
        loop = Loop(top, after, before.held)
        _walk_body(walker, statement, loop, _OUTER_ROUNDS)
        b.jump(top)
        limit.right = Imm(_limit_rounds(b, b.effort - effort))
    b.depth -= 1
    walker.flow = before
    b.start(after)


def _fill_up(builder: Builder) -> None:
    for _ in range(_NOPS):
        builder.emit(ir.Nop())


def _limit_rounds(builder: Builder, effort: int) -> int:
    """After how many rounds to leave a `while` each round of which takes `effort`.

    It takes no more than half of what is left: there may be more loops.
    """
    if builder.rounds > 1:
        effort = max(effort, _LEAST_EFFORT)
    left = (_MOST_EFFORT - builder.effort) // 2
    rounds = left // (effort * builder.rounds)
    rounds = max(LEAST_WHILE_LIMIT, min(rounds, WHILE_LIMIT))
    builder.effort += effort * (rounds - 1)
    return rounds


def _walk_body(
    walker: Walker, statement: tree.For | tree.While, loop: Loop, rounds: int
) -> None:
    outer_rounds = walker.builder.rounds
    walker.builder.rounds *= rounds
    walker.current_frame.loops.append(loop)
    walker.block(statement.body)
    walker.release(loop.held)
    walker.current_frame.loops.pop()
    walker.builder.rounds = outer_rounds


def _forget(walker: Walker, names: set[str]) -> None:
    """Drop what is known of variables that a loop assigns."""
    variables = walker.current_frame.variables.items()
    changed = {variable.register for name, variable in variables if name in names}
    walker.flow.nonnull -= changed


def _hide(walker: Walker, names: set[str]) -> None:
    """Let the verifier forget the values of numbers that a loop assigns.

    It would walk the rest of the loop again for each value that it knows and finds to
    matter, and there are more of them in each round.  The test of a `while` is spared:
    its numbers may tell how many rounds there are.
    """
    b = walker.builder
    zero: int | None = None
    for name in sorted(names & walker.flow.assigned.keys()):
        variable = walker.current_frame.variables.get(name)
        if variable is not None and isinstance(variable.type, Int):
            if zero is None:
                zero = b.register()
                b.emit(ir.UnknownZero(zero))
            b.alu("^", variable.register, zero, variable.type.size == 8)


def _names(node: object) -> set[str]:
    """The names in an expression."""
    if isinstance(node, tree.Name):
        return {node.id}
    if isinstance(node, tree.Node):
        node = list(vars(node).values())
    names: set[str] = set()
    if isinstance(node, (list, tuple)):
        names.update(*map(_names, node))
    return names


def _immediate(walker: Walker, number: int) -> ir.Operand:
    return walker.builder.operand(Const(number, S64), True)


def break_(walker: Walker, statement: tree.Break) -> None:
    """`break`."""
    loop = _innermost(walker, statement)
    walker.release(loop.held)
    walker.builder.jump(loop.after)


def continue_(walker: Walker, statement: tree.Continue) -> None:
    """`continue`."""
    loop = _innermost(walker, statement)
    walker.release(loop.held)
    walker.builder.jump(loop.next)


def _innermost(walker: Walker, statement: tree.Statement) -> Loop:
    if not walker.current_frame.loops:
        raise CompileError("not inside a loop", statement.span)
    return walker.current_frame.loops[-1]
