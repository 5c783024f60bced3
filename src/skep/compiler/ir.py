"""The intermediate form: BPF over virtual registers, in a control-flow graph.

It is not SSA.  A variable is one virtual register however often it is assigned, so
a check and the use it protects share a register, which is what the verifier wants.
Arithmetic is two-address, as BPF's is.  Operands are virtual registers (ints) or `Imm`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, NamedTuple, Union

from skep.errors import Span


class Imm(NamedTuple):
    """A constant operand, as a signed number that fits the instruction."""

    value: int


class Slot:
    """An area of the stack; `offset` from the frame pointer is set by allocation."""

    __slots__ = ("size", "align", "what", "offset")

    def __init__(self, size: int, align: int, what: str) -> None:
        self.size = size
        self.align = align
        self.what = what
        self.offset = 0

    def __repr__(self) -> str:
        return f"<{self.what}:{self.size}>"


class Address(NamedTuple):
    """The address of a byte in a stack slot."""

    slot: Slot
    offset: int = 0


class MapRef(NamedTuple):
    """A map, by name."""

    name: str


Operand = Union[int, Imm]
Base = Union[int, Slot]
Argument = Union[int, Imm, Address, MapRef]
Rename = Callable[[int], int]


class Instruction:
    """Base of all instructions."""

    __slots__ = ("span",)
    span: Span | None
    pure = False
    """Whether the instruction may be dropped when nobody reads its result."""

    def uses(self) -> Iterator[int]:
        """The virtual registers that the instruction reads."""
        return iter(())

    def defines(self) -> int | None:
        """The virtual register that it writes."""
        return None

    def rename(self, use: Rename, define: Rename) -> None:
        """Replace the registers it reads and writes."""

    def __repr__(self) -> str:
        names = [name for cls in type(self).__mro__ for name in _slots(cls)]
        shown = (f"{name}={getattr(self, name)!r}" for name in names if name != "span")
        return f"{type(self).__name__}({', '.join(shown)})"


def _slots(cls: type) -> tuple[str, ...]:
    return getattr(cls, "__slots__", ())


def _rename_operand(operand: Operand, use: Rename) -> Operand:
    return operand if isinstance(operand, Imm) else use(operand)


class Move(Instruction):
    """`dst = src`; with `wide` false the upper half of `dst` becomes zero."""

    __slots__ = ("dst", "src", "wide")
    pure = True

    def __init__(self, dst: int, src: Operand, wide: bool = True) -> None:
        self.dst = dst
        self.src = src
        self.wide = wide

    def uses(self) -> Iterator[int]:
        if not isinstance(self.src, Imm):
            yield self.src

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.src = _rename_operand(self.src, use)
        self.dst = define(self.dst)


class Alu(Instruction):
    """`dst = dst operator src` on 64 bits, or on 32 with the upper half becoming zero.

    `operator` is `+ - * // % & | ^ << >>`, with `s` in front for the signed forms of
    `//`, `%` and `>>`.
    """

    __slots__ = ("operator", "dst", "src", "wide")
    pure = True

    def __init__(self, operator: str, dst: int, src: Operand, wide: bool) -> None:
        self.operator = operator
        self.dst = dst
        self.src = src
        self.wide = wide

    def uses(self) -> Iterator[int]:
        yield self.dst
        if not isinstance(self.src, Imm):
            yield self.src

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.src = _rename_operand(self.src, use)
        self.dst = define(self.dst)


class Unary(Instruction):
    """`dst = operator dst`: `-`, or `be16 be32 be64` (to or from big endian)."""

    __slots__ = ("operator", "dst", "wide")
    pure = True

    def __init__(self, operator: str, dst: int, wide: bool) -> None:
        self.operator = operator
        self.dst = dst
        self.wide = wide

    def uses(self) -> Iterator[int]:
        yield self.dst

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class Load(Instruction):
    """`dst = *(size *)(base + offset)`, zero-extended to 64 bits."""

    __slots__ = ("dst", "base", "offset", "size")
    pure = True

    def __init__(self, dst: int, base: Base, offset: int, size: int) -> None:
        self.dst = dst
        self.base = base
        self.offset = offset
        self.size = size

    def uses(self) -> Iterator[int]:
        if not isinstance(self.base, Slot):
            yield self.base

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        if not isinstance(self.base, Slot):
            self.base = use(self.base)
        self.dst = define(self.dst)


class Store(Instruction):
    """`*(size *)(base + offset) = src`."""

    __slots__ = ("base", "offset", "src", "size")

    def __init__(self, base: Base, offset: int, src: Operand, size: int) -> None:
        self.base = base
        self.offset = offset
        self.src = src
        self.size = size

    def uses(self) -> Iterator[int]:
        if not isinstance(self.base, Slot):
            yield self.base
        if not isinstance(self.src, Imm):
            yield self.src

    def rename(self, use: Rename, define: Rename) -> None:
        if not isinstance(self.base, Slot):
            self.base = use(self.base)
        self.src = _rename_operand(self.src, use)


class AtomicAdd(Instruction):
    """`*(size *)(base + offset) += src`, atomically."""

    __slots__ = ("base", "offset", "src", "size")

    def __init__(self, base: int, offset: int, src: int, size: int) -> None:
        self.base = base
        self.offset = offset
        self.src = src
        self.size = size

    def uses(self) -> Iterator[int]:
        yield self.base
        yield self.src

    def rename(self, use: Rename, define: Rename) -> None:
        self.base = use(self.base)
        self.src = use(self.src)


class Context(Instruction):
    """`dst` = the program's context; only as the first instruction of the entry."""

    __slots__ = ("dst",)
    pure = True

    def __init__(self, dst: int) -> None:
        self.dst = dst

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class Lea(Instruction):
    """`dst` = an address in the stack, or a map's address."""

    __slots__ = ("dst", "src")
    pure = True

    def __init__(self, dst: int, src: Address | MapRef) -> None:
        self.dst = dst
        self.src = src

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class LeaValue(Instruction):
    """`dst` = the address of the only element of an array map."""

    __slots__ = ("dst", "map")
    pure = True

    def __init__(self, dst: int, map: str) -> None:
        self.dst = dst
        self.map = map

    def defines(self) -> int:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.dst = define(self.dst)


