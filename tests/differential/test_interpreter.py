"""The interpreter and the kernel run the same programs and must agree on every bit."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, note, settings

from skep import asm
from skep.asm import Instruction
from skep.asm import opcodes as op
from skep.asm.disasm import disassemble, notation
from skep.errors import NotSupported, VerifierRejection
from skep.runtime.maps import Map
from skep.runtime.programs import Program
from skep.spec import AttachSpec, ProgramSpec
from tests.differential.interpreter import Machine
from tests.differential.programs import (
    COMPARISONS,
    DIVISIONS,
    PLAIN,
    SHIFTS,
    STATE,
    contexts,
    programs,
    surround,
)

KEY = bytes(4)

ARITHMETIC = [
    *[build(o, 1, 2) for build in (asm.alu, asm.alu32) for o in PLAIN + SHIFTS],
    *[
        build(o, 1, 2, signed)
        for build in (asm.alu, asm.alu32)
        for o in DIVISIONS
        for signed in (False, True)
    ],
    *[asm.movsx(1, 2, bits) for bits in (8, 16, 32)],
    *[asm.movsx32(1, 2, bits) for bits in (8, 16)],
    *[build(1) for build in (asm.neg, asm.neg32)],
    *[b(1, n) for b in (asm.to_le, asm.to_be, asm.bswap) for n in (16, 32, 64)],
]
CONDITIONS = [
    build(o, 1, 2, 1) for build in (asm.jump_if, asm.jump32_if) for o in COMPARISONS
]
CORNERS = [
    *(0, 1, 31, 33, 63, 0x80, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
    *(1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 0x0123456789ABCDEF),
]


class Both:
    """A program in the interpreter and in the kernel."""

    def __init__(self, program: Sequence[Instruction], state: Map) -> None:
        self._program = program
        self._machine = Machine([STATE])
        self._state = state
        spec = ProgramSpec("differential", AttachSpec("test_run", ""), program)
        self._loaded = Program.load(spec, {STATE.name: state})

    def compare(self, context: Sequence[int]) -> None:
        """Run both and assert that they left the same behind."""
        packed = struct.pack(f"<{len(context)}Q", *context)
        expected = self._machine.run(self._program, packed)
        assert self._loaded.test_run(context) == expected & 0xFFFFFFFF
        imitated = self._machine.maps[STATE.name].elements[KEY]
        assert words(self._state.lookup(KEY)) == words(imitated)

    def close(self) -> None:
        self._loaded.close()


def words(value: bytes | bytearray | None) -> list[str]:
    assert value is not None
    return [f"{word:#x}" for (word,) in struct.iter_unpack("<Q", value)]


@pytest.fixture(scope="module")
def state() -> Iterator[Map]:
    created = Map.create(STATE)
    newest = surround([asm.load_acquire(op.R1, op.R10, -8, 8)])
    try:
        Both(newest, created).close()
    except (NotSupported, VerifierRejection):
        pytest.skip("this kernel lacks instructions of 6.15")
    yield created
    created.close()


@pytest.mark.parametrize("insn", ARITHMETIC + CONDITIONS, ids=notation)
def test_operation_on_corner_cases(state: Map, insn: Instruction) -> None:
    # A condition jumps over the instruction after it.
    both = Both(surround([insn, asm.alu_imm(op.BPF_ADD, op.R1, 3)]), state)
    for left, right in itertools.product(CORNERS, CORNERS):
        both.compare([0, left, right, 0, 0, 0, 0, 0, 0, 0])
    both.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs, context=contexts)
def test_random_program(
    state: Map, program: list[Instruction], context: list[int]
) -> None:
    note(disassemble(program))
    both = Both(program, state)
    try:
        both.compare(context)
    finally:
        both.close()
