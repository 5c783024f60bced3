"""Expressions: one function per node."""

from __future__ import annotations

import enum
from types import ModuleType
from typing import TYPE_CHECKING, Callable

from skep.compiler import ir, tree
from skep.compiler.access import member_of
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.calls import BoundMethod, IntrinsicFunction, call
from skep.compiler.conditions import conditional, materialize
from skep.compiler.intrinsics import METHODS, Namespace
from skep.compiler.ir import Imm
from skep.compiler.scope import Deferred
from skep.compiler.types import BOOL, U64, Array, Int, Layout, Pointer, Struct
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError, near_matches

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


def name(walker: Walker, node: tree.Name) -> Value:
    """A local variable, else a parameter, else a Python object."""
    frame = walker.current_frame
    value = walker.flow.assigned.get(node.id)
    if value is not None:
        if isinstance(value, Static) and isinstance(value.value, Deferred):
            return _read_deferred(walker, value.value)
        return value
    if node.id in frame.variables:
        raise CompileError(
            f"'{node.id}' may have no value here",
            node.span,
            hint="assign it on every path that leads here",
        )
    parameter = walker.parameters.get(node.id) if frame.caller is None else None
    if parameter is not None:
        return walker.at_hand(("parameter", node.id), parameter)
    found, value_ = frame.globals.find(node.id)
    if not found:
        known = [*walker.flow.assigned, *walker.parameters, *frame.globals.names]
        near = near_matches(node.id, known)
        raise CompileError(
            f"there is no '{node.id}'",
            node.span,
            hint=f"did you mean {' or '.join(near)}?" if near else "",
        )
    return constant(walker.environment.bind(value_))


def _read_deferred(walker: Walker, deferred: Deferred) -> Value:
    """The value of an argument, read where the inline function uses it."""

    def compute() -> Value:
        frame, assigned = walker.frame, walker.flow.assigned
        walker.frame, walker.flow.assigned = deferred.frame, dict(deferred.assigned)
        value = walker.value(deferred.expression)
        walker.frame, walker.flow.assigned = frame, assigned
        return value

    return walker.at_hand(deferred, compute)


def constant(value: object) -> Value:
    """A Python object as a value; numbers and enum members become constants."""
    if isinstance(value, bool):
        return Const(int(value), BOOL)
    if isinstance(value, enum.Enum) and isinstance(value.value, int):
        return Const(value.value)
    if isinstance(value, int):
        return Const(int(value))
    return Static(value)


def literal(walker: Walker, node: tree.Literal) -> Value:
    """A number or text in the source."""
    return constant(node.value)


def unary(walker: Walker, node: tree.Unary) -> Value:
    """`not`, `-` or `~`."""
    if node.operator == "not":
        return materialize(walker, node)
    number = expect_number(walker.value(node.operand), node.operand.span)
    if node.operator == "-":
        return walker.arithmetic.negate(number)
    return walker.arithmetic.invert(number, node.span)


def binary(walker: Walker, node: tree.Binary) -> Value:
    """Arithmetic on two numbers."""
    left, right = walker.value(node.left), walker.value(node.right)
    if isinstance(left, Static) and isinstance(right, Static):
        raise CompileError(
            f"'{node.operator}' on {type_name(left)} and {type_name(right)}", node.span
        )
    a = expect_number(left, node.left.span)
    b = expect_number(right, node.right.span)
    return walker.arithmetic.binary(node.operator, a, b, node.span)


def shared(walker: Walker, node: tree.Shared) -> Value:
    """The value that the expression had where it stands first."""
    key = (node, walker.current_frame)
    return walker.at_hand(key, lambda: walker.value(node.value))


def attribute(walker: Walker, node: tree.Attribute) -> Value:
    """Along a pointer or into a structure, or of a Python object."""
    owner = walker.value(node.value)
    if isinstance(owner, Static):
        return _static_attribute(walker, owner.value, node)
    if isinstance(owner, Register) and isinstance(owner.type, Pointer):
        target = owner.type.target
        if node.name == "value" and isinstance(target, (Int, Pointer)):
            walker.require_nonnull(owner, node.span)
            space = owner.type.space or "kernel"
            return walker.access.load(owner.register, 0, target, space, node.span)
        if owner.type.nullable and owner.type.space == "trusted":
            return _guarded_member(walker, owner, node)
    place = walker.place_of(owner, node.value.span)
    if place is None or isinstance(place.type, Array):
        raise CompileError(
            f"{type_name(owner)} has no members, so no '{node.name}'", node.span
        )
    return walker.access.member(place, node.name, node.span)


