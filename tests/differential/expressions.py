"""Random expressions of kernel-side code, which the rules of types allow."""

from __future__ import annotations

from typing import NamedTuple

from tests.differential.model import (
    BOOL,
    ORDERS,
    S64,
    TYPES,
    U8,
    U32,
    U64,
    Kind,
    Refused,
    Type,
    joined,
    merged,
)
from tests.differential.model_intrinsics import ENUMERATORS, SYSCALLS
from tests.differential.structures import STRUCTURES
from tests.fuzz.choices import Choices

ALL_TYPES = list(TYPES.values())
OPERATORS = ("+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>")
_CORNERS = [0, 1, 2, 3, 5, 7, 8, 10, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256]
_CORNERS += [1000, 32767, 32768, 65535, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]
_CORNERS += [1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
_CORNERS += [-1, -2, -3, -8, -128, -129, -32768, -(1 << 31), -(1 << 63)]

_OF_TASK = {
    **dict.fromkeys(("pid", "tid", "ppid", "uid", "gid", "mntns"), U32),
    "cgroup_id": U64,
    "compat": BOOL,
}
"""Intrinsics without arguments that give a number, which is the same all the time."""

_NAMED = {"Color.RED": 1, "Color.BLUE": 300, "options.limit": 7}
"""Python's numbers that programs name; see `world.CONSTANTS`."""


class Expression(NamedTuple):
    """Source text, its type or literal value, and whether it may be a constant."""

    text: str
    kind: Kind
    constant: bool

    def cast(self, type_: Type) -> Expression:
        return Expression(f"bpf.{type_}({self.text})", type_, self.constant)


class ExpressionWriter:
    """Writes expressions over `variables`, of which `constants` may be known when the
    program is compiled; keeps small what is in `loops`."""

    def __init__(self, choices: Choices, variables: dict[str, Type]) -> None:
        self.number = choices.number
        self.one = choices.one
        self.chance = choices.chance
        self.variables = dict(variables)
        self.constants: set[str] = set()
        self.loops = 0

    def type(self) -> Type:
        return self.one(ALL_TYPES)

    # Expressions.

    def expression(self, depth: int = 3) -> Expression:
        """Any value; never only literals below an operator."""
        if self.loops:
            # The verifier follows every path through every round.
            depth = min(depth, 1)
        if depth == 0 or not self.chance(70):
            return self.leaf()
        kinds = (
            *(self.arithmetic,) * 6,
            *(self.comparison, self.unary, self.conversion, self.conditional),
        )
        return self.one(kinds)(depth - 1)

    def variable(self) -> Expression:
        name = self.one(sorted(self.variables))
        return Expression(name, self.variables[name], name in self.constants)

    def read(self) -> Expression | None:
        """A number from memory, if there is any to read; see `MemoryWriter`."""
        return None

    def literal(self) -> Expression:
        value = self.number(-20, 20) if self.chance(50) else self.one(_CORNERS)
        text = str(value) if value >= 0 else f"({value})"
        return Expression(text, value, True)

    def leaf(self) -> Expression:
        kind = self.number(0, 99)
        if kind < 50:
            return self.variable()
        if kind < 70:
            return self.read() or self.variable()
        if kind < 88:
            return self.literal()
        if kind < 94:
            return self.literal().cast(self.type())
        return self.of_task() if kind < 97 else self.known()

    def of_task(self) -> Expression:
        """A number that the current task has, or a moment."""
        kind = self.number(0, len(_OF_TASK) + 1)
        if kind == len(_OF_TASK):
            return Expression("(bpf.cpu() < 65536)", BOOL, False)
        if kind > len(_OF_TASK):
            return Expression("(bpf.ktime_ns() > 12345)", BOOL, False)
        name = sorted(_OF_TASK)[kind]
        return Expression(f"bpf.{name}()", _OF_TASK[name], False)

    def known(self) -> Expression:
        """A number that is known when compiling."""
        kind = self.number(0, 6)
        if kind == 0:
            name = self.one(sorted(_NAMED))
            return Expression(name, _NAMED[name], True)
        if kind == 1:
            structure = self.one(sorted(STRUCTURES))
            size = STRUCTURES[structure].size
            if structure == "struct perf_event_attr":  # which grows
                structure, size = "u16", 2
            return Expression(f'bpf.size_of("{structure}")', size, True)
        if kind == 2:
            name = self.one(sorted(ENUMERATORS))
            return Expression(f'bpf.enumerator("{name}")', ENUMERATORS[name], True)
        if kind == 3:
            name = self.one((*sorted(ENUMERATORS), "NO_SUCH_ENUMERATOR"))
            return Expression(f'bpf.has_enumerator("{name}")', BOOL, True)
        if kind == 4:
            structure = self.one((*sorted(STRUCTURES), "struct no_such_type"))
            return Expression(f'bpf.has_type("{structure}")', BOOL, True)
        if kind == 5:
            structure = self.one(sorted(STRUCTURES))
            member = self.one((*STRUCTURES[structure].fields, "no_such_member"))
            text = f'bpf.has_field("{structure}", "{member}")'
            return Expression(text, BOOL, True)
        name = self.one(sorted(SYSCALLS))
        return Expression(f'bpf.syscall_number("{name}")', U32, True)

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
        operator = self.one(OPERATORS)
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
        kind = self.number(0, 9)
        if kind == 8:
            return self.chain(depth)
        if kind == 9:
            return self.membership(depth)
        operator = self.one(("==", "!=", *ORDERS))
        left, right, _ = self.pair(operator, depth)
        constant = left.constant and right.constant
        return Expression(f"({left.text} {operator} {right.text})", BOOL, constant)

    def chain(self, depth: int) -> Expression:
        """`a < b <= c`."""
        type_ = self.type()
        parts = [self.typed(min(depth, 1)).cast(type_) for _ in range(3)]
        first, second = self.one(("<", "<=", "==")), self.one(("<", "!=", ">="))
        text = f"({parts[0].text} {first} {parts[1].text} {second} {parts[2].text})"
        # It may be known as soon as one of its halves is.
        constant = sum(part.constant for part in parts) > 1
        return Expression(text, BOOL, constant)

    def membership(self, depth: int) -> Expression:
        """`a in (b, c)`, or in a collection of Python's."""
        value = self.typed(depth)
        operator = self.one(("in", "not in"))
        if self.chance(60):
            name = self.one(("FEW", "LIST", "SOME", "SET", "options.ports"))
            text = f"({value.text} {operator} {name})"
            return Expression(text, BOOL, value.constant)
        assert isinstance(value.kind, Type)
        type_ = Type(value.kind.bits, value.kind.signed)
        others = [self.typed(1).cast(type_) for _ in range(self.number(2, 3))]
        texts = ", ".join(other.text for other in others)
        text = f"({value.cast(type_).text} {operator} ({texts}))"
        constant = value.constant or any(other.constant for other in others)
        return Expression(text, BOOL, constant)

    def unary(self, depth: int) -> Expression:
        operand = self.typed(depth)
        operator = self.one(("-", "~", "not "))
        assert isinstance(operand.kind, Type)
        type_ = operand.kind
        if operator == "not ":
            type_ = BOOL
        elif type_.boolean:
            operator, type_ = "-", U8
        return Expression(f"({operator}{operand.text})", type_, operand.constant)

    def conversion(self, depth: int) -> Expression:
        operand = self.typed(depth)
        kind = self.number(0, 5)
        if kind < 4:
            return operand.cast(self.type())
        if kind == 4:
            type_ = self.type()
            text = f'bpf.cast({operand.text}, "{type_}")'
            return Expression(text, type_, operand.constant)
        name = self.one(("log2", "ntohs", "ntohl", "ntohll"))
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
            operator = self.one(("and", "or"))
            tests = [self.test(depth - 1) for _ in range(self.number(2, 3))]
            text = f" {operator} ".join(test.text for test in tests)
            return Expression(f"({text})", BOOL, any(t.constant for t in tests))
        return self.typed(2) if self.chance(20) else self.comparison(1)
