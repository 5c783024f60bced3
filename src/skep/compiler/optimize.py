"""Clean-up between lowering and register allocation.

Lowering already folds constants and computes pure values once.  What is left to do is
to follow jumps that lead to jumps, to join blocks, and to drop what nobody reads.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.compiler.ir import Block, Branch, Graph, Imm, Instruction, Jump, Move
from skep.compiler.liveness import live_out


def optimize(graph: Graph) -> None:
    """Simplify the graph in place."""
    _thread_jumps(graph)
    _merge_chains(graph)
    for block in graph.blocks():
        _propagate(block, graph.pinned)
    while _drop_dead(graph):
        pass
    _thread_jumps(graph)
    _merge_chains(graph)


def _thread_jumps(graph: Graph) -> None:
    """Let every edge to a block that only jumps lead to where it jumps."""
    for block in graph.blocks():
        for target in block.terminator.targets():
            final = _final(target)
            if final is not target:
                block.terminator.retarget(target, final)
        last = block.terminator
        if isinstance(last, Branch) and last.then is last.orelse:
            jump = Jump(last.then)
            jump.span = last.span
            block.instructions[-1] = jump


def _final(block: Block) -> Block:
    seen = set()
    while id(block) not in seen:
        seen.add(id(block))
        first = block.instructions[0]
        if not isinstance(first, Jump):
            break
        block = first.target
    return block


def _merge_chains(graph: Graph) -> None:
    """Append a block to its only predecessor when that does nothing but jump there."""
    predecessors: dict[int, int] = {}
    blocks = graph.blocks()
    for block in blocks:
        for target in block.terminator.targets():
            predecessors[id(target)] = predecessors.get(id(target), 0) + 1
    merged: set[int] = set()
    for block in blocks:
        if id(block) in merged:
            continue
        while isinstance(block.terminator, Jump):
            target = block.terminator.target
            if predecessors[id(target)] != 1 or target.cold != block.cold:
                break
            if target is graph.entry:
                break
            merged.add(id(target))
            block.instructions[-1:] = target.instructions


def _propagate(block: Block, pinned: AbstractSet[int]) -> None:
    """Read the source of a copy instead of the copy, within a block.

    The copy itself goes later, when nobody reads it any more.
    """
    copies: dict[int, int] = {}

    def source(register: int) -> int:
        return copies.get(register, register)

    for instruction in block.instructions:
        if copies and not _two_address(instruction):
            instruction.rename(source, lambda register: register)
        defined = instruction.defines()
        if defined is None:
            continue
        copies.pop(defined, None)
        for copy in [c for c, s in copies.items() if s == defined]:
            del copies[copy]
        if (
            isinstance(instruction, Move)
            and instruction.wide
            and not isinstance(instruction.src, Imm)
            and instruction.src != defined
            and defined not in pinned
        ):
            copies[defined] = instruction.src


def _two_address(instruction: Instruction) -> bool:
    """Whether the register written is read too, so that it cannot be renamed."""
    defined = instruction.defines()
    return defined is not None and defined in tuple(instruction.uses())


def _drop_dead(graph: Graph) -> bool:
    """Remove pure instructions whose result is not live; whether there were any."""
    blocks = graph.blocks()
    out = live_out(blocks)
    dropped = False
    for block in blocks:
        live = out[id(block)]
        kept: list[Instruction] = []
        for instruction in reversed(block.instructions):
            defined = instruction.defines()
            if defined is not None:
                if instruction.pure and not live >> defined & 1:
                    dropped = True
                    continue
                live &= ~(1 << defined)
            for register in instruction.uses():
                live |= 1 << register
            kept.append(instruction)
        kept.reverse()
        block.instructions = kept
    return dropped
