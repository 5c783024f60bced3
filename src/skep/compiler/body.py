"""A handler's body in its program: guards before it, what it returns behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.conditions import merge
from skep.compiler.environment import Globals, KernelFunction, SourceFunction
from skep.compiler.scope import Frame, assigned_names
from skep.compiler.types import S64
from skep.compiler.values import Const, Static, Value
from skep.errors import CompileError
from skep.named_tuple import NamedTuple

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class Handler(NamedTuple):
    """A kernel-side function to run at a site.

    `guards` are functions without parameters that must all give something true before
    the handler runs.
    """

    function: KernelFunction
    guards: Sequence[SourceFunction] = ()


def walk_body(walker: Walker, handler: Handler, called: tree.Function) -> None:
    """The guards, then the handler; what returns from it leaves the program."""
    builder = walker.builder
    walker.frame = Frame(called, Globals.of(handler.function), None)
    for guard in handler.guards:
        passed, leave = builder.new_block(), builder.new_block()
        test = tree.Call(tree.Name(guard.__name__, called.span), [], [], called.span)
        builder.span = called.span
        names = Globals({guard.__name__: guard}, {})
        walker.frame = Frame(called, names, None)
        facts = walker.branch(test, passed, leave)
        if builder.start(leave):
            builder.exit()
        walker.flow.nonnull |= facts.when_true
        if not builder.start(passed):
            return
    walker.frame = Frame(called, Globals.of(handler.function), None)
    _make_assignable(walker, called)
    walker.block(called.body)
    _leave(walker, called)


def _make_assignable(walker: Walker, called: tree.Function) -> None:
    """Turn the parameters that the body assigns into variables."""
    for name in sorted(assigned_names(called.body) & set(walker.parameters)):
        target = tree.Name(name, called.span)
        walker.assign_name(target, walker.value(target))


def _leave(walker: Walker, called: tree.Function) -> None:
    """Join the returns; a program for BPF_PROG_TEST_RUN may give a number back."""
    builder = walker.builder
    frame = walker.current_frame
    _release_all(walker)
    returns = [(r.block, r.value) for r in frame.returns]
    values = [value for _, value in returns if value is not None]
    if not values or builder.leave_to is not None:
        for block, _ in returns:
            here, builder.block = builder.block, block
            builder.exit()
            builder.block = here
        if builder.block is not None:
            builder.exit()
        return
    sides: list[tuple[ir.Block, Value]] = [
        (block, Const(0, S64) if value is None else value) for block, value in returns
    ]
    if builder.block is not None:
        sides.append((builder.block, Const(0, S64)))
        builder.block = None
    result = merge(walker, sides, tree.Name(called.name, called.span))
    if isinstance(result, Static):
        raise CompileError(f"{called.name}() returns no number", called.span)
    number = convert(builder, expect_number(result, called.span), S64)
    builder.finish(ir.Exit(builder.operand(number, True)))


def _release_all(walker: Walker) -> None:
    """Wherever the handler ends, give back the records that were begun and not sent."""
    builder = walker.builder
    here, flow = builder.block, walker.flow
    if here is not None:
        walker.release()
    for returned in walker.current_frame.returns:
        builder.block, walker.flow = returned.block, returned.flow
        walker.release()
    builder.block, walker.flow = here, flow