class CallHelper(Instruction):
    """`dst = helper(arguments)`; the helper is known by its kernel name without bpf_.

    `droppable` says that a call whose result nobody reads may go.
    """

    __slots__ = ("dst", "helper", "arguments", "droppable")

    def __init__(
        self,
        dst: int | None,
        helper: str,
        arguments: list[Argument],
        droppable: bool = False,
    ) -> None:
        self.dst = dst
        self.helper = helper
        self.arguments = arguments
        self.droppable = droppable

    @property
    def pure(self) -> bool:  # type: ignore[override]
        return self.droppable

    def uses(self) -> Iterator[int]:
        for argument in self.arguments:
            if isinstance(argument, int):
                yield argument

    def defines(self) -> int | None:
        return self.dst

    def rename(self, use: Rename, define: Rename) -> None:
        self.arguments = [
            use(argument) if isinstance(argument, int) else argument
            for argument in self.arguments
        ]
        if self.dst is not None:
            self.dst = define(self.dst)


class Terminator(Instruction):
    """Base of the instructions that end a block."""

    __slots__ = ()

    def targets(self) -> list[Block]:
        """The blocks that may come next."""
        return []

    def retarget(self, old: Block, new: Block) -> None:
        """Replace one of the targets."""


class Jump(Terminator):
    """Go to `target`."""

    __slots__ = ("target",)

    def __init__(self, target: Block) -> None:
        self.target = target

    def targets(self) -> list[Block]:
        return [self.target]

    def retarget(self, old: Block, new: Block) -> None:
        if self.target is old:
            self.target = new


class Branch(Terminator):
    """Go to `then` if `left operator right`, else to `orelse`.

    `operator` is `== != < <= > >= &` with `s` in front of the four order relations when
    signed; `&` asks whether any common bit is set.
    """

    __slots__ = ("operator", "left", "right", "wide", "then", "orelse")

    def __init__(
        self,
        operator: str,
        left: int,
        right: Operand,
        wide: bool,
        then: Block,
        orelse: Block,
    ) -> None:
        self.operator = operator
        self.left = left
        self.right = right
        self.wide = wide
        self.then = then
        self.orelse = orelse

    def uses(self) -> Iterator[int]:
        yield self.left
        if not isinstance(self.right, Imm):
            yield self.right

    def rename(self, use: Rename, define: Rename) -> None:
        self.left = use(self.left)
        self.right = _rename_operand(self.right, use)

    def targets(self) -> list[Block]:
        return [self.then, self.orelse]

    def retarget(self, old: Block, new: Block) -> None:
        if self.then is old:
            self.then = new
        if self.orelse is old:
            self.orelse = new


