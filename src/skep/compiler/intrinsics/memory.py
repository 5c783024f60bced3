"""Types and pointers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir
from skep.compiler.access import member_of
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.intrinsics.registry import Arguments, intrinsic
from skep.compiler.ir import Imm
from skep.compiler.types import (
    BOOL,
    S8,
    S16,
    S32,
    S64,
    U8,
    U16,
    U32,
    U64,
    Int,
    Layout,
    Pointer,
    Struct,
)
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError, SkepError, Span

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


def text_argument(arguments: Arguments, name: str) -> str:
    """An argument that must be text known when compiling."""
    value = arguments[name]
    if isinstance(value, Static) and isinstance(value.value, str):
        return value.value
    raise CompileError(f"{name} must be text in quotes", arguments.call.span)


def pointer_argument(walker: Walker, arguments: Arguments, name: str) -> Register:
    """An argument as an address: a pointer, a number, or a structure in memory."""
    value = arguments[name]
    if isinstance(value, Register):
        return value
    if isinstance(value, Place) and isinstance(value.base, int):
        address = walker.builder.move(value.base)
        walker.builder.alu("+", address, Imm(value.offset))
        return Register(address, Pointer(value.type, value.space))
    if isinstance(value, Const):
        return Register(walker.builder.constant(value.value), U64)
    raise CompileError(f"{type_name(value)} has no address", arguments.call.span)


def _number_cast(name: str, type_: Int) -> None:
    def lower(walker: Walker, arguments: Arguments) -> Value:
        value = arguments["value"]
        if isinstance(value, Register) and isinstance(value.type, Pointer):
            value = Register(value.register, U64)
        if isinstance(value, (Const, Register)):
            return convert(walker.builder, value, type_)
        raise CompileError(f"{type_name(value)} is no number", arguments.call.span)

    lower.__doc__ = f"The number as {type_}, cut to its width."
    intrinsic(name, "value")(lower)


for _type in (U8, U16, U32, U64, S8, S16, S32, S64):
    _number_cast(str(_type), _type)


@intrinsic("cast", "value", "type")
def cast(walker: Walker, arguments: Arguments) -> Value:
    """The value as another type in C spelling: `bpf.cast(sk, "struct tcp_sock *")`."""
    type_ = walker.type_named(text_argument(arguments, "type"), arguments.call.span)
    value = arguments["value"]
    if isinstance(type_, Int) and isinstance(value, (Const, Register)):
        if isinstance(value.type, Pointer):
            value = Register(value.register, U64)
        return convert(walker.builder, value, type_)
    if not isinstance(type_, Pointer):
        raise CompileError(f"a value cannot become {type_}", arguments.call.span)
    pointer = pointer_argument(walker, arguments, "value")
    space, nullable = type_.space or "kernel", False
    if isinstance(pointer.type, Pointer):
        space = type_.space or _inherited_space(pointer)
        nullable = pointer.type.nullable
    return Register(pointer.register, Pointer(type_.target, space, nullable))


def _inherited_space(pointer: Register) -> str:
    """Where a pointer made from another one leads.

    Only the verifier's own type of a trusted pointer may be loaded from directly.
    """
    user = isinstance(pointer.type, Pointer) and pointer.type.space == "user"
    return "user" if user else "kernel"


@intrinsic("user", "pointer")
def user(walker: Walker, arguments: Arguments) -> Value:
    """The same pointer, known to lead to user memory."""
    return _in_space(walker, arguments, "user")


@intrinsic("kernel", "pointer")
def kernel(walker: Walker, arguments: Arguments) -> Value:
    """The same pointer, known to lead to kernel memory."""
    return _in_space(walker, arguments, "kernel")


def _in_space(walker: Walker, arguments: Arguments, space: str) -> Value:
    pointer = pointer_argument(walker, arguments, "pointer")
    target = pointer.type.target if isinstance(pointer.type, Pointer) else U8
    return Register(pointer.register, Pointer(target, space))


@intrinsic("container_of", "pointer", "type", "member")
def container_of(walker: Walker, arguments: Arguments) -> Value:
    """The structure around a member: `bpf.container_of(m, "struct mount", "mnt")`."""
    name = text_argument(arguments, "type")
    type_ = walker.type_named(name, arguments.call.span)
    if not isinstance(type_, (Struct, Layout)):
        raise CompileError(f"'{name}' is no structure", arguments.call.span)
    wanted = text_argument(arguments, "member")
    member = member_of(type_, wanted, arguments.call.span)
    pointer = pointer_argument(walker, arguments, "pointer")
    outer = walker.builder.move(pointer.register)
    walker.builder.alu("+", outer, Imm(-(member.bit_offset // 8)))
    # Arithmetic on a trusted pointer leaves the type that the verifier knows.
    return Register(outer, Pointer(type_, _inherited_space(pointer)))


@intrinsic("address", "value")
def address(walker: Walker, arguments: Arguments) -> Value:
    """A pointer as a number (u64), for comparing and as a key."""
    pointer = pointer_argument(walker, arguments, "value")
    return Register(pointer.register, U64)


@intrinsic("atomic_add", "memory", "field", "number")
def atomic_add(walker: Walker, arguments: Arguments) -> Value:
    """Add to a 4- or 8-byte number in a map's value at once, whoever else adds.

    `bpf.atomic_add(entry, "count", 1)`; for a value that is a number the field is
    "value".
    """
    span = arguments.call.span
    owner, name = arguments["memory"], text_argument(arguments, "field")
    type_, offset = _number_in(walker, owner, name, span)
    assert isinstance(owner, Register)
    number = expect_number(arguments["number"], span)
    addend = convert(walker.builder, number, type_)
    walker.builder.emit(
        ir.AtomicAdd(owner.register, offset, walker.arithmetic.copy(addend), type_.size)
    )
    return Static(None)


def _number_in(walker: Walker, owner: Value, name: str, span: Span) -> tuple[Int, int]:
    """Type and offset of a number behind a pointer into a map's value."""
    if isinstance(owner, Register) and isinstance(owner.type, Pointer):
        walker.require_nonnull(owner, span)
        target, offset = owner.type.target, 0
        if isinstance(target, Layout):
            member = member_of(target, name, span)
            target, offset = member.type, member.bit_offset // 8
        if (
            isinstance(target, Int)
            and target.size >= 4
            and owner.type.space == "memory"
        ):
            return target, offset
    raise CompileError(f"{type_name(owner)} has no number '{name}' to add to", span)


