from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.asm import (
    Instruction,
    decode,
    encode,
    exit_,
    jump,
    load_btf_id,
    load_imm64,
    load_map,
    load_map_value,
    mov,
    mov_imm,
    slot_numbers,
)
from skep.asm.opcodes import LD_IMM64, R0, R1, R2
from skep.errors import InternalError, Span

REGISTER = st.integers(0, 10)
NARROW = st.builds(
    Instruction,
    st.integers(0, 255).filter(lambda opcode: opcode != LD_IMM64),
    REGISTER,
    REGISTER,
    st.integers(-(1 << 15), (1 << 15) - 1),
    st.integers(-(1 << 31), (1 << 31) - 1),
)
WIDE = st.builds(
    Instruction,
    st.just(LD_IMM64),
    REGISTER,
    st.integers(0, 6),
    st.just(0),
    st.integers(0, (1 << 64) - 1),
)
PROGRAM = st.lists(NARROW | WIDE, max_size=30)


@given(PROGRAM)
def test_decode_inverts_encode(program: list[Instruction]) -> None:
    assert decode(encode(program)) == program


@given(PROGRAM)
def test_slot_numbers_are_positions_in_the_bytes(program: list[Instruction]) -> None:
    for index, slot in enumerate(slot_numbers(program)):
        assert len(encode(program[:index])) == 8 * slot


def test_reference_is_replaced_by_file_descriptor() -> None:
    program = [load_map(R1, "events"), load_map_value(R2, "state", 16)]
    fds = {"events": 5, "state": 6}
    first, second = decode(encode(program, fds.__getitem__))
    assert (first.src, first.imm, first.ref) == (1, 5, None)
    assert (second.src, second.imm) == (2, 16 << 32 | 6)


def test_module_btf_lies_in_the_high_half() -> None:
    assert load_btf_id(R1, 77, btf_fd=4).imm == 4 << 32 | 77


def test_unresolved_reference_is_refused() -> None:
    with pytest.raises(InternalError, match=r"no map for .*events"):
        encode([load_map(R1, "events")])


@pytest.mark.parametrize(
    "insn",
    [
        mov_imm(R0, 1 << 31),
        mov_imm(R0, -(1 << 31) - 1),
        jump(1 << 15),
        mov(16, R0),
        mov(R0, 16),
        Instruction(256),
        Instruction(LD_IMM64, imm=1 << 64),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_refused(insn: Instruction) -> None:
    insn.span = Span("tool.py", 3, 4, 9, "    a = b")
    with pytest.raises(InternalError, match=r"cannot encode") as caught:
        encode([exit_(), insn])
    assert caught.value.diagnostic.span == insn.span


@pytest.mark.parametrize("length", [1, 7, 9])
def test_cut_program_is_refused(length: int) -> None:
    with pytest.raises(InternalError, match="ends within"):
        decode((encode([exit_(), exit_()]))[:length])


def test_cut_wide_instruction_is_refused() -> None:
    with pytest.raises(InternalError, match="ends within"):
        decode(encode([load_imm64(R1, 1)])[:8])


def test_equality_ignores_the_span() -> None:
    with_span = mov(R1, R2)
    with_span.span = Span("tool.py", 1, 0, 1, "x")
    assert with_span == mov(R1, R2)
    assert mov(R1, R2) != mov(R2, R1)
    assert load_map(R1, "a") != load_map(R1, "b")
    assert mov(R1, R2) != "mov"


def test_signed_values_of_load_imm64_are_kept_unsigned() -> None:
    assert load_imm64(R1, -1) == load_imm64(R1, (1 << 64) - 1)
