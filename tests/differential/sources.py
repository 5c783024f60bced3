"""Random kernel-side programs as Python source, which the rules allow.

The writer keeps track of types by the rules of `model`, so that it can put a cast where
the language demands one, and tell the model what a function returns.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.differential.expressions import Expression
from tests.differential.map_sources import MapWriter
from tests.differential.memory_sources import Reference
from tests.differential.model import (
    BOOL,
    S64,
    TYPES,
    U8,
    Type,
    literal_type,
)
from tests.differential.model_memory import USER
from tests.differential.structures import TARGETS, CType
from tests.fuzz.choices import Choices


class Program(NamedTuple):
    """A program, the C prototype of its arguments, and contexts to run it with."""

    source: str
    prototype: str
    contexts: list[list[int]]


class Writer(MapWriter):
    """Writes one function, line by line.

    `rounds` is how often the current line runs at most, `budget` how many more
    statements there may be.  Loops are kept short and simple: the verifier follows each
    path through each round, and gives up after a million instructions.
    """

    def __init__(self, choices: Choices, parameters: dict[str, Type]) -> None:
        super().__init__(choices, parameters)
        self.references: list[Reference] = []
        self.lines: list[str] = []
        self.indent = 1
        self.callables: list[Function] = []
        self.rounds = 1
        self.budget = 12
        self.names = 0
        self.result: Type | None = None
        self.gives = True

    def fresh(self, prefix: str = "v") -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    # Statements.

    def nested(self, most: int) -> None:
        """Statements that see the variables so far; those they make are theirs."""
        outer, references = dict(self.variables), list(self.references)
        self.indent += 1
        start = len(self.lines)
        for _ in range(self.number(1, most)):
            self.statement()
        if len(self.lines) == start or self.chance(3):
            self.line("pass")
        self.indent -= 1
        self.variables = {n: t for n, t in self.variables.items() if n in outer}
        self.references = references

    def statement(self) -> None:
        self.budget -= 1
        if self.budget > 0 and self.chance(15 if self.loops else 35):
            self.one((self.if_, self.if_, self.for_, self.while_))()
            return
        self.anything()

    def anything(self) -> None:
        """A statement without others in it."""
        kinds = [self.declare, self.assign, *(self.augment,) * 2]
        kinds += [self.small_map, self.narrow, self.table, self.emit]
        if self.loops == 1:
            kinds += [self.record_of_round]
        if not self.loops:
            kinds += [self.point] * 3
            kinds += [self.cells, self.whole_cell, self.slot, self.histogram]
            kinds += [
                self.name_record,
                self.name_record,
                self.tail,
                self.list_record,
                self.trace,
            ]
            kinds += [self.sum_up, self.stack_id, self.pointer_if]
            if self.callables:
                kinds += [self.call_inline] * 2 + [self.call_in_comparison]
            if self.budget > 0:
                self.budget -= 1
                kinds += [self.block] * 2
        self.one(kinds)()

    def declare(self) -> None:
        value = self.expression()
        name = self.fresh()
        self.line(f"{name} = {value.text}")
        kind = value.kind
        self.variables[name] = literal_type(kind) if isinstance(kind, int) else kind

    def _assignable(self) -> str | None:
        names = [n for n in sorted(self.variables) if n[0] != "i"]
        return self.one(names) if names else None

    def assign(self) -> None:
        name = self._assignable()
        if name is None:
            return
        value, type_ = self.expression(), self.variables[name]
        kind = value.kind
        literal = isinstance(kind, int)
        fits = type_.holds(kind) if literal else kind.bits <= type_.bits
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

    def if_(self) -> None:
        self.line(f"if {self.test().text}:")
        self.nested(3)
        if self.chance(50 if self.loops else 20):
            self.leave()
        if self.chance(30):
            self.line(f"elif {self.test().text}:")
            self.nested(2)
        if self.chance(50):
            self.line("else:")
            self.nested(3)

    def pointer_if(self) -> None:
        """Something that depends on a pointer or a text."""
        test = self.pointer_test()
        if test is None:
            return
        self.line(f"if {test.text}:")
        self.indent += 1
        self.augment() if self._assignable() else self.emit()
        self.indent -= 1

    def leave(self) -> None:
        """A jump at the end of the block just written."""
        self.indent += 1
        if self.loops and self.chance(70):
            self.line("break" if self.chance(50) else "continue")
        else:
            self.leave_program()
        self.indent -= 1

    def maybe_leave(self) -> None:
        """A jump that depends on something."""
        self.line(f"if {self.test(0).text}:")
        self.leave()

    def leave_program(self) -> None:
        if not self.gives:
            self.line("return")
        else:
            self.return_()

    def return_(self) -> None:
        """All returns have one type: which of them can be reached, and so what their
        common type is, only the compiler knows."""
        value = self.typed(2)
        if self.result is None:
            assert isinstance(value.kind, Type)
            self.result = Type(value.kind.bits, value.kind.signed)
        if value.kind != self.result:
            value = value.cast(self.result)
        self.line(f"return {value.text}")

    def for_(self) -> None:
        name = self.fresh("i")
        count = self.number(1, max(1, min(8, 12 // self.rounds)))
        start, step = self.number(-3, 3), self.one([1, 1, 2, -1, -3])
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
        self.nested(2)
        if self.chance(30):
            self.indent += 1
            self.maybe_leave()
            self.indent -= 1
        self.loops, self.rounds = self.loops - 1, self.rounds // rounds
        self.variables = {n: t for n, t in self.variables.items() if n in outer}

    # Functions.

    def call_inline(self) -> None:
        function = self.one(self.callables)
        text = self.called(function)
        if text is None:
            return
        if function.result is None:
            self.line(text)
            return
        name = self.fresh()
        self.line(f"{name} = {text}")
        self.variables[name] = function.result

    def call_in_comparison(self) -> None:
        """Operands with effects, some of which are not evaluated and none twice."""
        giving = [f for f in self.callables if f.result is not None]
        type_ = self.type()
        parts = []
        for _ in range(3):
            text = self.called(self.one(giving)) if giving and self.chance(60) else None
            parts.append(f"bpf.{type_}({text or self.typed(0).text})")
        a, b, c = parts
        first, second = self.one(("<", "<=", "==")), self.one(("<", "!=", "<="))
        text = self.one(
            (
                f"{a} {first} {b} {second} {c}",
                f"{a} in ({b}, {c})",
                f"{a} not in ({b}, {c})",
                f"{a} {first} {b} and {b} {second} {c}",
            )
        )
        name = self.fresh()
        self.line(f"{name} = {text}")
        self.variables[name] = BOOL

    def updated(self) -> str:
        giving = [f for f in self.callables if f.result is not None]
        if self.loops or not giving or self.chance(50):
            return super().updated()
        return self.called(self.one(giving)) or super().updated()

    def called(self, function: Function) -> str | None:
        """A call of an inline function."""
        arguments = []
        for name, kind in function.parameters.items():
            if name == function.optional and self.chance(50):
                continue
            text = self._argument(kind, function.takes_constants)
            if text is None:
                return None
            named = name == function.optional or self.chance(10)
            arguments.append((named, f"{name}={text}" if named else text))
        # Those with names come behind the others.
        plain = [text for named, text in arguments if not named]
        if any(named for named, _ in arguments):
            names = list(function.parameters)
            first = min(i for i, (named, _) in enumerate(arguments) if named)
            for index in range(first, len(arguments)):
                named, text = arguments[index]
                if not named:
                    arguments[index] = True, f"{names[index]}={text}"
            plain = [text for named, text in arguments if not named]
        named_ones = [text for named, text in arguments if named]
        return f"{function.name}({', '.join(plain + named_ones)})"

    def _argument(self, kind: Type | Reference, constant: bool) -> str | None:
        if isinstance(kind, Type):
            value = self.typed(1)
            if value.constant and not constant:
                value = Expression("bpf.tid()", TYPES["u32"], False)
            return value.cast(kind).text
        same = [
            r
            for r in self.pointers()
            if (r.target, r.space) == (kind.target, kind.space)
        ]
        if kind.target == TARGETS["task"]:
            return "bpf.task()"
        return self.one(same).text if same else None


class Function(NamedTuple):
    """An inline function of a program: what it takes and gives; the `optional` one of
    its parameters has a default. Where it `takes_constants`, it is written for numbers
    that may be known when it is compiled."""

    name: str
    parameters: dict[str, Type | Reference]
    result: Type | None
    source: str
    optional: str = ""
    takes_constants: bool = False


def _inline(choices: Choices, name: str, before: list[Function]) -> Function:
    writer = Writer(choices, {})
    parameters: dict[str, Type | Reference] = {
        c: writer.type() for c in "xyz"[: writer.number(1, 3)]
    }
    writer.variables = {n: t for n, t in parameters.items() if isinstance(t, Type)}
    takes_constants = writer.chance(30)
    writer.constants = set(writer.variables) if takes_constants else set()
    optional, head = "", list(parameters)
    if writer.chance(25):
        parameters["q"] = _pointer_parameter(writer)
        writer.references.append(parameters["q"])
        head.append("q")
    if writer.chance(25):
        optional = "w"
        parameters["w"] = TYPES["s64"]
        head.append(f"w={writer.number(0, 9)}")
    writer.callables = list(before)
    writer.budget = 4
    writer.gives = writer.chance(75)
    if writer.chance(20):
        writer.line('"""What it does."""')
    if optional:
        # The default is a literal, which would have the type of what it meets.
        writer.line(f"v0 = bpf.s64({optional})")
        writer.variables["v0"] = TYPES["s64"]
    for _ in range(writer.number(0 if writer.gives else 1, 3)):
        writer.statement()
    writer.leave_program()
    result = writer.result if writer.gives else None
    source = "\n".join(
        [f"@bpf.inline\ndef {name}({', '.join(head)}) -> '{result}':", *writer.lines]
    )
    return Function(name, parameters, result, source, optional, takes_constants)


def _pointer_parameter(writer: Writer) -> Reference:
    if writer.chance(40):
        return Reference("q", TARGETS["task"], "trusted")
    name = writer.one(("u32", "char", "struct linger", "struct list_head"))
    return Reference("q", TARGETS[name], USER)


_POINTERS = ("char", "u32", "u64", "struct list_head", "struct perf_event_attr")
_POINTERS += ("struct in6_addr", "struct itimerspec64", "struct new_utsname")


def program(choices: Choices) -> Program:
    """A program called `program`, after the inline functions that it calls."""
    writer = Writer(choices, {})
    parameters = {c: writer.type() for c in "abcdefgh"[: writer.number(2, 8)]}
    prototype = {name: str(type_) for name, type_ in parameters.items()}
    pointers: dict[str, CType] = {}
    for name in ("h", "g"):
        if name in parameters and len(parameters) > 2 and writer.chance(60):
            spelling = writer.one(_POINTERS)
            del parameters[name]
            prototype[name] = f"{spelling} __user *"
            pointers[name] = TARGETS[spelling]
    writer.variables = dict(parameters)
    writer.references = [Reference(n, t, USER) for n, t in pointers.items()]
    functions: list[Function] = []
    for index in range(max(0, writer.number(-1, 2))):
        functions.append(_inline(choices, f"f{index}", functions))
    writer.callables = functions
    writer.budget = writer.number(3, 16)
    for _ in range(writer.number(2, 10)):
        writer.statement()
    pressure = writer.chance(40)
    numbers = [name for name in sorted(writer.variables) if "." not in name]
    for index, name in enumerate(numbers):
        if index < 24 and (pressure or writer.chance(50)):
            writer.line(f"out.update({index}, {name})")
    writer.return_()
    head = f"def program({', '.join(prototype)}) -> '{writer.result}':"
    source = "\n".join([*(f.source + "\n" for f in functions), head, *writer.lines, ""])
    text = ", ".join(
        f"{ctype}{'' if ctype.endswith('*') else ' '}{name}"
        for name, ctype in prototype.items()
    )
    contexts = [
        [
            writer.user_address(pointers[name]) if name in pointers else choices.word()
            for name in prototype
        ]
        + [0] * (8 - len(prototype))
        for _ in range(writer.number(2, 3))
    ]
    return Program(source, text, contexts)
