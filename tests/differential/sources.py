"""Random kernel-side programs as Python source, which the rules allow.

The writer keeps track of types by the rules of `model`, so that it can put a cast where
the language demands one, and tell the model what a function returns.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from tests.differential.expressions import OPERATORS, Expression, ExpressionWriter
from tests.differential.model import (
    BOOL,
    S64,
    TYPES,
    U8,
    U32,
    Kind,
    Refused,
    Type,
    joined,
    literal_type,
    merged,
)
from tests.differential.world import RECORDS, TEXTS


class Program(NamedTuple):
    """A program and the C prototype of its arguments."""

    source: str
    prototype: str


class Writer(ExpressionWriter):
    """Writes one function, line by line.

    `rounds` is how often the current line runs at most, `budget` how many more
    statements there may be.  Loops are kept short and simple: the verifier follows each
    path through each round, and gives up after a million instructions.
    """

    def __init__(self, draw: st.DrawFn, parameters: dict[str, Type]) -> None:
        super().__init__(draw, parameters)
        self.lines: list[str] = []
        self.indent = 1
        self.callables: list[Function] = []
        self.rounds = 1
        self.budget = 12
        self.names = 0
        self.returns: list[Kind] = []

    def fresh(self, prefix: str = "v") -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    # Statements.

    def block(self, most: int) -> None:
        """Statements that see the variables so far; those they make are theirs."""
        outer = dict(self.variables)
        self.indent += 1
        for _ in range(self.number(1, most)):
            self.statement()
        self.indent -= 1
        self.variables = {n: t for n, t in self.variables.items() if n in outer}

    def statement(self) -> None:
        self.budget -= 1
        simple = [self.declare, self.assign, self.augment, self.augment]
        if self.callables and not self.loops:
            simple.append(self.call_inline)
        simple += [self.memory, self.memory, self.memory]
        if self.budget > 0:
            compound = [self.if_, self.if_, self.for_, self.while_]
            if self.chance(15 if self.loops else 35):
                compound[self.number(0, 3)]()
                return
        simple[self.number(0, len(simple) - 1)]()

    def declare(self) -> None:
        value = self.expression()
        name = self.fresh()
        self.line(f"{name} = {value.text}")
        kind = value.kind
        self.variables[name] = literal_type(kind) if isinstance(kind, int) else kind

    def _assignable(self) -> str | None:
        names = [n for n in sorted(self.variables) if n[0] != "i"]
        return str(self.one(names)) if names else None

    def assign(self) -> None:
        name = self._assignable()
        if name is None:
            return
        value, type_ = self.expression(), self.variables[name]
        kind = value.kind
        if isinstance(kind, int):
            fits = type_.holds(kind)
        else:
            fits = kind.bits <= type_.bits and not value.constant
        if not fits and type_.boolean:
            value = Expression(f"({value.text} != 0)", BOOL, value.constant)
        elif not fits:
            value = value.cast(type_)
        self.line(f"{name} = {value.text}")

    def augment(self) -> None:
        name = self._assignable()
        if name is None:
            return
        self.line(f"{name} {self.augmentation(self.variables[name])}")

    def augmentation(self, type_: Type) -> str:
        """`+= …` for a variable or field of a type."""
        operator = OPERATORS[self.number(0, len(OPERATORS) - 1)]
        value = self.expression(2)
        try:
            joined(operator, type_, value.kind)
        except Refused:
            value = value.cast(Type(type_.bits, type_.signed))
        return f"{operator}= {value.text}"

    def if_(self) -> None:
        self.line(f"if {self.test().text}:")
        self.block(3)
        if self.chance(20):
            self.leave()
        if self.chance(30):
            self.line(f"elif {self.test().text}:")
            self.block(2)
        if self.chance(50):
            self.line("else:")
            self.block(3)

    def leave(self) -> None:
        """A jump at the end of the block just written."""
        self.indent += 1
        if self.loops and self.chance(70):
            self.line("break" if self.chance(50) else "continue")
        else:
            self.return_()
        self.indent -= 1

    def return_(self) -> None:
        value = self.typed(2)
        self.returns.append(value.kind)
        self.line(f"return {value.text}")

    def for_(self) -> None:
        name = self.fresh("i")
        count = self.number(1, max(1, min(8, 12 // self.rounds)))
        start, step = self.number(-3, 3), int(self.one([1, 1, 2, -1, -3]))  # type: ignore[call-overload]
        stop = start + step * count
        bounds = f"{count}" if self.chance(50) else f"{start}, {stop}, {step}"
        self.line(f"for {name} in range({bounds}):")
        self._loop({name: S64}, count)

    def while_(self) -> None:
        name = self.fresh("n")
        most = max(1, min(8, 12 // self.rounds))
        self.line(f"{name} = bpf.{self.type()}({self.number(0, 3)})")
        self.line(f"while {name} < {self.number(0, most)} and {self.test(0).text}:")
        self.indent += 1
        self.line(f"{name} += 1")
        self.indent -= 1
        self._loop({name: U8}, most)

    def _loop(self, names: dict[str, Type], rounds: int) -> None:
        outer = dict(self.variables)
        self.loops, self.rounds = self.loops + 1, self.rounds * rounds
        for name, type_ in names.items():
            if name[0] == "i":
                self.variables[name] = type_
        self.block(2)
        self.loops, self.rounds = self.loops - 1, self.rounds // rounds
        self.variables = {n: t for n, t in self.variables.items() if n in outer}

    def call_inline(self) -> None:
        name = self.fresh()
        text = self.called()
        self.line(f"{name} = {text}")
        function = next(f for f in self.callables if text.startswith(f"{f.name}("))
        self.variables[name] = function.result

    def called(self) -> str:
        """A call of an inline function."""
        function = self.callables[self.number(0, len(self.callables) - 1)]
        arguments = [self.typed(1).cast(each).text for each in function.parameters]
        return f"{function.name}({', '.join(arguments)})"

    # Maps, records, streams.

    def memory(self) -> None:
        kinds = [self.counts, self.narrow, self.table, self.emit]
        if not self.loops:
            kinds += [self.cells, self.histogram]
        kinds[self.number(0, len(kinds) - 1)]()

    def key(self) -> str:
        """One of few numbers, so that keys meet again."""
        return f"({self.typed(1).text} & 3)"

    def record(self, name: str) -> str:
        fields = ", ".join(f"{field}={self.key()}" for field, _ in RECORDS[name])
        return f"{name}({fields})"

    def counts(self) -> None:
        action = self.number(0, 4)
        if action <= 1:
            self.line(f"counts.increment({self.key()})")
        elif action == 2:
            self.line(f"counts.delete({self.key()})")
        elif action == 3:
            simple = self.loops or not self.callables
            value = self.typed(2).text if simple else self.called()
            self.line(f"counts.update({self.key()}, {value})")
        else:
            self.look_up("counts", self.key(), "u64")

    def narrow(self) -> None:
        if self.chance(50):
            self.line(f"narrow.update({self.typed(2).text}, {self.typed(2).text})")
        else:
            self.look_up("narrow", self.typed(1).text, "s8")

    def table(self) -> None:
        key = self.record("Key")
        if self.chance(40):
            name = self.fresh("k")
            self.line(f"{name} = {key}")
            if self.chance(50):
                self.line(f"{name}.b {self.augmentation(U32)}")
            key = name
        action = self.number(0, 2)
        if action == 0:
            self.line(f"table.update({key}, {self.typed(2).text})")
        elif action == 1:
            self.line(f"table.delete({key})")
        else:
            self.look_up("table", key, "u32")

    def look_up(self, owner: str, key: str, value: str) -> None:
        """Look up, and use or change what is found."""
        name, result = self.fresh("p"), self.fresh()
        self.line(f"{result} = bpf.{self.type()}({self.literal().text})")
        self.variables[result] = TYPES[self.lines[-1].split("bpf.")[1].split("(")[0]]
        self.line(f"{name} = {owner}.lookup({key})")
        test = (f"{name} is not None", name, f"not ({name} is None)")
        self.line(f"if {self.one(test)}:")
        self.indent += 1
        self.variables[f"{name}.value"] = TYPES[value]
        self.line(f"{result} {self.augmentation(self.variables[result])}")
        if self.chance(60):
            self.line(f"{name}.value {self.augmentation(TYPES[value])}")
        else:
            self.line(f"{name}.value = {self.typed(2).text}")
        del self.variables[f"{name}.value"]
        self.indent -= 1

    def cells(self) -> None:
        if self.chance(20):
            value = ", ".join(
                f"{field}={self.typed(1).text}"
                for field, ctype in RECORDS["Cell"]
                if ctype in TYPES
            )
            name = self.fresh("p")
            self.line(f"{name} = cells.lookup({self.key()})")
            self.line(f"if {name}:")
            self.indent += 1
            for field in value.split(", "):
                self.line(f"{name}.{field.replace('=', ' = ', 1)}")
            self.indent -= 1
            return
        name, result = self.fresh("p"), self.fresh()
        fields = [(f, TYPES[c]) for f, c in RECORDS["Cell"] if c in TYPES]
        self.line(f"{result} = bpf.u64(0)")
        self.variables[result] = TYPES["u64"]
        self.line(f"{name} = cells.lookup({self.key()})")
        self.line(f"if {name} is not None:")
        self.indent += 1
        for field, type_ in fields:
            self.variables[f"{name}.{field}"] = type_
        if self.chance(60):
            text = self.one([*TEXTS, b"ab", b"abcd", b"abcdefghi", b"abcdefghijklm"])
            operator = "==" if self.chance(60) else "!="
            self.line(f"if {name}.text {operator} {text!r}:")
            self.indent += 1
            self.line(f"{result} += {self.number(1, 9)}")
            self.indent -= 1
        self.line(f"{result} {self.augmentation(TYPES['u64'])}")
        field, type_ = fields[self.number(0, len(fields) - 1)]
        self.line(f"{name}.{field} {self.augmentation(type_)}")
        for field, _ in fields:
            del self.variables[f"{name}.{field}"]
        self.indent -= 1

    def emit(self) -> None:
        fields = [f"{name}={self.typed(2).text}" for name, _ in RECORDS["Event"]]
        self.line(f"events.emit({', '.join(fields)})")

    def histogram(self) -> None:
        value = self.typed(2).text
        if self.chance(60):
            self.line(f"sizes.record({value})")
        else:
            keys = ", ".join(f"{f}={self.key()}" for f, _ in RECORDS["Key"])
            self.line(f"sizes_by.record({value}, {keys})")


class Function(NamedTuple):
    """An inline function of a program."""

    name: str
    parameters: list[Type]
    result: Type
    source: str


def _result(writer: Writer) -> Type:
    kind = merged(writer.returns)
    assert isinstance(kind, Type)
    return kind


def _inline(draw: st.DrawFn, name: str, before: list[Function]) -> Function:
    writer = Writer(draw, {})
    parameters = {f"{c}": writer.type() for c in "xyz"[: writer.number(1, 3)]}
    writer.variables = dict(parameters)
    writer.callables = list(before)
    writer.budget = 4
    for _ in range(writer.number(0, 3)):
        writer.statement()
    writer.return_()
    result = _result(writer)
    head = f"@bpf.inline\ndef {name}({', '.join(parameters)}) -> '{result}':"
    source = "\n".join([head, *writer.lines])
    return Function(name, list(parameters.values()), result, source)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A program called `program`, after the inline functions that it calls."""
    writer = Writer(draw, {})
    parameters = {c: writer.type() for c in "abcdefgh"[: writer.number(2, 8)]}
    writer.variables = dict(parameters)
    functions: list[Function] = []
    for index in range(max(0, writer.number(-1, 2))):
        functions.append(_inline(draw, f"f{index}", functions))
    writer.callables = functions
    writer.budget = writer.number(3, 16)
    for _ in range(writer.number(2, 10)):
        writer.statement()
    pressure = writer.chance(40)
    for index, name in enumerate(sorted(writer.variables)):
        if index < 24 and (pressure or writer.chance(50)):
            writer.line(f"out.update({index}, {name})")
    writer.return_()
    head = f"def program({', '.join(parameters)}) -> '{_result(writer)}':"
    source = "\n".join([*(f.source + "\n" for f in functions), head, *writer.lines, ""])
    prototype = ", ".join(f"{type_} {name}" for name, type_ in parameters.items())
    return Program(source, prototype)
