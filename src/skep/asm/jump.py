"""Builders of jumps, calls and exit.

`off` counts 8-byte slots from the instruction after the jump.  `op` is BPF_JEQ,
BPF_JNE, BPF_JGT, BPF_JSGT, ... of `skep.asm.opcodes`; BPF_JSGT and the like compare
as signed.  Functions named jump32_... compare the low halves of the registers.
"""

from __future__ import annotations

from skep.asm.helpers import HELPERS
from skep.asm.instruction import Instruction
from skep.asm.opcodes import (
    BPF_CALL,
    BPF_EXIT,
    BPF_JA,
    BPF_JCOND,
    BPF_JMP,
    BPF_JMP32,
    BPF_K,
    BPF_MAY_GOTO,
    BPF_PSEUDO_CALL,
    BPF_PSEUDO_KFUNC_CALL,
    BPF_X,
)
from skep.errors import InternalError


def jump(off: int) -> Instruction:
    """Jump always, up to 32767 slots."""
    return Instruction(BPF_JMP | BPF_JA, 0, 0, off)


def jump_long(off: int) -> Instruction:
    """Jump always, any distance (gotol, 6.6)."""
    return Instruction(BPF_JMP32 | BPF_JA, 0, 0, 0, off)


def may_goto(off: int) -> Instruction:
    """Jump once the program's loop budget is used up (6.9)."""
    return Instruction(BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, off)


def jump_if(op: int, dst: int, src: int, off: int) -> Instruction:
    """Jump if dst op src."""
    return Instruction(BPF_JMP | BPF_X | op, dst, src, off)


def jump_if_imm(op: int, dst: int, imm: int, off: int) -> Instruction:
    """Jump if dst op imm, a signed 32-bit number that is sign-extended."""
    return Instruction(BPF_JMP | BPF_K | op, dst, 0, off, imm)


def jump32_if(op: int, dst: int, src: int, off: int) -> Instruction:
    """Jump if dst op src in 32 bits."""
    return Instruction(BPF_JMP32 | BPF_X | op, dst, src, off)


def jump32_if_imm(op: int, dst: int, imm: int, off: int) -> Instruction:
    """Jump if dst op imm in 32 bits."""
    return Instruction(BPF_JMP32 | BPF_K | op, dst, 0, off, imm)


def call(helper: str) -> Instruction:
    """Call a BPF helper by its kernel name without "bpf_".

    Arguments are in r1 to r5; the result is in r0, and r1 to r5 are lost.  Raises
    InternalError for an unknown name.
    """
    number = HELPERS.get(helper)
    if number is None:
        raise InternalError(f"there is no BPF helper called {helper!r}")
    return Instruction(BPF_JMP | BPF_CALL, 0, 0, 0, number)


def call_function(off: int) -> Instruction:
    """Call the BPF function that starts `off` slots from the next instruction."""
    return Instruction(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)


def call_kfunc(btf_id: int, fd_index: int = 0) -> Instruction:
    """Call a kernel function by its BTF id.

    `fd_index` is 0 for vmlinux, else the place of the module's BTF in the `fd_array` of
    the load (bpf(2)).
    """
    return Instruction(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, fd_index, btf_id)


def exit_() -> Instruction:
    """Return r0."""
    return Instruction(BPF_JMP | BPF_EXIT)
