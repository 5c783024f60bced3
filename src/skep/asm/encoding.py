"""Instructions to the bytes that bpf(2) takes, and back.

A slot is eight bytes: opcode, registers (destination in the low nibble, source in the
high one), a 16-bit offset and a 32-bit immediate (struct bpf_insn,
include/uapi/linux/bpf.h).  The bytes are little-endian, as all supported machines are.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Callable

from skep.asm.instruction import Instruction
from skep.asm.opcodes import LD_IMM64
from skep.errors import InternalError

_SLOT = struct.Struct("<BBhi")
_LD_IMM64 = struct.Struct("<BBhI4xI")  # the second slot is empty but for its immediate


def encode(
    instructions: Sequence[Instruction],
    resolve_ref: Callable[[str], int] | None = None,
) -> bytes:
    """The program as bytes; `resolve_ref` gives the file descriptor of a named map.

    Raises InternalError when a number does not fit its field, or when an instruction
    names a map and there is no `resolve_ref`.
    """
    pack = _SLOT.pack
    slots = []
    try:
        for insn in instructions:
            if insn.dst > 15:
                raise struct.error("no such register")
            registers = insn.src << 4 | insn.dst
            if insn.opcode == LD_IMM64:
                low, high = _halves(insn, resolve_ref)
                slots.append(_LD_IMM64.pack(LD_IMM64, registers, insn.off, low, high))
            else:
                slots.append(pack(insn.opcode, registers, insn.off, insn.imm))
    except struct.error as error:
        raise InternalError(f"cannot encode {insn!r}: {error}", insn.span) from error
    return b"".join(slots)


def _halves(
    insn: Instruction, resolve_ref: Callable[[str], int] | None
) -> tuple[int, int]:
    """The immediates of the two slots of a 64-bit load immediate."""
    low = insn.imm & 0xFFFFFFFF
    if insn.ref is not None:
        if resolve_ref is None:
            raise InternalError(f"no map for {insn!r}", insn.span)
        low = resolve_ref(insn.ref)
    return low, insn.imm >> 32


def decode(program: bytes) -> list[Instruction]:
    """The instructions of a program; the inverse of `encode`.

    Raises InternalError when the bytes end within an instruction.
    """
    instructions = []
    position, end = 0, len(program)
    while position < end:
        wide = program[position] == LD_IMM64
        if end - position < (16 if wide else 8):
            raise InternalError(f"program ends within the instruction at {position}")
        opcode, registers, off, imm = _SLOT.unpack_from(program, position)
        position += 8
        if wide:
            (high,) = struct.unpack_from("<I", program, position + 4)
            imm = high << 32 | imm & 0xFFFFFFFF
            position += 8
        instructions.append(
            Instruction(opcode, registers & 0xF, registers >> 4, off, imm)
        )
    return instructions


def slot_numbers(instructions: Sequence[Instruction]) -> list[int]:
    """The slot at which each instruction starts, as jumps and line info count them."""
    numbers = []
    slot = 0
    for insn in instructions:
        numbers.append(slot)
        slot += insn.slots
    return numbers
