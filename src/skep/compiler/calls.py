"""Calls: intrinsics, methods of maps and streams, records, inline functions."""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Callable

from skep.compiler import ir, tree
from skep.compiler.access import WRITABLE
from skep.compiler.conditions import merge
from skep.compiler.environment import INLINE_MARK, Globals, SourceFunction
from skep.compiler.intrinsics import INTRINSICS, METHODS
from skep.compiler.intrinsics.registry import Arguments, counted, match_arguments
from skep.compiler.scope import Deferred, Flow, Frame, assigned_names
from skep.compiler.types import Layout, Pointer
from skep.compiler.values import Place, Register, Static, Value, type_name
from skep.errors import CompileError, near_matches
from skep.named_tuple import NamedTuple

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class IntrinsicFunction(NamedTuple):
    """`bpf.NAME`."""

    name: str


class BoundMethod(NamedTuple):
    """A method of a map or a stream."""

    owner: object
    name: str


def call(walker: Walker, node: tree.Call) -> Value:
    """A call of whatever the function expression is."""
    function = walker.value(node.function)
    callee = function.value if isinstance(function, Static) else None
    if isinstance(callee, IntrinsicFunction):
        return _intrinsic(walker, callee.name, node)
    if isinstance(callee, BoundMethod):
        return METHODS[type(callee.owner), callee.name](walker, callee.owner, node)
    if isinstance(callee, Layout):
        return construct(walker, callee, node)
    if isinstance(callee, FunctionType):
        return _inline(walker, callee, node)
    raise CompileError(f"{type_name(function)} cannot be called", node.span)


def _intrinsic(walker: Walker, name: str, node: tree.Call) -> Value:
    found = INTRINSICS.get(name)
    if found is None:
        near = near_matches(name, list(INTRINSICS))
        raise CompileError(
            f"there is no bpf.{name}()",
            node.span,
            hint=f"did you mean {' or '.join(f'bpf.{n}()' for n in near)}?"
            if near
            else "",
        )
    arguments = match_arguments(f"bpf.{name}", found.parameters, walker, node)
    return found.lower(walker, arguments)


