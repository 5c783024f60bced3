"""Builders of loads and stores.

Sizes are in bytes: 1, 2, 4 or 8.  The address is a register plus a signed 16-bit
offset in bytes.
"""

from __future__ import annotations

from skep.asm.instruction import Instruction
from skep.asm.opcodes import (
    BPF_ATOMIC,
    BPF_CMPXCHG,
    BPF_FETCH,
    BPF_LDX,
    BPF_LOAD_ACQ,
    BPF_MEM,
    BPF_MEMSX,
    BPF_PSEUDO_BTF_ID,
    BPF_PSEUDO_FUNC,
    BPF_PSEUDO_MAP_FD,
    BPF_PSEUDO_MAP_VALUE,
    BPF_ST,
    BPF_STORE_REL,
    BPF_STX,
    BPF_XCHG,
    LD_IMM64,
    SIZE_CODES,
)


def load(dst: int, src: int, off: int, size: int) -> Instruction:
    """dst = *(src + off), zero-extended"""
    return Instruction(BPF_LDX | BPF_MEM | SIZE_CODES[size], dst, src, off)


def ldsx(dst: int, src: int, off: int, size: int) -> Instruction:
    """dst = *(src + off), sign-extended; size 1, 2 or 4 (6.6)."""
    return Instruction(BPF_LDX | BPF_MEMSX | SIZE_CODES[size], dst, src, off)


def store(dst: int, off: int, src: int, size: int) -> Instruction:
    """*(dst + off) = src"""
    return Instruction(BPF_STX | BPF_MEM | SIZE_CODES[size], dst, src, off)


def store_imm(dst: int, off: int, imm: int, size: int) -> Instruction:
    """*(dst + off) = imm, a signed 32-bit number, sign-extended when size is 8"""
    return Instruction(BPF_ST | BPF_MEM | SIZE_CODES[size], dst, 0, off, imm)


def load_imm64(dst: int, value: int) -> Instruction:
    """dst = value, any 64-bit number, signed or unsigned"""
    return Instruction(LD_IMM64, dst, 0, 0, value & 0xFFFFFFFFFFFFFFFF)


def load_map(dst: int, name: str) -> Instruction:
    """dst = the map called `name` in the collection"""
    return Instruction(LD_IMM64, dst, BPF_PSEUDO_MAP_FD, 0, 0, name)


def load_map_fd(dst: int, fd: int) -> Instruction:
    """dst = the map behind an open file descriptor"""
    return Instruction(LD_IMM64, dst, BPF_PSEUDO_MAP_FD, 0, fd)


def load_map_value(dst: int, name: str, off: int) -> Instruction:
    """dst = the address of byte `off` of the only element of the array map `name`"""
    return Instruction(LD_IMM64, dst, BPF_PSEUDO_MAP_VALUE, 0, off << 32, name)


def load_number(dst: int, name: str) -> Instruction:
    """dst = the number called `name` when the program is loaded, below 2**32"""
    return Instruction(LD_IMM64, dst, 0, 0, 0, name)


def load_btf_id(dst: int, btf_id: int, btf_fd: int = 0) -> Instruction:
    """dst = the address of a kernel variable; `btf_fd` is its module's BTF or 0"""
    return Instruction(LD_IMM64, dst, BPF_PSEUDO_BTF_ID, 0, btf_fd << 32 | btf_id)


def load_func(dst: int, off: int) -> Instruction:
    """dst = the BPF function `off` slots from the next *slot*, for callback arguments.

    The offset counts from the instruction's second slot (bpf_pseudo_func in
    kernel/bpf/verifier.c), unlike those of jumps.
    """
    return Instruction(LD_IMM64, dst, BPF_PSEUDO_FUNC, 0, off & 0xFFFFFFFF)


def atomic(
    op: int, dst: int, off: int, src: int, size: int, fetch: bool = False
) -> Instruction:
    """*(dst + off) op= src at once; op is BPF_ADD, BPF_OR, BPF_AND or BPF_XOR.

    Size is 4 or 8.  `fetch` makes src the old value; that and all operations but
    BPF_ADD need 5.12.
    """
    return _atomic(op | BPF_FETCH if fetch else op, dst, off, src, size)


def atomic_xchg(dst: int, off: int, src: int, size: int) -> Instruction:
    """Exchange *(dst + off) and src; size 4 or 8 (5.12)."""
    return _atomic(BPF_XCHG, dst, off, src, size)


def atomic_cmpxchg(dst: int, off: int, src: int, size: int) -> Instruction:
    """*(dst + off) = src if it equals r0; r0 = its old value; size 4 or 8 (5.12).

    After size 4 only the low half of r0 counts.  It should be zero-extended, but x86's
    instruction leaves the high half alone where it stores, and 6.18's verifier forgets
    the `w0 = w0` that it adds when it has already walked the code after it.
    """
    return _atomic(BPF_CMPXCHG, dst, off, src, size)


def load_acquire(dst: int, src: int, off: int, size: int) -> Instruction:
    """dst = *(src + off) before all later memory accesses (6.15)."""
    return _atomic(BPF_LOAD_ACQ, dst, off, src, size)


def store_release(dst: int, off: int, src: int, size: int) -> Instruction:
    """*(dst + off) = src after all earlier memory accesses (6.15)."""
    return _atomic(BPF_STORE_REL, dst, off, src, size)


def _atomic(op: int, dst: int, off: int, src: int, size: int) -> Instruction:
    return Instruction(BPF_STX | BPF_ATOMIC | SIZE_CODES[size], dst, src, off, op)
