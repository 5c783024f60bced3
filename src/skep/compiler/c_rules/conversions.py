"""C's casts and `sizeof`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from skep.btf import parse_c_type
from skep.compiler import tree
from skep.compiler.arithmetic import convert
from skep.compiler.c_rules.scalars import as_number, decayed, described, pointer_of
from skep.compiler.types import U64, Int, Pointer, Type, Void
from skep.compiler.values import Const, Place, Register, Static, Value
from skep.errors import CompileError, SkepError, Span, near_matches

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


def type_of(walker: Walker, text: str, span: Span) -> Type:
    """A type in C spelling; the error lists types with similar names."""
    try:
        return walker.type_named(text, span)
    except SkepError as error:
        hint = error.diagnostic.hint or _near_types(walker, text)
        raise CompileError(error.diagnostic.message, span, hint=hint) from None


def _near_types(walker: Walker, text: str) -> str:
    """A hint at types of the same kind with similar names."""
    try:
        kind, name, *_ = parse_c_type(text)
    except SkepError:
        return ""
    btf = walker.target.btf
    near = near_matches(name, btf.names(name[:3]), 12)
    found = [each for each in near if btf.find(kind, each) is not None]
    return f"did you mean {' or '.join(found[:3])}?" if found else ""


def cast(walker: Walker, node: tree.CCast) -> Value:
    """`(type) value`."""
    type_ = type_of(walker, node.type, node.span)
    value = walker.value(node.operand)
    if isinstance(type_, Int):
        number = as_number(walker, value, node.operand.span)
        return convert(walker.builder, number, type_)
    if isinstance(type_, Pointer):
        return _pointer(walker, type_, value, node)
    raise CompileError(
        f"a value cannot become {type_}",
        node.span,
        hint=f"a pointer can: '({node.type} *) …'"
        if not isinstance(type_, Void)
        else "",
    )


def _pointer(
    walker: Walker, type_: Pointer, value: Value, node: tree.CCast
) -> Register:
    """A pointer of another type leads to the same kind of memory; where a number leads
    follows from the probe."""
    value = decayed(walker, value)
    before = pointer_of(value)
    if before is not None:
        assert isinstance(value, Register)
        if before.target == type_.target and type_.space in ("", before.space):
            return value
        # The verifier goes on to know the pointer by its own type.
        inherited = "user" if before.space == "user" else "kernel"
        space = type_.space or inherited
        return Register(value.register, Pointer(type_.target, space))
    number = convert(walker.builder, as_number(walker, value, node.operand.span), U64)
    space = type_.space or walker.memory
    if isinstance(number, Const):
        register = walker.builder.constant(number.value)
    else:
        register = number.register
    return Register(register, Pointer(type_.target, space))


def sizeof(walker: Walker, node: tree.CSizeof) -> Value:
    """`sizeof(type)` and `sizeof expression`, which is not evaluated."""
    if isinstance(node.operand, str):
        return _size(type_of(walker, node.operand, node.span), node)
    value = unevaluated(walker, node.operand)
    if isinstance(value, Static) and isinstance(value.value, bytes):
        return Const(len(value.value) + 1, U64)
    if isinstance(value, Const) and value.type is None:
        value = Const(value.value, Int(4 if abs(value.value) < 1 << 31 else 8, True))
    if isinstance(value, (Const, Register, Place)):
        assert value.type is not None
        return _size(value.type, node)
    raise CompileError(f"{described(value)} has no size", node.span)


def _size(type_: Type, node: tree.CSizeof) -> Const:
    if not type_.size:
        raise CompileError(f"{type_} has no size", node.span)
    return Const(type_.size, U64)


def unevaluated(walker: Walker, expression: tree.Expression) -> Value:
    """What an expression would give, for its type: without instructions.

    The builder drops what it is told while no block is open.
    """
    builder, flow = walker.builder, walker.flow
    block, builder.block = builder.block, None
    walker.flow = flow.copy()
    try:
        return walker.value(expression)
    finally:
        builder.block, walker.flow = block, flow


EXPRESSIONS: dict[type[object], Callable[..., Value]] = {
    tree.CCast: cast,
    tree.CSizeof: sizeof,
}
