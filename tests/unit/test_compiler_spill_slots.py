"""Spilled values share a slot where they never live together."""

from __future__ import annotations

from skep.compiler import ir
from skep.compiler.ir import Block, Imm, Slot
from skep.compiler.spill_slots import SPILLED, share


def block(*instructions: ir.Instruction) -> Block:
    made = Block()
    made.instructions.extend(instructions)
    return made


def store(slot: Slot) -> ir.Instruction:
    return ir.Store(slot, 0, Imm(0), 8)


def load(slot: Slot) -> ir.Instruction:
    return ir.Load(0, slot, 0, 8)


def slots(number: int) -> list[Slot]:
    return [Slot(8, 8, SPILLED) for _ in range(number)]


def test_one_after_the_other() -> None:
    a, b = slots(2)
    only = block(store(a), load(a), store(b), load(b), ir.Exit(Imm(0)))
    shared = share([only])
    assert shared[id(a)] is shared[id(b)]


def test_together() -> None:
    a, b = slots(2)
    only = block(store(a), store(b), load(a), load(b), ir.Exit(Imm(0)))
    shared = share([only])
    assert shared[id(a)] is not shared[id(b)]


def test_across_blocks_and_a_loop() -> None:
    a, b, c = slots(3)
    end = block(load(a), ir.Exit(Imm(0)))
    loop = block(store(b), load(b))
    loop.instructions.append(ir.Branch("==", 0, Imm(0), True, loop, end))
    start = block(store(c), load(c), store(a), ir.Jump(loop))
    shared = share([start, loop, end])
    # The first outlives the loop; the third was done with before.
    assert shared[id(a)] is not shared[id(b)]
    assert shared[id(c)] in (shared[id(a)], shared[id(b)])


def test_other_slots_are_left_alone() -> None:
    record = Slot(64, 8, "record Open")
    only = block(store(record), ir.Exit(Imm(0)))
    assert share([only]) == {}
