"""Integers: conversion, arithmetic, comparison.

Canonical form (see `values.Register`) makes most conversions free.  Constants are
folded with the same rules that the instructions follow: results wrap, division by zero
gives zero, modulo by zero leaves the dividend, signed division truncates.
"""

from __future__ import annotations

from typing import NoReturn, Union

from skep.compiler import ir
from skep.compiler.builder import Builder, signed32
from skep.compiler.folding import decide, fold, fold_literals
from skep.compiler.ir import Imm
from skep.compiler.types import BOOL, S64, U64, Int
from skep.compiler.values import Const, Register, Value, type_name
from skep.errors import CompileError, Span
from skep.named_tuple import NamedTuple

Number = Union[Const, Register]

ORDER = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
SIGN_MATTERS = frozenset(("//", "%", "<", "<=", ">", ">="))


class Test(NamedTuple):
    """What a branch tests, see `ir.Branch`."""

    operator: str
    left: int
    right: ir.Operand
    wide: bool


def int_type(number: Number) -> Int | None:
    """The type of a number; None for a literal."""
    type_ = number.type
    assert type_ is None or isinstance(type_, Int)
    return type_


def literal_type(value: int) -> Int:
    """The type a literal takes when nothing else decides."""
    return S64 if S64.holds(value) else U64


def convert(builder: Builder, number: Number, to: Int) -> Number:
    """The number as a value of type `to`, wrapped if it does not fit."""
    if isinstance(number, Const):
        return Const(to.wrap(number.value), to)
    source = int_type(number)
    assert source is not None
    if to.boolean and not source.boolean:
        return Register(_truth(builder, number), BOOL)
    if source.size == 8 and to.size == 8:
        return Register(number.register, to)
    if to.size == 8:
        return Register(_extend(builder, number.register, source), to)
    if to.size == 4:
        if source.size < 8:
            return Register(number.register, to)
        return Register(builder.move(number.register, wide=False), to)
    narrower = source.size < to.size and (not source.signed or to.signed)
    if narrower or (source.size, source.signed) == (to.size, to.signed):
        return Register(number.register, to)
    return Register(truncate(builder, number.register, to), to)


def _truth(builder: Builder, number: Register) -> int:
    """1 if the number is not zero, else 0."""
    assert isinstance(number.type, Int)
    result = builder.move(Imm(1))
    zero, done = builder.new_block(), builder.new_block()
    wide = number.type.size == 8
    builder.finish(ir.Branch("!=", number.register, Imm(0), wide, done, zero))
    builder.start(zero)
    builder.move(Imm(0), result)
    builder.jump(done)
    builder.start(done)
    return result


def _extend(builder: Builder, register: int, source: Int) -> int:
    """A canonical register of `source` (at most 4 bytes) extended to 64 bits."""
    if not source.signed:
        return register
    result = builder.move(register)
    builder.alu("<<", result, Imm(32))
    builder.alu("s>>", result, Imm(32))
    return result


def truncate(builder: Builder, register: int, to: Int) -> int:
    """The low 1 or 2 bytes of a register in canonical form."""
    result = builder.move(register)  # what follows clears the upper half
    shift = Imm(32 - to.bits)
    if to.signed:
        builder.alu("<<", result, shift, wide=False)
        builder.alu("s>>", result, shift, wide=False)
    else:
        builder.alu("&", result, Imm((1 << to.bits) - 1), wide=False)
    return result


def sign_loaded(builder: Builder, register: int, type_: Int) -> int:
    """A zero-extended register just loaded from memory in canonical form."""
    if type_.signed and type_.size < 4:
        return truncate(builder, register, type_)
    return register


