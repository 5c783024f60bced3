"""Operations on numbers known when compiling, done as the instructions would."""

from __future__ import annotations

from skep.compiler.types import Int
from skep.errors import CompileError, Span


def decide(operator: str, left: int, right: int) -> bool:
    """The outcome of a comparison."""
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def fold(operator: str, left: int, right: int, type_: Int) -> int:
    """The result of an operation on two values of `type_`, not wrapped yet."""
    if operator == "//":
        if right == 0:
            return 0
        quotient = abs(left) // abs(right)
        return -quotient if (left < 0) != (right < 0) else quotient
    if operator == "%":
        if right == 0:
            return left
        remainder = abs(left) % abs(right)
        return -remainder if left < 0 else remainder
    if operator in ("<<", ">>"):
        right &= type_.bits - 1
    return fold_literals(operator, left, right, None)


def fold_literals(operator: str, left: int, right: int, span: Span | None) -> int:
    """Python's own arithmetic, for literals."""
    if operator in ("//", "%") and right == 0:
        raise CompileError("division by zero", span)
    if operator == "//":
        return left // right
    if operator == "%":
        return left % right
    if operator in ("<<", ">>") and not 0 <= right < 64:
        raise CompileError(f"a shift by {right} bits", span)
    operations = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "&": lambda: left & right,
        "|": lambda: left | right,
        "^": lambda: left ^ right,
        "<<": lambda: left << right,
        ">>": lambda: left >> right,
    }
    return operations[operator]()
