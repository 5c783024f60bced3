"""Random expressions of kernel-side code, which the rules of types allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.differential.model import (
    BOOL,
    ORDERS,
    S64,
    TYPES,
    U8,
    Kind,
    Refused,
    Type,
    joined,
    merged,
)

ALL_TYPES = list(TYPES.values())
OPERATORS = ("+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>")
_CORNERS = [0, 1, 2, 3, 5, 7, 8, 10, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256]
_CORNERS += [1000, 32767, 32768, 65535, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]
_CORNERS += [1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
_CORNERS += [-1, -2, -3, -8, -128, -129, -32768, -(1 << 31), -(1 << 63)]


class Expression(NamedTuple):
    """Source text, its type or literal value, and whether it may be a constant."""

    text: str
    kind: Kind
    constant: bool

    def cast(self, type_: Type) -> Expression:
        return Expression(f"bpf.{type_}({self.text})", type_, self.constant)


class ExpressionWriter:
    """Writes expressions over `variables`; keeps small what is in `loops`."""

    def __init__(self, draw: st.DrawFn, variables: dict[str, Type]) -> None:
        self.draw = draw
        self.variables = dict(variables)
        self.loops = 0

    # Drawing.

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def one(self, items: Sequence[object]) -> object:
        return items[self.number(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) < percent

    def type(self) -> Type:
        return ALL_TYPES[self.number(0, len(ALL_TYPES) - 1)]

    # Expressions.

    def expression(self, depth: int = 3) -> Expression:
        """Any value; never only literals below an operator."""
        if self.loops:
            # The verifier follows every path through every round.
            depth = min(depth, 1)
        if depth == 0 or self.chance(30):
            return self.leaf()
        kinds = (
            *(self.arithmetic,) * 6,
            *(self.comparison, self.unary, self.conversion, self.conditional),
        )
        return kinds[self.number(0, len(kinds) - 1)](depth - 1)

    def variable(self) -> Expression:
        name = str(self.one(sorted(self.variables)))
        return Expression(name, self.variables[name], False)

    def literal(self) -> Expression:
        value = self.number(-20, 20) if self.chance(50) else int(self.one(_CORNERS))  # type: ignore[call-overload]
        text = str(value) if value >= 0 else f"({value})"
        return Expression(text, value, True)

    def leaf(self) -> Expression:
        if self.chance(70):
            return self.variable()
        if self.chance(70):
            return self.literal()
        return self.literal().cast(self.type())

    def typed(self, depth: int) -> Expression:
        """A value that is no literal."""
        found = self.expression(depth)
        return self.variable() if isinstance(found.kind, int) else found

    def pair(self, operator: str, depth: int) -> tuple[Expression, Expression, Type]:
        """Two operands that go together, and their common type."""
        left, right = self.typed(depth), self.expression(depth)
        if self.chance(30) and operator not in ("<<", ">>"):
            left, right = right, left
        try:
            return left, right, joined(operator, left.kind, right.kind)
        except Refused:
            pass
        wanted = left.kind if isinstance(left.kind, Type) else right.kind
        assert isinstance(wanted, Type)
        wanted = Type(wanted.bits, wanted.signed)
        left, right = left.cast(wanted), right.cast(wanted)
        return left, right, joined(operator, wanted, wanted)

    def arithmetic(self, depth: int) -> Expression:
        operator = OPERATORS[self.number(0, len(OPERATORS) - 1)]
        if operator in ("<<", ">>") and self.chance(10):
            left, right = self.literal(), self.typed(depth)
            try:
                type_ = joined(operator, left.kind, right.kind)
            except Refused:
                type_ = S64
        else:
            left, right, type_ = self.pair(operator, depth)
        constant = left.constant and right.constant
        return Expression(f"({left.text} {operator} {right.text})", type_, constant)

    def comparison(self, depth: int) -> Expression:
        operator = ("==", "!=", *ORDERS)[self.number(0, 5)]
        left, right, _ = self.pair(operator, depth)
        constant = left.constant and right.constant
        return Expression(f"({left.text} {operator} {right.text})", BOOL, constant)

    def unary(self, depth: int) -> Expression:
        operand = self.typed(depth)
        operator = ("-", "~", "not ")[self.number(0, 2)]
        assert isinstance(operand.kind, Type)
        type_ = operand.kind
        if operator == "not ":
            type_ = BOOL
        elif type_.boolean:
            operator, type_ = "-", U8
        return Expression(f"({operator}{operand.text})", type_, operand.constant)

    def conversion(self, depth: int) -> Expression:
        operand = self.typed(depth)
        if self.chance(75):
            return operand.cast(self.type())
        name = ("log2", "ntohs", "ntohl", "ntohll")[self.number(0, 3)]
        types = {"log2": "u32", "ntohs": "u16", "ntohl": "u32", "ntohll": "u64"}
        text = f"bpf.{name}({operand.text})"
        return Expression(text, TYPES[types[name]], operand.constant)

    def conditional(self, depth: int) -> Expression:
        test = self.test(1)
        left, right, _ = self.pair("|", depth)
        assert not (isinstance(left.kind, int) and isinstance(right.kind, int))
        kind = merged([left.kind, right.kind])
        if test.constant:
            # A constant test leaves the type of the side it selects.
            assert isinstance(kind, Type)
            kind = Type(kind.bits, kind.signed)
            left, right = left.cast(kind), right.cast(kind)
        text = f"({left.text} if {test.text} else {right.text})"
        return Expression(text, kind, test.constant and left.constant)

    def test(self, depth: int = 2) -> Expression:
        """A condition."""
        depth = 0 if self.loops else depth
        if depth and self.chance(40):
            operator = ("and", "or")[self.number(0, 1)]
            tests = [self.test(depth - 1) for _ in range(self.number(2, 3))]
            text = f" {operator} ".join(test.text for test in tests)
            return Expression(f"({text})", BOOL, any(t.constant for t in tests))
        return self.comparison(1) if self.chance(80) else self.typed(2)
