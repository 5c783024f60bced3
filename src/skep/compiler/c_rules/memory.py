"""C's ways into memory: `.`, `->`, `[]`, `*` and `&`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from skep.compiler import tree
from skep.compiler.access import member_of
from skep.compiler.arithmetic import Number, convert
from skep.compiler.c_rules.scalars import (
    decayed,
    described,
    forgotten,
    is_number,
    number,
    pointer_of,
    pointer_to,
)
from skep.compiler.ir import Slot
from skep.compiler.types import (
    S32,
    S64,
    VOID,
    Array,
    Int,
    Layout,
    Member,
    Pointer,
    Struct,
    Type,
    Void,
)
from skep.compiler.values import Const, Place, Register, Value
from skep.errors import CompileError, Span
from skep.named_tuple import NamedTuple

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class Spot(NamedTuple):
    """Something in memory that can be read, or whose address can be taken."""

    base: int | Slot
    offset: int
    type: Type
    space: str


def read(walker: Walker, spot: Spot, span: Span) -> Value:
    """What is there; structures and arrays stay where they are."""
    return walker.access.load(spot.base, spot.offset, spot.type, spot.space, span)


def member(walker: Walker, node: tree.CMember) -> Value:
    """`a.b` and `a->b`."""
    owner = _owner(walker, node)
    found = member_of(_structure(owner.type, node), node.name, node.span)
    if found.bits:
        return _bit_field(walker, owner, found, node)
    return read(walker, _within(owner, found), node.span)


def _bit_field(walker: Walker, owner: Spot, found: Member, node: tree.CMember) -> Value:
    """Narrow bit fields are ints to C, also those of unsigned types."""
    structure = _structure(owner.type, node)
    place = Place(owner.base, owner.offset, structure, owner.space)
    value = walker.access.member(place, node.name, node.span)
    assert isinstance(value, Register) and isinstance(found.type, Int)
    narrow = found.bits < 32 or (found.bits == 32 and found.type.signed)
    return convert(walker.builder, value, S32) if narrow else value


def _within(owner: Spot, found: Member) -> Spot:
    offset = owner.offset + found.bit_offset // 8
    return owner._replace(offset=offset, type=found.type)


def _structure(type_: Type, node: tree.CMember) -> Struct | Layout:
    if isinstance(type_, (Struct, Layout)):
        return type_
    if type_ == VOID:
        raise CompileError(
            f"what this points to is not known, so it has no member '{node.name}'",
            node.span,
            hint="say it in the kernel's types, which do not include those of programs:"
            f" '((struct TYPE *) …)->{node.name}'",
        )
    raise CompileError(f"{type_} has no members, so no '{node.name}'", node.span)


def _owner(walker: Walker, node: tree.CMember) -> Spot:
    """The structure to the left of `.` or `->`."""
    value = walker.value(node.value)
    if node.operator == "->":
        pointer = decayed(walker, value)
        if isinstance(value, Place) and isinstance(value.type, (Struct, Layout)):
            raise CompileError(
                f"'->' on {value.type}, which is no pointer",
                node.span,
                hint=f"write '.{node.name}'",
            )
        return behind(walker, pointer, node.value.span, f"->{node.name}")
    if isinstance(value, Place):
        return Spot(value.base, value.offset, value.type, value.space)
    if pointer_of(value):
        raise CompileError(
            f"'.' on {described(value)}, which is a pointer",
            node.span,
            hint=f"write '->{node.name}'",
        )
    raise CompileError(
        f"{described(value)} has no members, so no '{node.name}'", node.span
    )


def behind(walker: Walker, value: Value, span: Span, use: str) -> Spot:
    """What a pointer points to; one that may be null reads as zero."""
    type_ = pointer_of(value)
    if is_number(value):
        raise CompileError(
            f"this is {described(value)}, no pointer",
            span,
            hint=f"say what it points to: '((struct TYPE *) …){use}'"
            if use.startswith("->")
            else "say what it points to: '(TYPE *) …'",
        )
    if type_ is None:
        raise CompileError(f"{described(value)} is no pointer", span)
    assert isinstance(value, Register)
    space, base = type_.space or "kernel", value.register
    if space == "trusted" and not walker.is_nonnull(value):
        space, base = "kernel", forgotten(walker, value)
    elif space == "memory":
        walker.require_nonnull(value, span)
    return Spot(base, 0, type_.target, space)


def _pointee(walker: Walker, node: tree.CUnary) -> Spot:
    """What `*p` names."""
    pointer = decayed(walker, walker.value(node.operand))
    spot = behind(walker, pointer, node.operand.span, "")
    return _known(spot, node.span)


def _known(spot: Spot, span: Span) -> Spot:
    if isinstance(spot.type, Void):
        raise CompileError(
            "this pointer leads to memory of unknown type",
            span,
            hint="say what it points to: '(TYPE *) …'",
        )
    return spot


def followed(walker: Walker, node: tree.CUnary) -> Value:
    """`*p`."""
    return read(walker, _pointee(walker, node), node.span)


def index(walker: Walker, node: tree.CIndex) -> Value:
    """`a[i]`; outside of an array whose length is known it is zero."""
    owner = walker.value(node.value)
    position = _position(walker, node)
    if (
        isinstance(owner, Place)
        and isinstance(owner.type, Array)
        and not isinstance(owner.type.element, (Struct, Layout, Array))
        and owner.type.count
    ):
        return walker.access.element(owner, position, node.span)
    return read(walker, _element(walker, owner, position, node), node.span)


def _position(walker: Walker, node: tree.CIndex) -> Number:
    return number(walker.value(node.index), node.index.span)


def _element(walker: Walker, owner: Value, position: Number, node: tree.CIndex) -> Spot:
    """The place of an element, of an array or behind a pointer."""
    if isinstance(owner, Place) and isinstance(owner.type, Array):
        element, count = owner.type
        spot = Spot(owner.base, owner.offset, element, owner.space)
        if isinstance(position, Const) and not 0 <= position.value < (count or 1 << 31):
            raise CompileError(
                f"index {position.value} is outside of {owner.type}", node.span
            )
        if isinstance(position, Const) and count:
            return spot._replace(offset=spot.offset + position.value * element.size)
        owner = pointer_to(walker, *spot)
    elif not pointer_of(owner):
        raise CompileError(f"{described(owner)} has no elements", node.span)
    if isinstance(position, Const) and position.value == 0:
        return _known(behind(walker, owner, node.value.span, "[0]"), node.span)
    assert isinstance(owner, Register)
    pointer = moved(walker, owner, position, "+", node.span)
    return _known(behind(walker, pointer, node.value.span, "[i]"), node.span)


def moved(
    walker: Walker, pointer: Register, count: Number, operator: str, span: Span
) -> Register:
    """A pointer `count` elements further or, with "-", before."""
    type_ = pointer.type
    assert isinstance(type_, Pointer)
    size = element_size(type_.target, span)
    b = walker.builder
    wide = convert(b, count, S64)
    distance = walker.arithmetic.binary("*", wide, Const(size, S64), span)
    address = b.move(forgotten(walker, pointer))
    b.alu(operator, address, b.operand(distance, True))
    space = "user" if type_.space == "user" else "kernel"
    return Register(address, Pointer(type_.target, space))


def element_size(target: Type, span: Span) -> int:
    """The bytes that a pointer moves by; GNU C counts void as one."""
    if isinstance(target, Void):
        return 1
    if not target.size:
        raise CompileError(f"{target} has no size to move by", span)
    return target.size


def address(walker: Walker, node: tree.CUnary) -> Value:
    """`&x`, of whatever lies in memory."""
    operand = node.operand
    if isinstance(operand, tree.CMember):
        owner = _owner(walker, operand)
        found = member_of(_structure(owner.type, operand), operand.name, operand.span)
        if found.bits:
            raise CompileError("a bit field has no address", node.span)
        return pointer_to(walker, *_within(owner, found))
    if isinstance(operand, tree.CIndex):
        owner_value = walker.value(operand.value)
        spot = _element(walker, owner_value, _position(walker, operand), operand)
        return pointer_to(walker, *spot)
    if isinstance(operand, tree.CUnary) and operand.operator == "*":
        return decayed(walker, walker.value(operand.operand))
    raise CompileError(
        "this has no address: '&' is for members, elements and '*p'", node.span
    )


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {
    tree.CMember: member,
    tree.CIndex: index,
}
