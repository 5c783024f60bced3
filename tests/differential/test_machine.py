"""What the interpreter must object to, and what its helpers do."""

from __future__ import annotations

import errno

import pytest

from skep import asm
from skep.asm import Instruction
from skep.asm import opcodes as op
from skep.asm.opcodes import R0, R1, R2, R3, R4, R5, R10
from skep.spec import MapSpec
from tests.differential.interpreter import Machine
from tests.differential.maps import FakeRingBuffer
from tests.differential.memory import Fault

RING = MapSpec("events", "ringbuf", 0, 0, 4096)
COUNTERS = MapSpec("counters", "array", 4, 16, 1)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ([asm.mov(R0, R5)], "r5 was never set"),
        ([asm.mov_imm(R10, 0)], "r10 is read-only"),
        ([asm.load(R0, R10, 0, 1)], "nowhere"),
        ([asm.load(R0, R10, -520, 8)], "nowhere"),
        ([asm.load(R0, R10, -4, 8)], "nowhere"),
        ([asm.load(R0, R1, 16, 1)], "nowhere"),
        ([asm.store_imm(R1, 0, 0, 1)], "read-only context"),
        ([asm.mov_imm(R2, 0), asm.load(R0, R2, 0, 8)], "wrong half"),
        ([asm.jump(1), asm.load_imm64(R0, 1)], "where no instruction starts"),
        ([asm.jump(-1)], "no exit after"),
        ([asm.mov_imm(R0, 0)], "where no instruction starts"),
        ([asm.exit_()], "r0 was never set"),
        ([asm.call("map_lookup_elem")], "is no map"),
        ([asm.call("ktime_get_ns"), asm.mov(R0, R1)], "r1 was never set"),
        ([asm.call("get_prandom_u32")], "no such function"),
        ([asm.call_kfunc(9)], "no such function"),
    ],
)
def test_fault(program: list[Instruction], message: str) -> None:
    machine = Machine(step_limit=100)
    with pytest.raises(Fault, match=message):
        machine.run(program, bytes(16))


def test_stack_is_not_zero_at_the_start() -> None:
    assert Machine().run([asm.load(R0, R10, -8, 8), asm.exit_()]) != 0


def test_map_value_is_one_address_for_all_runs() -> None:
    program = [
        asm.load_map_value(R1, "counters", 8),
        asm.mov_imm(R2, 5),
        asm.atomic(op.BPF_ADD, R1, 0, R2, 8),
        asm.load(R0, R1, 0, 8),
        asm.exit_(),
    ]
    machine = Machine([COUNTERS])
    assert [machine.run(program), machine.run(program)] == [5, 10]


def test_ring_buffer_collects_and_fills_up() -> None:
    program = [
        asm.store_imm(R10, -8, 7, 8),
        asm.load_map(R1, "events"),
        asm.mov(R2, R10),
        asm.alu_imm(op.BPF_ADD, R2, -512),
        asm.mov_imm(R3, 512),
        asm.mov_imm(R4, 0),
        asm.call("ringbuf_output"),
        asm.exit_(),
    ]
    machine = Machine([RING])
    results = [machine.run(program) for _ in range(8)]
    # 520 bytes each with the header.
    assert results == [0] * 7 + [-errno.EAGAIN & (1 << 64) - 1]
    ring = machine.maps["events"]
    assert isinstance(ring, FakeRingBuffer)
    assert [len(record) for record in ring.records] == [512] * 7
    assert ring.records[0].endswith(b"\x07" + bytes(7))


def test_reserved_records_appear_when_submitted() -> None:
    reserve = [
        asm.load_map(R1, "events"),
        asm.mov_imm(R2, 8),
        asm.mov_imm(R3, 0),
        asm.call("ringbuf_reserve"),
        asm.store_imm(R0, 0, 9, 8),
        asm.mov(R1, R0),
        asm.mov_imm(R2, 0),
    ]
    machine = Machine([RING])
    machine.run([*reserve, asm.call("ringbuf_submit"), asm.exit_()])
    machine.run([*reserve, asm.call("ringbuf_discard"), asm.exit_()])
    ring = machine.maps["events"]
    assert isinstance(ring, FakeRingBuffer)
    assert ring.records == [b"\x09" + bytes(7)]


def test_helpers_can_be_replaced() -> None:
    program = [asm.call("ktime_get_ns"), asm.exit_()]
    assert Machine(helpers={"ktime_get_ns": lambda machine: 5}).run(program) == 5
