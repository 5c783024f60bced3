"""What the operators of C have in common: promotion, decay, pointers as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from skep.compiler.arithmetic import Number, convert
from skep.compiler.ir import Address, Imm, Slot
from skep.compiler.types import S32, S64, U64, Array, Int, Pointer
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError, Span

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

Scalar = Union[Const, Register]

_FARTHEST = 1 << 28
"""Bytes by which the verifier lets a typed pointer be moved (BPF_MAX_VAR_OFF in
kernel/bpf/verifier.c is twice that)."""


def constant_type(value: int) -> Int:
    """The type of a number that has none yet, such as an enumerator."""
    return S32 if S32.holds(value) else S64 if S64.holds(value) else U64


def typed(number: Number) -> Number:
    """A number with a type."""
    if isinstance(number, Const) and number.type is None:
        type_ = constant_type(number.value)
        return Const(type_.wrap(number.value), type_)
    return number


def int_of(number: Number) -> Int:
    """The type of a number."""
    type_ = typed(number).type
    assert isinstance(type_, Int)
    return type_


def is_number(value: Value) -> bool:
    """Whether the value is a number."""
    return isinstance(value, Const) or (
        isinstance(value, Register) and isinstance(value.type, Int)
    )


def pointer_of(value: Value) -> Pointer | None:
    """The type of a pointer, None for anything else."""
    if isinstance(value, Register) and isinstance(value.type, Pointer):
        return value.type
    return None


def is_null(value: Value) -> bool:
    """Whether the value is the constant that C takes for a null pointer."""
    return isinstance(value, Const) and value.value == 0


def promoted(type_: Int) -> Int:
    """The type to which C widens a number before it computes."""
    return S32 if type_.size < 4 or type_.boolean else type_


def promote(walker: Walker, number: Number) -> Number:
    """The number as C computes with it."""
    number = typed(number)
    return convert(walker.builder, number, promoted(int_of(number)))


def common(a: Int, b: Int) -> Int:
    """The type of two numbers together: C's usual arithmetic conversions."""
    a, b = promoted(a), promoted(b)
    if a.signed == b.signed:
        return max(a, b)
    signed, unsigned = (a, b) if a.signed else (b, a)
    return unsigned if unsigned.size >= signed.size else signed


def decayed(walker: Walker, value: Value) -> Value:
    """The value, or a pointer to its first element if it is an array."""
    if isinstance(value, Place) and isinstance(value.type, Array):
        element = value.type.element
        return pointer_to(walker, value.base, value.offset, element, value.space)
    return value


def pointer_to(
    walker: Walker, base: int | Slot, offset: int, target: object, space: str
) -> Register:
    """The address of something in memory."""
    b = walker.builder
    # A typed pointer that was moved has not the type that the verifier knows any more,
    # and through a context that was moved it lets nothing be loaded.
    kept = "kernel" if space in ("trusted", "context") else space
    type_ = Pointer(target, kept)  # type: ignore[arg-type]
    if isinstance(base, Slot):
        return Register(b.lea(Address(base, offset)), type_)
    if abs(offset) > _FARTHEST:
        base = forgotten(walker, Register(base, type_))
    address = b.move(base)
    b.alu("+", address, b.operand(Const(offset, S64), True))
    return Register(address, type_)


def forgotten(walker: Walker, pointer: Register) -> int:
    """The same address in a register that the verifier takes for any number.

    It refuses to compute with a pointer that it knows, and it forgets what a helper
    copies.  In probes of user programs it does not know what leads to user memory.
    """
    assert isinstance(pointer.type, Pointer)
    if pointer.type.space == walker.memory == "user":
        return pointer.register
    b = walker.builder
    known = b.shared_slot(8, "pointer")
    b.store(known, 0, pointer.register, 8)
    copy = b.shared_slot(8, "value read")
    b.call("probe_read_kernel", Address(copy), Imm(8), Address(known))
    return b.load(copy, 0, 8)


def as_number(walker: Walker, value: Value, span: Span) -> Number:
    """A number, also from a pointer or an array, whose address it is."""
    value = decayed(walker, value)
    if pointer_of(value):
        assert isinstance(value, Register)
        return Register(forgotten(walker, value), U64)
    return number(value, span)


def number(value: Value, span: Span) -> Number:
    """The value as a number with a type; an error for anything else."""
    if is_number(value):
        assert isinstance(value, (Const, Register))
        return typed(value)
    raise CompileError(f"a number is needed here, not {described(value)}", span)


def scalar(walker: Walker, value: Value, span: Span) -> Scalar:
    """A number or a pointer; an error for structures and text."""
    value = decayed(walker, value)
    if isinstance(value, Register):
        return value
    if isinstance(value, Const):
        return typed(value)
    is_text = isinstance(value, Static) and isinstance(value.value, bytes)
    raise CompileError(
        f"{described(value)} is neither number nor pointer",
        span,
        hint='texts are compared by STRCMP("text", pointer)' if is_text else "",
    )


def described(value: Value) -> str:
    """What a message calls the type of a value."""
    if isinstance(value, Static) and isinstance(value.value, bytes):
        return "a text in quotes"
    return type_name(value)
