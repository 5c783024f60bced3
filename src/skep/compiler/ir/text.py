"""The intermediate form as text, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from skep.compiler import ir


def graph_text(graph: ir.Graph) -> str:
    """The blocks in their order, an instruction on a line.

    `v3` is a register, `u32 [v3+8]` four bytes of memory, `(32)` marks operations on
    the low halves of registers, and `s<` is signed.
    """
    blocks = graph.blocks()
    return "\n".join(_Text(blocks).lines(blocks))


class _Text:
    """Instructions as text, with blocks by number."""

    def __init__(self, blocks: list[ir.Block]) -> None:
        self._names = {id(block): f"b{i}" for i, block in enumerate(blocks)}

    def lines(self, blocks: list[ir.Block]) -> Iterator[str]:
        for block in blocks:
            yield f"{self.block(block)}:{' cold' if block.cold else ''}"
            for instruction in block.instructions:
                show = _SHOWN.get(type(instruction))
                yield f"    {show(self, instruction) if show else repr(instruction)}"

    def block(self, block: ir.Block) -> str:
        return self._names[id(block)]

    def move(self, i: ir.Move) -> str:
        return f"v{i.dst} = {_operand(i.src)}{_width(i.wide)}"

    def alu(self, i: ir.Alu) -> str:
        return f"v{i.dst} {i.operator}= {_operand(i.src)}{_width(i.wide)}"

    def unary(self, i: ir.Unary) -> str:
        return f"v{i.dst} = {i.operator} v{i.dst}{_width(i.wide)}"

    def load(self, i: ir.Load) -> str:
        return f"v{i.dst} = {_memory(i)}"

    def store(self, i: ir.Store) -> str:
        return f"{_memory(i)} = {_operand(i.src)}"

    def atomic_add(self, i: ir.AtomicAdd) -> str:
        return f"lock {_memory(i)} += v{i.src}"

    def context(self, i: ir.Context) -> str:
        return f"v{i.dst} = context"

    def lea(self, i: ir.Lea) -> str:
        return f"v{i.dst} = {_operand(i.src)}"

    def lea_value(self, i: ir.LeaValue) -> str:
        return f"v{i.dst} = &{i.map}[0]"

    def unknown_zero(self, i: ir.UnknownZero) -> str:
        return f"v{i.dst} = unknown 0"

    def nop(self, i: ir.Nop) -> str:
        return "nop"

    def call(self, i: ir.CallHelper) -> str:
        result = "" if i.dst is None else f"v{i.dst} = "
        return f"{result}{i.helper}({', '.join(map(_operand, i.arguments))})"

    def jump(self, i: ir.Jump) -> str:
        return f"goto {self.block(i.target)}"

    def branch(self, i: ir.Branch) -> str:
        test = f"v{i.left} {i.operator} {_operand(i.right)}{_width(i.wide)}"
        return f"if {test} goto {self.block(i.then)} else {self.block(i.orelse)}"

    def exit(self, i: ir.Exit) -> str:
        return f"exit {_operand(i.value)}"


def _operand(operand: object) -> str:
    if isinstance(operand, ir.Imm):
        return str(operand.value)
    if isinstance(operand, ir.MapRef):
        return f"map {operand.name}"
    if isinstance(operand, ir.Address):
        return f"&{operand.slot}{operand.offset:+d}"
    return f"v{operand}" if isinstance(operand, int) else repr(operand)


def _memory(i: ir.Load | ir.Store | ir.AtomicAdd) -> str:
    return f"u{i.size * 8} [{_operand(i.base)}{i.offset:+d}]"


def _width(wide: bool) -> str:
    return "" if wide else " (32)"


_SHOWN: dict[type, Callable[[_Text, Any], str]] = {
    ir.Move: _Text.move,
    ir.Alu: _Text.alu,
    ir.Unary: _Text.unary,
    ir.Load: _Text.load,
    ir.Store: _Text.store,
    ir.AtomicAdd: _Text.atomic_add,
    ir.Context: _Text.context,
    ir.Lea: _Text.lea,
    ir.LeaValue: _Text.lea_value,
    ir.UnknownZero: _Text.unknown_zero,
    ir.Nop: _Text.nop,
    ir.CallHelper: _Text.call,
    ir.Jump: _Text.jump,
    ir.Branch: _Text.branch,
    ir.Exit: _Text.exit,
}