@intrinsic("has_field", "type", "member")
def has_field(walker: Walker, arguments: Arguments) -> Value:
    """Whether this kernel's structure has a member; known when compiling."""
    wanted, name = text_argument(arguments, "type"), text_argument(arguments, "member")
    try:
        type_ = walker.type_named(wanted, None)
    except SkepError:
        return Const(0, BOOL)
    found = isinstance(type_, (Struct, Layout)) and type_.member(name) is not None
    return Const(int(found), BOOL)


@intrinsic("has_type", "type")
def has_type(walker: Walker, arguments: Arguments) -> Value:
    """Whether this kernel has a type; known when compiling."""
    wanted = text_argument(arguments, "type")
    try:
        walker.type_named(wanted, None)
    except SkepError:
        return Const(0, BOOL)
    return Const(1, BOOL)


@intrinsic("has_enumerator", "name")
def has_enumerator(walker: Walker, arguments: Arguments) -> Value:
    """Whether this kernel has an enumerator; known when compiling."""
    name = text_argument(arguments, "name")
    return Const(int(walker.target.has_enumerator(name)), BOOL)


@intrinsic("enumerator", "name")
def enumerator(walker: Walker, arguments: Arguments) -> Value:
    """The value that this kernel gives an enumerator; known when compiling."""
    name = text_argument(arguments, "name")
    value = walker.target.btf.enumerator(name)
    if value is None:
        raise CompileError(
            f"this kernel has no enumerator {name}",
            arguments.call.span,
            hint="guard it with 'if bpf.has_enumerator(...):'",
        )
    return Const(value)


@intrinsic("size_of", "type")
def size_of(walker: Walker, arguments: Arguments) -> Value:
    """The size of a type in bytes; known when compiling."""
    name = text_argument(arguments, "type")
    return Const(walker.type_named(name, arguments.call.span).size)
