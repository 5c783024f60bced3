"""Helpers of the interpreter against the kernel's: the same calls, the same answers."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skep import asm
from skep.asm import Instruction
from skep.asm import opcodes as op
from skep.asm.opcodes import R0, R1, R2, R3, R4, R6, R7, R10
from skep.runtime.maps import Map
from skep.runtime.programs import Program
from skep.spec import AttachSpec, MapSpec, ProgramSpec
from tests.differential.interpreter import Machine

HASH = MapSpec("elements", "hash", 8, 8, 3)
ARRAY = MapSpec("elements", "array", 4, 8, 3)

# The context of all programs: a key, a value, flags.
PROLOGUE = [
    asm.mov(R6, R1),
    asm.load(R1, R6, 0, 8),
    asm.store(R10, -8, R1, 8),
    asm.load(R1, R6, 8, 8),
    asm.store(R10, -16, R1, 8),
    asm.load_map(R1, "elements"),
    asm.mov(R2, R10),
    asm.alu_imm(op.BPF_ADD, R2, -8),
]
BODIES: dict[str, list[Instruction]] = {
    "update": [
        asm.mov(R3, R10),
        asm.alu_imm(op.BPF_ADD, R3, -16),
        asm.load(R4, R6, 16, 8),
        asm.call("map_update_elem"),
    ],
    "delete": [asm.call("map_delete_elem")],
    "lookup": [
        asm.call("map_lookup_elem"),
        asm.jump_if_imm(op.BPF_JEQ, R0, 0, 1),
        asm.load(R0, R0, 0, 4),
    ],
    "add": [
        asm.call("map_lookup_elem"),
        asm.jump_if_imm(op.BPF_JEQ, R0, 0, 2),
        asm.mov_imm(R1, 1),
        asm.atomic(op.BPF_ADD, R0, 0, R1, 8),
    ],
}

calls = st.lists(
    st.tuples(
        st.sampled_from(sorted(BODIES)),
        st.integers(0, 4),
        st.integers(0, 1 << 31),
        st.integers(0, 2),
    ),
    max_size=20,
)


def run_in_kernel(
    program: Sequence[Instruction], context: Sequence[int], maps: dict[str, Map]
) -> int:
    attach = AttachSpec("test_run", "")
    loaded = Program.load(ProgramSpec("differential", attach, program), maps)
    try:
        return loaded.test_run(context)
    finally:
        loaded.close()


@pytest.mark.parametrize("spec", [HASH, ARRAY], ids=["hash", "array"])
@settings(max_examples=60, deadline=None)
@given(calls=calls)
def test_map_calls_in_any_order(
    spec: MapSpec, calls: list[tuple[str, int, int, int]]
) -> None:
    machine = Machine([spec])
    elements = Map.create(spec)
    for name, *context in calls:
        # What "add" returns on success is an address.
        result = [asm.mov_imm(R0, 0)] if name == "add" else []
        program = [*PROLOGUE, *BODIES[name], *result, asm.exit_()]
        expected = machine.run(program, struct.pack("<3Q", *context))
        returned = run_in_kernel(program, context, {"elements": elements})
        assert returned == expected & 0xFFFFFFFF, name
    assert dict(elements.items()) == machine.maps["elements"].elements
    elements.close()


@pytest.mark.parametrize(
    ("helper", "size"),
    [
        ("probe_read_user", 4),
        ("probe_read_kernel", 4),
        ("probe_read_user_str", 0),
        ("probe_read_user_str", 1),
        ("probe_read_user_str", 3),
        ("probe_read_user_str", 5),
        ("probe_read_user_str", 16),
        ("probe_read_kernel_str", 8),
    ],
)
@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "unmapped"])
@pytest.mark.parametrize("returned", [R0, R6, R7], ids=["r0", "low", "high"])
def test_reads_of_user_memory(
    helper: str, size: int, mapped: bool, returned: int
) -> None:
    program = [
        asm.load(R3, R1, 0, 8),
        asm.store_imm(R10, -16, 0x11223344, 8),
        asm.store_imm(R10, -8, 0, 8),
        asm.mov(R1, R10),
        asm.alu_imm(op.BPF_ADD, R1, -16),
        asm.mov_imm(R2, size),
        asm.call(helper),
        asm.load(R6, R10, -16, 4),
        asm.load(R7, R10, -12, 4),
        asm.mov(R0, returned),
        asm.exit_(),
    ]
    text = ctypes.create_string_buffer(b"path\0more")
    machine = Machine()
    imitated = machine.memory.map("text", bytearray(text.raw), user=True)
    expected = machine.run(program, (imitated if mapped else 16).to_bytes(8, "little"))
    address = ctypes.addressof(text) if mapped else 16
    assert run_in_kernel(program, [address], {}) == expected & 0xFFFFFFFF
