"""Kernel-side integers in Python: the language's rules for types, written once more.

Nothing here is shared with the compiler.  A number with a type is a `Number`; a literal
is a plain int, which adapts to the type of what it meets.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Union


class Refused(Exception):
    """The rules forbid this operation on these types."""


class Type(NamedTuple):
    """An integer type; `boolean` if only ever 0 or 1."""

    bits: int
    signed: bool
    boolean: bool = False

    def holds(self, value: int) -> bool:
        return self.wrap(value) == value

    def wrap(self, value: int) -> int:
        """What is left of `value` in this type."""
        if self.boolean:
            return int(value != 0)
        value &= (1 << self.bits) - 1
        if self.signed and value >> (self.bits - 1):
            value -= 1 << self.bits
        return value

    def __str__(self) -> str:
        return "bool" if self.boolean else f"{'s' if self.signed else 'u'}{self.bits}"


U8, U16, U32, U64 = (Type(bits, False) for bits in (8, 16, 32, 64))
S8, S16, S32, S64 = (Type(bits, True) for bits in (8, 16, 32, 64))
BOOL = Type(8, False, True)
TYPES = {str(t): t for t in (U8, U16, U32, U64, S8, S16, S32, S64)}

ORDERS = ("<", "<=", ">", ">=")
# The operators whose result depends on how the sign bit is read.
SIGNED_MATTERS = (*ORDERS, "//", "%")
SHIFTS = ("<<", ">>")

Kind = Union[Type, int]
"""What typing needs to know of an operand: its type or, for a literal, its value."""


def literal_type(value: int) -> Type:
    """The type of a literal that nothing else decides."""
    return S64 if S64.holds(value) else U64


def joined(operator: str, left: Kind, right: Kind) -> Type:
    """The type in which an operation is done; Refused if there is none."""
    if operator in SHIFTS:
        return _shifted(left)
    if isinstance(left, int):
        assert isinstance(right, Type)
        return _adapted(operator, left, right)
    if isinstance(right, int):
        return _adapted(operator, right, left)
    if left.boolean and right.boolean and operator not in ("+", "-", "*"):
        return BOOL
    bits = max(left.bits, right.bits)
    if left.signed == right.signed:
        return Type(bits, left.signed)
    signed, unsigned = (left, right) if left.signed else (right, left)
    if unsigned.bits < signed.bits:
        return signed
    if operator in SIGNED_MATTERS or (operator in ("==", "!=") and bits < 64):
        if bits == 64:
            raise Refused(f"{left} {operator} {right}")
        return S64
    return Type(bits, False)


def _shifted(left: Kind) -> Type:
    if isinstance(left, int):
        return S64 if left < 0 else U64
    return U8 if left.boolean else left


def _adapted(operator: str, literal: int, other: Type) -> Type:
    if other.boolean and (literal not in (0, 1) or operator in ("+", "-", "*")):
        other = U8
    if other.holds(literal):
        return other
    if literal < 0 and not other.signed:
        if operator in SIGNED_MATTERS or not Type(other.bits, True).holds(literal):
            raise Refused(f"{literal} {operator} {other}")
        return other
    wide = Type(64, other.signed)
    if not wide.holds(literal):
        raise Refused(f"{literal} {operator} {other}")
    return wide


def merged(kinds: list[Kind]) -> Kind:
    """The type of a value that is one of several."""
    result = kinds[0]
    for kind in kinds[1:]:
        if isinstance(result, int) and isinstance(kind, int):
            if result != kind:
                result = literal_type(max(result, kind, key=abs))
        else:
            both = joined("|", result, kind)
            literals = [each for each in (result, kind) if isinstance(each, int)]
            fits = both.bits == 64 or all(both.holds(value) for value in literals)
            result = both if fits else S64
    return result


def divide(left: int, right: int) -> int:
    """Towards zero; by zero it is zero."""
    if right == 0:
        return 0
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def modulo(left: int, right: int) -> int:
    """With the sign of the dividend; by zero it is the dividend."""
    if right == 0:
        return left
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": divide,
    "%": modulo,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

Operand = Union["Number", int]


def kind_of(operand: Operand) -> Kind:
    return operand.type if isinstance(operand, Number) else operand


class Number:
    """A value of a type, with the operators of the language."""

    __slots__ = ("type", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: int, type_: Type) -> None:
        self.value = type_.wrap(value)
        self.type = type_

    def __bool__(self) -> bool:
        return self.value != 0

    def __repr__(self) -> str:
        return f"{self.type}({self.value})"

    def __neg__(self) -> Number:
        return Number(-self.value, U8 if self.type.boolean else self.type)

    def __invert__(self) -> Number:
        if self.type.boolean:
            raise Refused("~bool")
        return Number(~self.value, self.type)


def plain(operand: Operand) -> int:
    return operand.value if isinstance(operand, Number) else operand


def calculate(operator: str, left: Operand, right: Operand) -> Number:
    """`left operator right`, of which at least one is a Number."""
    type_ = joined(operator, kind_of(left), kind_of(right))
    a, b = plain(left), plain(right)
    if operator in SHIFTS:
        a, count = type_.wrap(a), b & (type_.bits - 1)
        return Number(a << count if operator == "<<" else a >> count, type_)
    a, b = type_.wrap(a), type_.wrap(b)
    if operator in COMPARISONS:
        return Number(COMPARISONS[operator](a, b), BOOL)
    return Number(ARITHMETIC[operator](a, b), type_)


def _define_operators() -> None:
    names = {
        **{"+": "add", "-": "sub", "*": "mul", "//": "floordiv", "%": "mod"},
        **{"&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift"},
    }
    for operator, name in names.items():

        def forward(a: Number, b: Operand, operator: str = operator) -> Number:
            return calculate(operator, a, b)

        def backward(b: Number, a: Operand, operator: str = operator) -> Number:
            return calculate(operator, a, b)

        setattr(Number, f"__{name}__", forward)
        setattr(Number, f"__r{name}__", backward)
    for operator, name in zip(COMPARISONS, ("eq", "ne", "lt", "le", "gt", "ge")):

        def compare(a: Number, b: Operand, operator: str = operator) -> Number:
            return calculate(operator, a, b)

        setattr(Number, f"__{name}__", compare)


_define_operators()
