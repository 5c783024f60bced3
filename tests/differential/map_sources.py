"""Random uses of maps, records, streams, histograms and tables."""

from __future__ import annotations

from tests.differential.expressions import OPERATORS
from tests.differential.memory_sources import (
    AROUND_TASK,
    BLOCK,
    MemoryWriter,
    Reference,
)
from tests.differential.model import TYPES, U8, U32, Refused, Type, joined
from tests.differential.structures import CArray
from tests.differential.world import RECORDS, STREAMS, TEXTS

MEMORY = "memory"
"""Where values of maps lie, which programs read and write directly."""

_CELL_TEXT = CArray(U8, 12)

_SMALL_KEYS = {"counts": "u64", "recent": "u64", "here": "u64", "lately": "u64"}
"""Maps of one number by another one, and the type of the former."""


class MapWriter(MemoryWriter):
    """Writes statements about maps and outputs."""

    lines: list[str]
    indent: int

    def fresh(self, prefix: str = "v") -> str:
        raise NotImplementedError

    def line(self, text: str) -> None:
        raise NotImplementedError

    def augmentation(self, type_: Type) -> str:
        """`+= …` for a variable or field of a type."""
        operator = self.one(OPERATORS)
        value = self.expression(2)
        try:
            joined(operator, type_, value.kind)
        except Refused:
            value = value.cast(Type(type_.bits, type_.signed))
        return f"{operator}= {value.text}"

    def key(self) -> str:
        """One of few numbers, so that keys meet again."""
        return f"({self.typed(1).text} & 3)"

    def record(self, name: str) -> str:
        fields = ", ".join(f"{field}={self.key()}" for field, _ in RECORDS[name])
        return f"{name}({fields})"

    # Maps.

    def small_map(self) -> None:
        """A map of numbers."""
        name = self.one(sorted(_SMALL_KEYS))
        action = self.number(0, 4)
        if action <= 1:
            self.line(f"{name}.increment({self.key()})")
        elif action == 2:
            self.line(f"{name}.delete({self.key()})")
        elif action == 3:
            self.line(f"{name}.update({self.key()}, {self.updated()})")
        else:
            self.look_up(name, self.key(), _SMALL_KEYS[name])

    def updated(self) -> str:
        """A value for a map."""
        return self.typed(2).text

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
        type_ = self.type()
        self.line(f"{result} = bpf.{type_}({self.literal().text})")
        self.variables[result] = type_
        self.line(f"{name} = {owner}.lookup({key})")
        test = ("{} is not None", "{}", "not ({} is None)", "{} and {}.value > 3")
        self.line(f"if {self.one(test).format(name, name)}:")
        self.indent += 1
        self.variables[f"{name}.value"] = TYPES[value]
        self.line(f"{result} {self.augmentation(self.variables[result])}")
        action = self.number(0, 9)
        if action < 5:
            self.line(f"{name}.value {self.augmentation(TYPES[value])}")
        elif action < 7 and TYPES[value].bits >= 32:
            amount = self.typed(1).text
            self.line(f'bpf.atomic_add({name}, "value", {amount})')
        else:
            self.line(f"{name}.value = {self.typed(2).text}")
        del self.variables[f"{name}.value"]
        self.indent -= 1

    def found(self, lookup: str, variables: dict[str, Type]) -> str:
        """A name for what may be None, known not to be in the block that begins,
        or from here on."""
        name = self.fresh("p")
        self.line(f"{name} = {lookup}")
        if self.indent == 1 and not self.loops and self.chance(30):
            self.line(f"if {self.one(('not {}', '{} is None')).format(name)}:")
            self.indent += 1
            self.leave_program()
            self.indent -= 1
        else:
            self.line(f"if {self.one(('{}', '{} is not None')).format(name)}:")
            self.indent += 1
        for field, type_ in variables.items():
            self.variables[f"{name}.{field}"] = type_
        return name

    def maybe_leave(self) -> None:
        raise NotImplementedError

    def leave_program(self) -> None:
        raise NotImplementedError

    def lost(self, name: str, indent: int) -> None:
        """End the block that `found` began."""
        if self.lines[-1].endswith(":"):
            self.line("pass")
        if self.indent > indent:
            others = (name, f"{name}.text")
            self.references = [r for r in self.references if r.text not in others]
            self._forget(name)
        self.indent = indent

    def _forget(self, name: str) -> None:
        for each in [v for v in self.variables if v.startswith(f"{name}.")]:
            del self.variables[each]

    def cells(self) -> None:
        """A value with many fields."""
        indent = self.indent
        fields = {f: TYPES[c] for f, c in RECORDS["Cell"] if c in TYPES}
        name = self.found(f"cells.lookup({self.key()})", fields)
        self.references.append(Reference(f"{name}.text", _CELL_TEXT, MEMORY, False))
        for _ in range(self.number(1, 3)):
            self.name_record() if self.chance(15) else self._in_cell(name, fields)
        if self.indent == indent:
            self._forget(name)
        self.lost(name, indent)

    def _in_cell(self, name: str, fields: dict[str, Type]) -> None:
        action = self.number(0, 4)
        field = self.one(sorted(fields))
        if action <= 1:
            self.line(f"{name}.{field} {self.augmentation(fields[field])}")
        elif action == 2:
            self.line(f"{name}.{field} = {self.typed(1).text}")
        elif action == 3:
            wide = self.one(("b", "d"))
            self.line(f'bpf.atomic_add({name}, "{wide}", {self.typed(1).text})')
        else:
            text = self.one((*TEXTS[:3], "text", b"0123456789a"))
            self.line(f"{name}.text = {text!r}")
        if self.chance(40):
            known = self.one([*TEXTS, b"ab", b"abcdefghi", b"abcdefghijklm"])
            operator = self.one(("==", "!="))
            self.line(f"if {name}.text {operator} {known!r}:")
            self.line(f"    {name}.b {self.augmentation(TYPES['u64'])}")

    def whole_cell(self) -> None:
        """A record made on the stack, with text from somewhere."""
        text = repr(self.one(("", "x", "eleven byte")))
        pointers = self.pointers("char")
        if pointers and self.chance(70):
            text = self.one(pointers).text
        numbers = [f for f, c in RECORDS["Cell"] if c in TYPES]
        fields = ", ".join(f"{field}={self.typed(1).text}" for field in numbers)
        name = self.fresh("k")
        self.line(f"{name} = Cell({fields}, text={text})")
        if self.chance(50):
            self.line(f"{name}.b {self.augmentation(TYPES['u64'])}")
        if self.chance(30):
            self.line(f"if {name}.text == b'abc':")
            self.line(f"    {name}.a = {self.typed(1).text}")
        self.line(f"cells.update({self.key()}, {name})")
        self.references.append(Reference(f"{name}.text", _CELL_TEXT, MEMORY, False))

    def block(self) -> None:
        """A value that is looked at as memory of the kernel, too."""
        indent, outer = self.indent, dict(self.variables)
        name = self.found(f"blocks.lookup({self.typed(1).text} & 1)", {})
        self.references.append(Reference(name, BLOCK, MEMORY))
        for _ in range(self.number(1, 3)):
            self.point() if self.chance(50) else self.anything()
        known = {r.text for r in self.references}
        self.lost(name, indent)
        if indent < self.indent or name not in {r.text for r in self.references}:
            # What was pointed to in the block is not known behind it.
            self.references = [r for r in self.references if r.text not in known]
            self.variables = {n: t for n, t in self.variables.items() if n in outer}

    def anything(self) -> None:
        raise NotImplementedError

    def slot(self) -> None:
        """An element of a per-CPU array, or the task's own."""
        indent = self.indent
        lookup = f"slots.lookup({self.key()})"
        if self.chance(40):
            lookup = "own.of_task(bpf.task())"
        fields = {"n": TYPES["u64"], "m": TYPES["u64"]}
        name = self.found(lookup, fields)
        field = self.one(("n", "m"))
        if self.chance(50):
            self.line(f"{name}.{field} {self.augmentation(fields[field])}")
        else:
            amount = self.typed(1).text
            self.line(f'bpf.atomic_add({name}, "{field}", {amount})')
        if self.indent == indent:
            self._forget(name)
        self.lost(name, indent)

    # Outputs.

    def emit(self) -> None:
        fields = [f"{name}={self.typed(2).text}" for name, _ in RECORDS["Event"]]
        if self.chance(20):
            fields.append(f"unseen={self.variable().text}")
        self.line(f"events.emit({', '.join(fields)})")

    def name_record(self) -> None:
        """Texts of fixed size."""
        name, path = self.text_at(), self.text_at()
        if name is None:
            self.emit()
            return
        if path is None or self.chance(20):
            other = repr(self.one(("?", b"nineteen bytes, xx!")))
        else:
            other = path.text
        self.line(f"names.emit(a={self.typed(1).text}, name={name.text}, path={other})")

    def tail(self) -> None:
        """A record with text at its end."""
        stream = self.one(("texts", "long_texts", "chunks", "long_chunks"))
        fields = f"a={self.typed(1).text}, b={self.typed(1).text}"
        if STREAMS[stream].tail == "bytes":
            piece = self.piece()
        else:
            found = self.text_at()
            piece = None if found is None else found.text
        if piece is None or self.chance(5):
            self.line(f"{stream}.emit({fields})")
        else:
            self.line(f"{stream}.emit({fields}, text={piece})")

    def piece(self) -> str | None:
        """Bytes of some length."""
        kinds = [r for r in self.pointers() if r.target not in (None, *AROUND_TASK)]
        if not kinds:
            return None
        at = self.one(kinds)
        if at.target == BLOCK:
            return f"bpf.memory({at.text}, {self.typed(1).text} & 31)"
        if at.space != "user":
            return f"bpf.memory({at.text}, 4)"
        length = self.one((str(self.number(0, 50)), self.typed(1).text))
        return f"bpf.memory({at.text}, {length})"

    def list_record(self) -> None:
        """Text put together piece by piece."""
        name = self.fresh("row")
        self.line(f"{name} = lists.begin()")
        if self.chance(30):
            self.maybe_leave()
        for _ in range(self.number(0, 3)):
            found = self.text_at()
            piece = self.piece() if self.chance(50) else found and found.text
            if piece is None:
                continue
            indent = self.indent
            if self.chance(15):
                self.line(f"for {self.fresh('i')} in range({self.number(1, 3)}):")
                self.indent += 1
            self.line(f"{name}.append({piece})")
            self.indent = indent
        self._send(name)

    def record_of_round(self) -> None:
        """Bytes put together in a loop, of which not every round may send them."""
        name = self.fresh("row")
        self.line(f"{name} = long_chunks.begin()")
        if self.chance(40):
            self.maybe_leave()
        piece = self.piece()
        if piece is not None:
            self.line(f"{name}.append({piece})")
        self._send(name)

    def _send(self, name: str) -> None:
        fields = f"a={self.typed(1).text}, b={self.typed(1).text}"
        if self.chance(30):
            self.line(f"if {self.test(1).text}:")
            self.line(f"    {name}.emit({fields})")
            return
        self.line(f"{name}.emit({fields})")

    def trace(self) -> None:
        """A record with stacks."""
        fields = [f"a={self.typed(1).text}"]
        if self.chance(50):
            fields.append("kernel=bpf.kernel_stack()")
        if self.chance(50):
            fields.append("user=bpf.user_stack()")
        self.line(f"traces.emit({', '.join(fields)})")

    def histogram(self) -> None:
        value = self.typed(2).text
        if self.chance(60):
            self.line(f"sizes.record({value})")
        else:
            keys = ", ".join(f"{f}={self.key()}" for f, _ in RECORDS["Key"])
            unseen = f", unseen={self.variable().text}" if self.chance(20) else ""
            self.line(f"sizes_by.record({value}, {keys}{unseen})")

    def sum_up(self) -> None:
        """A row of a table."""
        sums = f"n={self.typed(2).text}, m={self.typed(1).text}"
        if self.chance(30):
            self.line(f"stack_sums.add(a={self.key()}, {sums})")
            return
        keys = ", ".join(f"{f}={self.key()}" for f, _ in RECORDS["Key"])
        self.line(f"sums.add({sums}, {keys})")

    def stack_id(self) -> None:
        """A stack's number, of which only little is certain."""
        name = self.fresh()
        user = self.one(("", "user=True", "user=False"))
        self.line(f"{name} = stacks.stack_id({user}) > -1000")
        self.variables[name] = TYPES["u8"]._replace(boolean=True)