class Arithmetic:
    """Typed binary and unary operations."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def binary(self, operator: str, left: Number, right: Number, span: Span) -> Number:
        """`left operator right`."""
        if left.type is None and right.type is None:
            assert isinstance(left, Const) and isinstance(right, Const)
            return Const(fold_literals(operator, left.value, right.value, span))
        if operator in ("<<", ">>"):
            return self._shift(operator, left, right, span)
        type_ = self.join(operator, left, right, span)
        left, right = (convert(self.builder, n, type_) for n in (left, right))
        if isinstance(left, Const) and isinstance(right, Const):
            return Const(
                type_.wrap(fold(operator, left.value, right.value, type_)), type_
            )
        return self._compute(operator, left, right, type_)

    def join(self, operator: str, left: Number, right: Number, span: Span) -> Int:
        """The type in which an operation on both is done."""
        a, b = int_type(left), int_type(right)
        if a is None or b is None:
            literal, other = (left, b) if a is None else (right, a)
            assert isinstance(literal, Const) and other is not None
            return self._join_literal(operator, literal.value, other, span)
        if a.boolean and b.boolean and operator not in ("+", "-", "*"):
            return BOOL
        size = max(a.size, b.size)
        if a.signed == b.signed:
            return Int(size, a.signed)
        signed, unsigned = (a, b) if a.signed else (b, a)
        if unsigned.size < signed.size:
            return signed
        if operator not in SIGN_MATTERS:
            return Int(size, False)
        if unsigned.size < 8:
            return S64
        self._mixed(operator, a, b, span)

    def _mixed(self, operator: str, a: Int, b: Int, span: Span) -> NoReturn:
        raise CompileError(
            f"'{operator}' mixes {a} and {b}",
            span,
            hint="say which is meant: bpf.s64(...) or bpf.u64(...) around one side",
        )

    def _join_literal(self, operator: str, value: int, other: Int, span: Span) -> Int:
        """A literal takes the type of the other side where it fits."""
        if other.boolean and (value not in (0, 1) or operator in ("+", "-", "*")):
            other = Int(1, False)
        if other.holds(value):
            return other
        if value < 0 and not other.signed:
            # As in C, -1 with an unsigned number is the number with all bits set;
            # only where that would silently invert an order is it refused.
            if operator in SIGN_MATTERS:
                raise CompileError(
                    f"'{operator}' compares {other}, which is never negative, "
                    f"with {value}"
                    if operator in ORDER
                    else f"'{operator}' mixes {other} and the negative number {value}",
                    span,
                    hint="bpf.s64(...) around the other side gives it a sign",
                )
            if -value <= 1 << (other.bits - 1):
                return Int(other.size, False)
        if other.signed and S64.holds(value):
            return S64
        if not other.signed and value > 0 and U64.holds(value):
            return U64
        raise CompileError(
            f"no type holds both {other} and {value}",
            span,
            hint="bpf.s64(...) around the other side gives it a sign"
            if value < 0
            else "numbers have 64 bits at most",
        )

    def _compute(
        self, operator: str, left: Number, right: Number, type_: Int
    ) -> Number:
        wide = type_.size == 8
        if isinstance(left, Const) and operator in ("+", "*", "&", "|", "^"):
            left, right = right, left
        if isinstance(right, Const) and right.value == 0 and operator in ("//", "%"):
            return Const(0, type_) if operator == "//" else left
        if isinstance(right, Const):
            simple = self._by_power_of_two(operator, left, right.value, type_)
            if simple is not None:
                return simple
        if operator in ("//", "%") and type_.signed:
            return Register(self._signed_division(operator, left, right, type_), type_)
        result = self.copy(left)
        self.builder.alu(operator, result, self.builder.operand(right, wide), wide)
        if operator in ("+", "-", "*"):
            return self._normal(result, type_)
        return Register(result, type_)

    def copy(self, number: Number) -> int:
        """The number in a new register, in canonical form."""
        if isinstance(number, Const) and number.type and number.type.size < 8:
            return self.builder.move(Imm(signed32(number.value)), wide=False)
        return self.builder.move(self.builder.operand(number, True))

    def _normal(self, register: int, type_: Int) -> Register:
        """The result of an operation on whole registers, wrapped to its type."""
        if type_.size < 4:
            register = truncate(self.builder, register, type_)
        return Register(register, type_)

    def _by_power_of_two(
        self, operator: str, left: Number, factor: int, type_: Int
    ) -> Number | None:
        """Multiplication, and unsigned division, by a power of two."""
        if factor <= 0 or factor & (factor - 1) or isinstance(left, Const):
            return None
        shift = factor.bit_length() - 1
        replaced = {"*": ("<<", shift), "//": (">>", shift), "%": ("&", factor - 1)}
        if operator not in replaced or (operator != "*" and type_.signed):
            return None
        simple, amount = replaced[operator]
        if simple == "&" and amount > 0x7FFFFFFF:
            return None
        wide = type_.size == 8
        result = self.builder.move(left.register)
        if amount or simple == "&":
            self.builder.alu(simple, result, Imm(amount), wide)
        return (
            self._normal(result, type_) if operator == "*" else Register(result, type_)
        )

    def _signed_division(
        self, operator: str, left: Number, right: Number, type_: Int
    ) -> int:
        """Truncating division by magnitudes; kernels before 6.6 have no signed form.

        Division by zero must give 0 and modulo by zero the dividend, which unsigned
        division of the magnitudes already does.  Signs are handled without branches:
        the verifier would follow every combination of them.
        """
        b = self.builder
        dividend = b.move(b.operand(convert(b, left, S64), True))
        divisor = b.move(b.operand(convert(b, right, S64), True))
        sign = self._make_positive(dividend)
        divisor_sign = self._make_positive(divisor)
        if operator == "//":
            b.alu("^", sign, divisor_sign)
        b.alu(operator, dividend, divisor)
        self._negate_if(dividend, sign)
        if type_.size == 4:
            return b.move(dividend, wide=False)
        return truncate(b, dividend, type_) if type_.size < 4 else dividend

    def _make_positive(self, register: int) -> int:
        """Turn a number into its magnitude; its sign: all bits set if negative."""
        sign = self.builder.move(register)
        self.builder.alu("s>>", sign, Imm(63))
        self._negate_if(register, sign)
        return sign

    def _negate_if(self, register: int, sign: int) -> None:
        """Negate if all bits of `sign` are set, do nothing if none is."""
        self.builder.alu("^", register, sign)
        self.builder.alu("-", register, sign)

    def _shift(self, operator: str, left: Number, right: Number, span: Span) -> Number:
        """Shifts keep the type of the left side; its width wraps the count."""
        type_ = int_type(left)
        if type_ is None:
            assert isinstance(left, Const)
            type_ = S64 if left.value < 0 else U64
            left = Const(type_.wrap(left.value), type_)
        if type_.boolean:
            type_ = Int(1, False)
        mask = type_.bits - 1
        if isinstance(right, Const):
            if isinstance(left, Const):
                folded = fold(operator, left.value, right.value & mask, type_)
                return Const(type_.wrap(folded), type_)
            count: ir.Operand = Imm(right.value & mask)
        else:
            count = right.register
            if type_.size < 4:
                count = self.builder.move(count)
                self.builder.alu("&", count, Imm(mask), wide=False)
        wide = type_.size == 8
        kernel = "s>>" if operator == ">>" and type_.signed else operator
        result = self.copy(left)
        if not (isinstance(count, Imm) and count.value == 0):
            self.builder.alu(kernel, result, count, wide)
        if operator == "<<":
            return self._normal(result, type_)
        return Register(result, type_)

    def negate(self, number: Number) -> Number:
        """`-number`."""
        type_ = int_type(number)
        if type_ is None:
            assert isinstance(number, Const)
            return Const(-number.value)
        type_ = Int(type_.size, type_.signed)  # of a truth value: u8
        if isinstance(number, Const):
            return Const(type_.wrap(-number.value), type_)
        result = self.builder.move(number.register)
        self.builder.emit(ir.Unary("-", result, type_.size == 8))
        return self._normal(result, type_)

    def invert(self, number: Number, span: Span) -> Number:
        """`~number`."""
        type_ = int_type(number)
        if type_ is None:
            assert isinstance(number, Const)
            return Const(~number.value)
        if type_.boolean:
            raise CompileError(
                "'~' of a truth value", span, hint="the opposite is 'not x'"
            )
        if isinstance(number, Const):
            return Const(type_.wrap(~number.value), type_)
        result = self.builder.move(number.register)
        self.builder.alu("^", result, Imm(-1), type_.size == 8)
        if type_.size < 4 and not type_.signed:
            return self._normal(result, type_)
        return Register(result, type_)

    def compare(
        self, operator: str, left: Number, right: Number, span: Span
    ) -> bool | Test:
        """The outcome if it is known when compiling, else what a jump must test."""
        if left.type is None and right.type is None:
            assert isinstance(left, Const) and isinstance(right, Const)
            return decide(operator, left.value, right.value)
        exact = self._exact_join(operator, left, right, span)
        if isinstance(exact, bool):
            return exact
        left, right = (convert(self.builder, n, exact) for n in (left, right))
        if isinstance(left, Const) and isinstance(right, Const):
            return decide(operator, left.value, right.value)
        if isinstance(left, Const):
            left, right, operator = right, left, _MIRRORED[operator]
        assert isinstance(left, Register)
        wide = exact.size == 8
        kernel = f"s{operator}" if exact.signed and operator in ORDER else operator
        operand = self.builder.operand(right, wide)
        return Test(kernel, left.register, operand, wide)

    def _exact_join(
        self, operator: str, left: Number, right: Number, span: Span
    ) -> bool | Int:
        """The type of a comparison, which compares values and not bit patterns, but
        for `==` and `!=` of 64-bit numbers of different signedness."""
        a, b = int_type(left), int_type(right)
        if operator in ORDER or a is None or b is None:
            return self.join(operator, left, right, span)
        if a.signed != b.signed and max(a.size, b.size) < 8:
            return self.join("<", left, right, span)
        return self.join(operator, left, right, span)


_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def expect_number(value: Value, span: Span) -> Number:
    """The value as a number, or an error that tells what it is."""
    if isinstance(value, Const):
        return value
    if isinstance(value, Register) and isinstance(value.type, Int):
        return value
    raise CompileError(f"a number is needed here, not {type_name(value)}", span)