class Exit(Terminator):
    """Leave the program with a value."""

    __slots__ = ("value",)

    def __init__(self, value: Operand) -> None:
        self.value = value

    def uses(self) -> Iterator[int]:
        if not isinstance(self.value, Imm):
            yield self.value

    def rename(self, use: Rename, define: Rename) -> None:
        self.value = _rename_operand(self.value, use)


class Block:
    """Straight-line code that ends in one terminator.

    `cold` blocks (loss accounting) are laid out after all others; `depth` is the number
    of loops around the block.
    """

    __slots__ = ("instructions", "cold", "depth", "reached")

    def __init__(self, depth: int = 0, cold: bool = False) -> None:
        self.instructions: list[Instruction] = []
        self.depth = depth
        self.cold = cold
        self.reached = False

    @property
    def terminator(self) -> Terminator:
        last = self.instructions[-1]
        assert isinstance(last, Terminator), f"{last} ends a block"
        return last


class Graph:
    """A program: its entry block and the number of virtual registers made so far."""

    def __init__(self) -> None:
        self.entry = Block()
        self.registers = 0

    def new_register(self) -> int:
        """A virtual register never used before."""
        self.registers += 1
        return self.registers - 1

    def blocks(self) -> list[Block]:
        """The reachable blocks in reverse postorder, the cold ones last."""
        seen: set[int] = set()
        order: list[Block] = []
        stack: list[tuple[Block, list[Block]]] = [(self.entry, [])]
        seen.add(id(self.entry))
        stack = [(self.entry, self.entry.terminator.targets())]
        while stack:
            block, left = stack[-1]
            # The branch taken last is laid out first: visit 'then' before 'orelse' so
            # that 'orelse' follows its block and the branch jumps to 'then'.
            while left and id(left[0]) in seen:
                left.pop(0)
            if left:
                following = left.pop(0)
                seen.add(id(following))
                stack.append((following, following.terminator.targets()))
            else:
                order.append(block)
                stack.pop()
        order.reverse()
        return [b for b in order if not b.cold] + [b for b in order if b.cold]

    def __str__(self) -> str:
        blocks = self.blocks()
        names = {id(block): f"b{i}" for i, block in enumerate(blocks)}
        lines = []
        for block in blocks:
            lines.append(f"{names[id(block)]}:{' cold' if block.cold else ''}")
            lines += [f"  {_show(i, names)}" for i in block.instructions]
        return "\n".join(lines)


def _show(instruction: Instruction, names: dict[int, str]) -> str:
    """One line of a dump."""

    def text(operand: object) -> str:
        if isinstance(operand, Imm):
            return str(operand.value)
        if isinstance(operand, MapRef):
            return f"map {operand.name}"
        if isinstance(operand, Address):
            return f"&{operand.slot}+{operand.offset}"
        return f"v{operand}" if isinstance(operand, int) else repr(operand)

    i = instruction
    if isinstance(i, Move):
        return f"v{i.dst} = {'' if i.wide else '(u32)'}{text(i.src)}"
    if isinstance(i, Alu):
        return f"v{i.dst} {i.operator}= {text(i.src)}{'' if i.wide else ' (32)'}"
    if isinstance(i, Load):
        return f"v{i.dst} = u{i.size * 8} [{text(i.base)}{i.offset:+d}]"
    if isinstance(i, Store):
        return f"u{i.size * 8} [{text(i.base)}{i.offset:+d}] = {text(i.src)}"
    if isinstance(i, Lea):
        return f"v{i.dst} = {text(i.src)}"
    if isinstance(i, CallHelper):
        result = "" if i.dst is None else f"v{i.dst} = "
        return f"{result}{i.helper}({', '.join(map(text, i.arguments))})"
    if isinstance(i, Jump):
        return f"goto {names[id(i.target)]}"
    if isinstance(i, Branch):
        test = f"v{i.left} {i.operator} {text(i.right)}{'' if i.wide else ' (32)'}"
        return f"if {test} goto {names[id(i.then)]} else {names[id(i.orelse)]}"
    return repr(i)
