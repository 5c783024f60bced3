"""Sharing of stack slots: spilled values that never live together need one slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skep.compiler import ir
from skep.compiler.ir import Block, Slot

SPILLED = "spilled value"
"""What a slot is called that holds one virtual register, 8 bytes, and nothing else."""


def share(blocks: Sequence[Block]) -> Mapping[int, Slot]:
    """For each slot of a spilled value, by its id(), the slot that stands for it."""
    slots = _spill_slots(blocks)
    conflicts = _conflicts(blocks, {id(slot): at for at, slot in enumerate(slots)})
    shared: dict[int, Slot] = {}
    owners: list[tuple[Slot, int]] = []
    for position, slot in enumerate(slots):
        for index, (owner, members) in enumerate(owners):
            if not conflicts[position] & members:
                owners[index] = owner, members | 1 << position
                shared[id(slot)] = owner
                break
        else:
            owners.append((slot, 1 << position))
            shared[id(slot)] = slot
    return shared


def _spill_slots(blocks: Sequence[Block]) -> list[Slot]:
    found: dict[int, Slot] = {}
    for block in blocks:
        for instruction in block.instructions:
            slot = _spill_slot(instruction)
            if slot is not None:
                found[id(slot)] = slot
    return list(found.values())


def _spill_slot(instruction: ir.Instruction) -> Slot | None:
    if isinstance(instruction, (ir.Load, ir.Store)):
        base = instruction.base
        if isinstance(base, Slot) and base.what == SPILLED:
            return base
    return None


def _conflicts(blocks: Sequence[Block], positions: Mapping[int, int]) -> list[int]:
    """For each slot, by position, those that hold a value while it gets one."""
    conflicts = [0] * len(positions)
    live_in = {id(block): 0 for block in blocks}
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            live = 0
            for target in block.terminator.targets():
                live |= live_in[id(target)]
            live = _walk_back(block, live, positions, conflicts)
            if live != live_in[id(block)]:
                live_in[id(block)] = live
                changed = True
    for position, others in enumerate(list(conflicts)):
        for other in range(len(conflicts)):
            if others >> other & 1:
                conflicts[other] |= 1 << position
    return conflicts


def _walk_back(
    block: Block, live: int, positions: Mapping[int, int], conflicts: list[int]
) -> int:
    """The slots that are live before a block, given those behind it."""
    for instruction in reversed(block.instructions):
        slot = _spill_slot(instruction)
        if slot is None:
            continue
        position = positions[id(slot)]
        if isinstance(instruction, ir.Store):
            live &= ~(1 << position)
            conflicts[position] |= live
        else:
            live |= 1 << position
    return live
