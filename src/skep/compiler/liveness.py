"""Which virtual registers are needed later, as bit sets."""

from __future__ import annotations

from collections.abc import Sequence

from skep.compiler.ir import Block

Sets = dict[int, int]
"""Bit sets of virtual registers by the id() of a block."""


def live_out(blocks: Sequence[Block]) -> Sets:
    """The registers that are live at the end of each block."""
    reads: Sets = {}
    kills: Sets = {}
    for block in blocks:
        reads[id(block)], kills[id(block)] = _summary(block)
    live_in: Sets = {id(block): 0 for block in blocks}
    out: Sets = dict(live_in)
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            key = id(block)
            after = 0
            for target in block.terminator.targets():
                after |= live_in[id(target)]
            before = reads[key] | (after & ~kills[key])
            out[key] = after
            if before != live_in[key]:
                live_in[key] = before
                changed = True
    return out


def _summary(block: Block) -> tuple[int, int]:
    """The registers read before they are written, and those written."""
    read = killed = 0
    for instruction in block.instructions:
        for register in instruction.uses():
            read |= (1 << register) & ~killed
        defined = instruction.defines()
        if defined is not None:
            killed |= 1 << defined
    return read, killed
