"""Blocks and the graph they form."""

from __future__ import annotations

from collections.abc import Iterator

from skep.compiler.ir.instructions import (
    Imm,
    Instruction,
    Operand,
    Rename,
    rename_operand,
)


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
        self.right = rename_operand(self.right, use)

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
        self.value = rename_operand(self.value, use)


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
        """The last instruction of a complete block."""
        last = self.instructions[-1]
        assert isinstance(last, Terminator), f"{last} ends a block"
        return last


class Graph:
    """A program: its entry block and the number of virtual registers made so far.

    `pinned` registers live shortly and are neither spilled nor one with another, as the
    verifier must know of the register that is used what was tested of it.
    """

    def __init__(self) -> None:
        self.entry = Block()
        self.registers = 0
        self.pinned: set[int] = set()

    def new_register(self) -> int:
        """A virtual register never used before."""
        self.registers += 1
        return self.registers - 1

    def blocks(self) -> list[Block]:
        """The reachable blocks in reverse postorder, the cold ones last."""
        seen = {id(self.entry)}
        order: list[Block] = []
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
