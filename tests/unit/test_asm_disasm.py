from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.asm import (
    Instruction,
    call,
    exit_,
    jump_if_imm,
    load_btf_id,
    load_func,
    load_map,
    load_map_value,
    mov_imm,
)
from skep.asm.disasm import disassemble, notation
from skep.asm.helpers import HELPERS
from skep.asm.opcodes import BPF_JEQ, R0, R1, R2
from skep.errors import InternalError


def test_lines_are_numbered_by_slot() -> None:
    program = [
        load_map(R1, "events"),
        call("map_lookup_elem"),
        jump_if_imm(BPF_JEQ, R0, 0, 1),
        mov_imm(R0, 1),
        exit_(),
    ]
    assert disassemble(program).splitlines() == [
        "0: (18) r1 = map[events]",
        "2: (85) call bpf_map_lookup_elem#1",
        "3: (15) if r0 == 0x0 goto pc+1",
        "4: (b7) r0 = 1",
        "5: (95) exit",
    ]


@pytest.mark.parametrize(
    ("insn", "text"),
    [
        (load_map_value(R2, "state", 16), "r2 = map[state][0]+16"),
        (load_btf_id(R1, 18), "r1 = 0x12"),
        (load_func(R1, -2), "r1 = subprog[-2]"),
        # Packet loads of classic BPF: never generated, but a dump may hold them.
        (Instruction(0x28, imm=12), "r0 = *(u16 *)skb[12]"),
        (Instruction(0x50, src=7, imm=4), "r0 = *(u8 *)skb[r7 + 4]"),
        (Instruction(0x85, imm=9999), "call unknown#9999"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rare_instructions(insn: Instruction, text: str) -> None:
    assert notation(insn) == text


@given(
    st.builds(
        Instruction,
        st.integers(0, 255),
        st.integers(0, 10),
        st.integers(0, 10),
        st.integers(-(1 << 15), (1 << 15) - 1),
        st.integers(-(1 << 31), (1 << 31) - 1),
    )
)
def test_every_opcode_has_a_text(insn: Instruction) -> None:
    assert notation(insn)


@pytest.mark.parametrize(
    "insn",
    [
        Instruction(0xE7),  # no such arithmetic
        Instruction(0xE5, src=3),  # a conditional of an unknown kind
        Instruction(0x99),  # a sign-extending load of 64 bits
        Instruction(0xDB, imm=0x30),  # no atomic division
        Instruction(0x00),  # a load immediate of 32 bits
        Instruction(0xC2),  # an atomic operation with an immediate
    ],
    ids=repr,
)
def test_what_does_not_exist_is_called_a_bug(insn: Instruction) -> None:
    assert notation(insn) == f"BUG_{insn.opcode:02x}"


def test_unknown_helper_is_refused() -> None:
    with pytest.raises(InternalError, match="no BPF helper called 'map_lookup'"):
        call("map_lookup")


def test_numbers_of_helpers_across_the_list() -> None:
    known = {
        "map_lookup_elem": 1,
        "get_current_pid_tgid": 14,
        "get_stackid": 27,
        "probe_read_kernel": 113,
        "ringbuf_output": 130,
        "loop": 181,
        "cgrp_storage_delete": 211,
    }
    assert {name: HELPERS[name] for name in known} == known
    assert len(HELPERS) == 211
