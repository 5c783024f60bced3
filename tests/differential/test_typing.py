"""Every operator on every pair of types: what is refused, the type, the value."""

from __future__ import annotations

import pytest

from skep.errors import CompileError
from tests.differential import harness
from tests.differential.model import (
    ARITHMETIC,
    COMPARISONS,
    SHIFTS,
    TYPES,
    Number,
    Refused,
    Type,
    calculate,
)

OPERATORS = (*ARITHMETIC, *SHIFTS, *COMPARISONS)
LITERALS = (0, 1, 5, 200, 70000, 1 << 40, (1 << 64) - 1, -1, -100, -70000)
WORDS = [
    [200, 3],
    [3, 200],
    [(1 << 64) - 5, 2],
    [2, (1 << 64) - 5],
    [1 << 63, (1 << 63) + 1],
    [0x8000_8080, 0],
]


def check(operator: str, left: str, right: str, types: tuple[Type, Type]) -> None:
    """Compare with the model; the value is widened, so that its type shows."""
    prototype = f"{types[0]} a, {types[1]} b"
    text = f"{left} {operator} {right}"
    source = f"def program(a, b):\n    out.update(0, {text})\n    return 1 + (a ^ b)\n"
    pairs = [[Number(w, t) for w, t in zip(words, types)] for words in WORDS]
    try:
        expected = [
            calculate(operator, _operand(left, pair), _operand(right, pair)).value
            for pair in pairs
        ]
    except Refused:
        with pytest.raises(CompileError):
            harness.compile_source(source, prototype)
        return
    compiled = harness.compile_source(source, prototype)
    for words, value in zip(WORDS, expected):
        outcome = harness.run_interpreter(compiled, [words])
        kept = outcome.maps.get("out", {}).get(bytes(4), bytes(8))
        found = int.from_bytes(kept, "little")
        assert found == value & (1 << 64) - 1, f"{prototype}: {text} of {words}"


def _operand(text: str, pair: list[Number]) -> Number | int:
    return pair["ab".index(text)] if text in "ab" else int(text)


@pytest.mark.parametrize("operator", OPERATORS)
def test_two_types(operator: str) -> None:
    for left in TYPES.values():
        for right in TYPES.values():
            check(operator, "a", "b", (left, right))


@pytest.mark.parametrize("operator", OPERATORS)
def test_type_and_literal(operator: str) -> None:
    for type_ in TYPES.values():
        for literal in LITERALS:
            check(operator, "a", str(literal), (type_, type_))
            check(operator, str(literal), "a", (type_, type_))