def _guarded_member(walker: Walker, owner: Register, node: tree.Attribute) -> Value:
    """A member behind a trusted pointer that the verifier says may be null.

    Tracepoints pass null pointers now and then; the member is zero then, as it is for
    every other failed read.
    """
    assert isinstance(owner.type, Pointer)
    target = owner.type.target
    if not isinstance(target, (Struct, Layout)):
        raise CompileError(f"{owner.type} has no members", node.span)
    plain = owner._replace(type=owner.type._replace(nullable=False))
    if owner.register in walker.flow.nonnull:
        place = Place(plain.register, 0, target, "trusted")
        return walker.access.member(place, node.name, node.span)
    member = member_of(target, node.name, node.span)
    if isinstance(member.type, (Struct, Layout, Array)):
        # Structures are read later, wherever they are used: probe reads need no test.
        offset = member.bit_offset // 8
        return Place(owner.register, offset, member.type, "kernel")
    b = walker.builder
    result = b.constant(0)
    inside, done = b.new_block(), b.new_block()
    b.finish(ir.Branch("!=", owner.register, Imm(0), True, inside, done))
    b.start(inside)
    place = Place(owner.register, 0, target, "trusted")
    loaded = walker.access.member(place, node.name, node.span)
    assert isinstance(loaded, Register)
    b.move(loaded.register, result)
    b.jump(done)
    b.start(done)
    type_ = loaded.type
    if isinstance(type_, Pointer) and type_.space == "trusted":
        # Joined with the null of the other path it is trusted no longer.
        type_ = type_._replace(space="kernel")
    return Register(result, type_)


def _static_attribute(walker: Walker, owner: object, node: tree.Attribute) -> Value:
    """An attribute of a Python object: a module, options, an enum, a map."""
    if isinstance(owner, Namespace):
        return Static(IntrinsicFunction(node.name))
    if (type(owner), node.name) in METHODS:
        return Static(BoundMethod(owner, node.name))
    missing = object()
    value = getattr(owner, node.name, missing)
    if value is missing:
        kind = "module" if isinstance(owner, ModuleType) else type(owner).__name__
        near = near_matches(node.name, [n for n in dir(owner) if n[0] != "_"])
        near += [n for cls, n in METHODS if cls is type(owner)]
        raise CompileError(
            f"the {kind} has no '{node.name}'",
            node.span,
            hint=f"it has {', '.join(near)}" if near else "",
        )
    return constant(walker.environment.bind(value))


def index(walker: Walker, node: tree.Index) -> Value:
    """An element of an array, or of what a pointer points to."""
    owner = walker.value(node.value)
    position = expect_number(walker.value(node.index), node.index.span)
    if isinstance(owner, Register) and isinstance(owner.type, Pointer):
        walker.require_nonnull(owner, node.span)
        elements = Array(owner.type.target, 0)
        space = owner.type.space or "kernel"
        owner = Place(owner.register, 0, elements, space)
    if not isinstance(owner, Place) or not isinstance(owner.type, Array):
        raise CompileError(f"{type_name(owner)} has no elements", node.span)
    return walker.access.element(owner, position, node.span)


def address(walker: Walker, value: Value, node: tree.Expression) -> Register:
    """The address that a pointer or a place in memory stands for, as a number."""
    if isinstance(value, Register) and isinstance(value.type, Pointer):
        return Register(value.register, U64)
    if isinstance(value, Place) and isinstance(value.base, int):
        base = walker.builder.move(value.base)
        walker.builder.alu("+", base, Imm(value.offset))
        return Register(base, U64)
    number = convert(walker.builder, expect_number(value, node.span), U64)
    assert isinstance(number, Register)
    return number


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {
    tree.Name: name,
    tree.Literal: literal,
    tree.Unary: unary,
    tree.Binary: binary,
    tree.Compare: materialize,
    tree.BoolOp: materialize,
    tree.Conditional: conditional,
    tree.Shared: shared,
    tree.Attribute: attribute,
    tree.Index: index,
    tree.Call: call,
}
