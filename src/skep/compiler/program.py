"""Whole programs: what runs at one site, for one handler or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import NamedTuple

import skep.compiler.intrinsics.all  # noqa: F401  (registers the intrinsics)
from skep.compiler import dispatch, ir, saved, tree
from skep.compiler.allocate import allocate, place_slots
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.conditions import merge
from skep.compiler.emit import Emitter, check_complete
from skep.compiler.environment import Environment, Globals
from skep.compiler.fetch import Fetcher
from skep.compiler.optimize import optimize
from skep.compiler.scope import Flow, Frame, assigned_names
from skep.compiler.types import S64
from skep.compiler.values import Const, Static, Value
from skep.compiler.walker import Walker
from skep.errors import CompileError
from skep.probes.candidate import Site
from skep.spec import LineInfo, MapSpec, ProgramSpec
from skep.target import Target


class Handler(NamedTuple):
    """A kernel-side function to run at a site.

    `guards` are functions without parameters that must all give something true before
    the handler runs.
    """

    function: FunctionType
    guards: Sequence[FunctionType] = ()


class Compiled(NamedTuple):
    """A program and the maps it uses; `graph` is its final form before emission.

    A program that does nothing has no spec: it need not be loaded.
    """

    program: ProgramSpec | None
    maps: Mapping[str, MapSpec]
    graph: ir.Graph
    stack: int = 0


def compile_site(
    name: str,
    site: Site,
    handlers: Sequence[tuple[Handler, Site]],
    target: Target,
    environment: Environment,
) -> Compiled:
    """Compile what runs at `site`; each handler comes with the site it was resolved to,
    all of which attach at the same place.

    Raises CompileError with the place in the handler's source.
    """
    walker = _start(target, environment)
    if site.match is not None:
        dispatch.walk_handlers(walker, handlers)
    else:
        _walk_in_turn(walker, handlers)
    return _finish(name, site, walker)


def compile_entry(
    name: str,
    entry: Site,
    handler: Handler,
    target: Target,
    environment: Environment,
) -> Compiled:
    """Compile the program at the start of calls, for a handler at their return."""
    walker = _start(target, environment)
    called = environment.tree_of(handler.function)
    dispatch.walk_entry(walker, called.name, entry, called)
    return _finish(name, entry, walker)


def _walk_in_turn(walker: Walker, handlers: Sequence[tuple[Handler, Site]]) -> None:
    """Walk handlers so that leaving one leads to the next."""
    builder = walker.builder
    *others, last = handlers
    for handler, site in others:
        following = builder.new_block()
        builder.leave_to = following
        walk_handler(walker, handler, site)
        builder.leave_to = None
        walker.flow = Flow()
        builder.start(following)
    walk_handler(walker, *last)


def _start(target: Target, environment: Environment) -> Walker:
    walker = Walker(target, environment)
    walker.context = walker.builder.register()
    walker.builder.emit(ir.Context(walker.context))
    return walker


def _finish(name: str, site: Site, walker: Walker) -> Compiled:
    builder = walker.builder
    builder.exit()
    optimize(builder.graph)
    blocks = builder.graph.blocks()
    check_complete(blocks)
    if not _has_effect(blocks):
        return Compiled(None, {}, builder.graph)
    colours = allocate(builder.graph)
    blocks = builder.graph.blocks()
    stack = place_slots(blocks)
    code = Emitter(colours).blocks(blocks)
    lines = _lines(code)
    spec = ProgramSpec(name, site.attach, code, lines)
    return Compiled(spec, builder.maps, builder.graph, stack)


def walk_handler(walker: Walker, handler: Handler, site: Site) -> None:
    """Walk a handler whose parameters do not depend on a system call's number."""
    called = walker.environment.tree_of(handler.function)
    fetcher = Fetcher(walker, site.attach.kind == "tp_btf", called.span)
    walker.builder.span = called.span
    carried = any(saved.is_saved(param) for param in site.params)
    if carried:
        walker.frame = Frame(called, Globals.of(handler.function), None)
        spec = saved.find(walker, called.name, site, "", fetcher)
    by_name = {param.name: param for param in site.params}
    walker.parameters = {
        name: lambda name=name: fetcher.parameter(by_name[name])  # type: ignore[misc]
        for name in called.parameters
        if name in by_name
    }
    if carried:
        for name, compute in walker.parameters.items():
            walker.at_hand(("parameter", name), compute)
        saved.forget(walker, spec)
    walk_body(walker, handler, called)


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


def _has_effect(blocks: Sequence[ir.Block]) -> bool:
    """Whether the program does more than compute and return 0."""
    for block in blocks:
        for instruction in block.instructions:
            if isinstance(instruction, ir.Exit):
                if instruction.value != ir.Imm(0):
                    return True
            elif isinstance(instruction, (ir.CallHelper, ir.AtomicAdd)):
                return True
    return False


def _lines(code: Sequence[object]) -> list[LineInfo]:
    """Where the source line changes along the instructions."""
    lines: list[LineInfo] = []
    last: object = None
    for index, instruction in enumerate(code):
        span = instruction.span  # type: ignore[attr-defined]
        if span is None or (last is not None and (span.file, span.line) == last):
            continue
        last = (span.file, span.line)
        text = span.text.strip()
        lines.append(LineInfo(index, span.file, span.line, span.column, text))
    return lines
