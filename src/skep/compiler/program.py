"""Whole programs: what runs at one site, for one handler or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import skep.compiler.intrinsics.all  # noqa: F401  (registers the intrinsics)
from skep.asm import Instruction
from skep.compiler import dispatch, ir, saved
from skep.compiler.allocate import allocate, place_slots
from skep.compiler.body import Handler, walk_body
from skep.compiler.emit import Emitter, check_complete
from skep.compiler.environment import Environment, Globals
from skep.compiler.fetch import Fetcher
from skep.compiler.optimize import optimize
from skep.compiler.own_stack import TAIL_CALL, keep_own_stack
from skep.compiler.scope import Flow, Frame
from skep.compiler.walker import Walker
from skep.named_tuple import NamedTuple
from skep.probes.candidate import Site
from skep.spec import LineInfo, MapSpec, ProgramSpec
from skep.target import Target

SESSION = "kprobe_session"


class Compiled(NamedTuple):
    """A program and the maps it uses; `graph` is its final form before emission.

    A program that does nothing has no spec: it need not be loaded.  `note` says what
    the program gives up on this kernel.
    """

    program: ProgramSpec | None
    maps: Mapping[str, MapSpec]
    graph: ir.Graph
    stack: int = 0
    note: str = ""


def compile_site(
    name: str,
    handlers: Sequence[tuple[Handler, Site]],
    target: Target,
    environment: Environment,
) -> Compiled:
    """Compile what runs at one place; each handler comes with the site that it was
    resolved to, all of which attach there.

    Raises CompileError with the place in the handler's source.
    """
    site = handlers[0][1]
    walker = _start(target, environment, site)
    if site.match is not None:
        dispatch.walk_handlers(walker, handlers)
    elif site.attach.kind == SESSION:
        _walk_session(walker, handlers)
    else:
        _walk_in_turn(walker, handlers)
    return _finish(name, site, walker)


def compile_entries(
    name: str,
    entries: Sequence[tuple[Handler, Site]],
    target: Target,
    environment: Environment,
) -> Compiled:
    """Compile the program at the start of calls, for the handlers at their return.

    All entries attach at the same place.
    """
    site = entries[0][1]
    walker = _start(target, environment, site)
    dispatch.walk_entries(
        walker,
        [(environment.tree_of(handler.function), entry) for handler, entry in entries],
    )
    return _finish(name, site, walker)


def _walk_session(walker: Walker, handlers: Sequence[tuple[Handler, Site]]) -> None:
    """Save at the entry what handlers want at the return, and run them there."""
    from skep.compiler.sessions import branch_on_return  # few tools have them

    at_entry, at_return = branch_on_return(walker)
    before = walker.flow.copy()
    entries = [
        (walker.environment.tree_of(handler.function), site.entry)
        for handler, site in handlers
        if site.entry is not None
    ]
    walker.builder.start(at_entry)
    dispatch.walk_entries(walker, entries)
    walker.flow = before
    walker.builder.start(at_return)
    _walk_in_turn(walker, handlers)


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


def _start(target: Target, environment: Environment, site: Site) -> Walker:
    walker = Walker(target, environment, site.attach.module)
    walker.context = walker.builder.register()
    walker.builder.emit(ir.Context(walker.context))
    if site.attach.places:
        walker.memory = "user"
    keep_own_stack(walker, site, target)
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
    note = "; ".join(walker.notes)
    return Compiled(spec, builder.maps, builder.graph, stack, note)


def walk_handler(walker: Walker, handler: Handler, site: Site) -> None:
    """Walk a handler whose parameters do not depend on a system call's number."""
    called = walker.environment.tree_of(handler.function)
    fetcher = Fetcher(walker, site.program_type == "tracing", called.span)
    walker.builder.span = called.span
    carried = any(saved.is_saved(param) for param in site.params)
    if carried:
        walker.frame = Frame(called, Globals.of(handler.function), None)
        spec = saved.find(walker, called.name, site, ir.Imm(0), fetcher)
    by_name = {param.name: param for param in site.params}
    walker.parameters = {
        name: partial(fetcher.parameter, by_name[name])
        for name in called.parameters
        if name in by_name
    }
    if carried:
        for name, compute in walker.parameters.items():
            walker.at_hand(("parameter", name), compute)
        saved.forget(spec, site, fetcher)
    walk_body(walker, handler, called)


def _has_effect(blocks: Sequence[ir.Block]) -> bool:
    """Whether the program does more than compute and return 0."""
    for block in blocks:
        for instruction in block.instructions:
            if isinstance(instruction, ir.Exit):
                if instruction.value != ir.Imm(0):
                    return True
            elif isinstance(instruction, ir.AtomicAdd) or (
                isinstance(instruction, ir.CallHelper)
                and instruction.helper != TAIL_CALL
            ):
                return True
    return False


def _lines(code: Sequence[Instruction]) -> list[LineInfo]:
    """Where the source line changes along the instructions."""
    lines: list[LineInfo] = []
    last: tuple[str, int] | None = None
    for index, instruction in enumerate(code):
        span = instruction.span
        if span is None or (span.file, span.line) == last:
            continue
        last = span.file, span.line
        text = span.text.strip()
        lines.append(LineInfo(index, span.file, span.line, span.column, text))
    return lines
