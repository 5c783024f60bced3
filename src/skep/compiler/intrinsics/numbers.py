"""Arithmetic that the operators of the language lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir
from skep.compiler.arithmetic import Number, convert, expect_number
from skep.compiler.intrinsics.registry import Arguments, intrinsic
from skep.compiler.ir import Imm
from skep.compiler.types import U16, U32, U64, Int
from skep.compiler.values import Const, Register, Value

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


def log2(walker: Walker, number: Number) -> Number:
    """The position of the highest set bit, 0 for 0: u32, at most 63."""
    if isinstance(number, Const):
        unsigned = Int(number.type.size, False) if number.type else U64
        return Const(max(unsigned.wrap(number.value).bit_length() - 1, 0), U32)
    b = walker.builder
    assert isinstance(number.type, Int)
    unsigned = Int(number.type.size, False)
    converted = convert(b, convert(b, number, unsigned), U64)
    rest = b.move(b.operand(converted, True))
    result = b.constant(0)
    step = unsigned.bits // 2
    while step > 1:
        above = _is_above(walker, rest, step)
        b.alu("<<", above, Imm(step.bit_length() - 1))
        b.alu(">>", rest, above)
        b.alu("|", result, above)
        step //= 2
    b.alu(">>", rest, Imm(1))
    b.alu("|", result, rest)
    return Register(result, U32)


def _is_above(walker: Walker, number: int, step: int) -> int:
    """1 if a number of at most 2 * `step` bits needs more than `step`, else 0.

    Without a branch: the verifier would go on with each of the 64 outcomes of `log2`
    by itself, and what follows is often a place in memory, which keeps them apart.
    """
    b = walker.builder
    if step == 32:
        result = b.move(number)
        b.alu(">>", result, Imm(32))
        b.emit(ir.Unary("-", result, True))
    else:
        result = b.constant((1 << step) - 1)
        b.alu("-", result, number)
    b.alu(">>", result, Imm(63))
    return result


@intrinsic("log2", "value")
def log2_(walker: Walker, arguments: Arguments) -> Value:
    """The position of the highest set bit, 0 for 0: u32."""
    number = expect_number(arguments["value"], arguments.call.span)
    return log2(walker, number)


def _swap(name: str, type_: Int, operator: str) -> None:
    def lower(walker: Walker, arguments: Arguments) -> Value:
        number = expect_number(arguments["value"], arguments.call.span)
        converted = convert(walker.builder, number, type_)
        result = walker.arithmetic.copy(converted)
        walker.builder.emit(ir.Unary(operator, result, type_.size == 8))
        return Register(result, type_)

    lower.__doc__ = f"A {type_.bits}-bit number from network to host byte order."
    intrinsic(name, "value")(lower)


for _name, _type in (("ntohs", U16), ("ntohl", U32), ("ntohll", U64)):
    _swap(_name, _type, f"be{_type.bits}")