def construct(
    walker: Walker,
    layout: Layout,
    node: tree.Call,
    fill: Callable[[str], Value | None] = lambda name: None,
) -> Place:
    """`Key(pid=..., disk=...)`: a record on the stack, padding and all zeroed first.

    `fill` gives the value of a member that is not given.
    """
    if node.arguments:
        raise CompileError(
            f"{layout.name}() takes its fields by name", node.arguments[0].span
        )
    slot = walker.builder.slot(layout.size, f"record {layout.name}")
    if _has_padding(layout):
        walker.access.zero(slot, 0, layout.size)
    given = dict(node.keywords)
    for name, member in layout.members.items():
        expression = given.pop(name, None)
        value = walker.value(expression) if expression else fill(name)
        if value is None:
            raise CompileError(f"{layout.name}() needs {name}", node.span)
        span = expression.span if expression else node.span
        walker.access.store(slot, member.bit_offset // 8, member.type, value, span)
    for name, expression in given.items():
        raise CompileError(f"{layout.name} has no field '{name}'", expression.span)
    return Place(slot, 0, layout, "stack")


def filled(walker: Walker, intrinsic: str | None, node: tree.Call) -> Value | None:
    """The value of an intrinsic without arguments; None if there is none."""
    if intrinsic is None:
        return None
    return INTRINSICS[intrinsic].lower(walker, Arguments({}, node))


def _has_padding(layout: Layout) -> bool:
    return sum(m.type.size for m in layout.members.values()) != layout.size


def _inline(walker: Walker, function: SourceFunction, node: tree.Call) -> Value:
    """Walk the body of a function in place of its call."""
    if not hasattr(function, INLINE_MARK):
        raise CompileError(
            f"{function.__name__}() is an ordinary Python function",
            node.span,
            hint="put @bpf.inline above its 'def' to call it from kernel-side code",
        )
    called = walker.environment.tree_of(function)
    frame = Frame(called, Globals.of(function), walker.frame)
    if walker.frame is not None and walker.frame.calls(called):
        raise CompileError(f"{called.name}() calls itself", node.span)
    bound = _bind_parameters(walker, called, frame, node)
    return _walk_inline(walker, frame, bound, node)


def _bind_parameters(
    walker: Walker, called: tree.Function, frame: Frame, node: tree.Call
) -> dict[str, Value]:
    """The values of the parameters, the defaults where none is given."""
    if len(node.arguments) > len(called.parameters):
        raise CompileError(
            f"{called.name}() takes {counted(len(called.parameters), 'argument')}, "
            f"not {len(node.arguments)}",
            node.span,
        )
    expressions = dict(zip(called.parameters, node.arguments))
    for name, expression in node.keywords:
        if name not in called.parameters or name in expressions:
            raise CompileError(
                f"{called.name}() has no further parameter '{name}'", node.span
            )
        expressions[name] = expression
    changed = assigned_names(called.body)
    bound = {
        name: walker.value(e) if name in changed else _argument(walker, e)
        for name, e in expressions.items()
    }
    defaults = dict(
        zip(
            called.parameters[len(called.parameters) - len(called.defaults) :],
            called.defaults,
        )
    )
    for name in called.parameters:
        if name not in bound:
            if name not in defaults:
                raise CompileError(f"{called.name}() needs {name}", node.span)
            caller, walker.frame = walker.frame, frame
            bound[name] = walker.value(defaults[name])
            walker.frame = caller
    return bound


def _argument(walker: Walker, expression: tree.Expression) -> Value:
    """The value of an argument, or a promise of it if it only follows pointers.

    But what the function itself may write must be read before the call.
    """
    root = _root_of_path(expression)
    known = walker.flow.assigned.get(root.id) if root else None
    if root is None or _is_writable(known):
        return walker.value(expression)
    if isinstance(expression, tree.Attribute):
        frame, assigned = walker.current_frame, dict(walker.flow.assigned)
        return Static(Deferred(expression, frame, assigned))
    if isinstance(known, Static) and isinstance(known.value, Deferred):
        return known
    return walker.value(expression)


def _root_of_path(expression: tree.Expression) -> tree.Name | None:
    """`a` in `a.b.c`."""
    while isinstance(expression, tree.Attribute):
        expression = expression.value
    return expression if isinstance(expression, tree.Name) else None


def _is_writable(value: Value | None) -> bool:
    """Whether a name leads to memory of the program's own."""
    if isinstance(value, Place):
        return value.space in WRITABLE
    return (
        isinstance(value, Register)
        and isinstance(value.type, Pointer)
        and value.type.space in WRITABLE
    )


def _walk_inline(
    walker: Walker, frame: Frame, bound: dict[str, Value], node: tree.Call
) -> Value:
    caller, outer, span = walker.frame, walker.flow, walker.builder.span
    walker.frame = frame
    walker.flow = outer.copy()
    walker.flow.assigned = {}
    changed = assigned_names(frame.function.body)
    for name, value in bound.items():
        if name in changed:
            target = tree.Name(name, node.span)
            walker.assign_name(target, value)
        else:
            walker.flow.assigned[name] = value
    walker.block(frame.function.body)
    fallen_through = walker.builder.block
    walker.frame, walker.builder.span = caller, span
    sides = [(returned.block, returned.value) for returned in frame.returns]
    flows = [returned.flow for returned in frame.returns]
    if fallen_through is not None:
        sides.append((fallen_through, None))
        flows.append(walker.flow)
        walker.builder.block = None
    walker.flow = _flow_after(outer, flows)
    _release_left(walker, sides, flows)
    if not sides:
        return Static(None)
    return merge(
        walker, [(b, Static(None) if v is None else v) for b, v in sides], node
    )


def _release_left(
    walker: Walker,
    sides: Sequence[tuple[ir.Block, Value | None]],
    flows: Sequence[Flow],
) -> None:
    """Give back the scratch records that some returns leave behind."""
    after = walker.flow
    for (walker.builder.block, _), walker.flow in zip(sides, flows):
        walker.release(after.held)
    walker.builder.block, walker.flow = None, after


def _flow_after(outer: Flow, flows: list[Flow]) -> Flow:
    """What holds after the call: the caller's variables, and what all returns know."""
    known: Flow | None = None
    for flow in flows:
        known = flow if known is None else known.join(flow)
    result = outer.copy()
    if known is not None:
        result.nonnull, result.at_hand = known.nonnull, known.at_hand
        # Records that were begun in the function ended with it.
        result.held = known.held & outer.held
    return result
