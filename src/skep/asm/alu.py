"""Builders of arithmetic instructions.

Functions named ...32 compute with the low halves of the registers and clear the high
half of the destination.  Immediates are signed 32-bit numbers; 64-bit operations extend
their sign.  `op` is BPF_ADD, BPF_SUB, ... of `skep.asm.opcodes`.

As the machine has it, division by zero gives 0 and modulo by zero leaves the dividend;
shift counts are taken modulo the width.
"""

from __future__ import annotations

from skep.asm.instruction import Instruction
from skep.asm.opcodes import (
    BPF_ALU,
    BPF_ALU64,
    BPF_END,
    BPF_K,
    BPF_MOV,
    BPF_NEG,
    BPF_TO_BE,
    BPF_TO_LE,
    BPF_X,
)


def alu(op: int, dst: int, src: int, signed: bool = False) -> Instruction:
    """dst op= src.  `signed` makes BPF_DIV and BPF_MOD signed, truncating (6.6)."""
    return Instruction(BPF_ALU64 | BPF_X | op, dst, src, int(signed))


def alu_imm(op: int, dst: int, imm: int, signed: bool = False) -> Instruction:
    """dst op= imm.  `signed` makes BPF_DIV and BPF_MOD signed, truncating (6.6)."""
    return Instruction(BPF_ALU64 | BPF_K | op, dst, 0, int(signed), imm)


def alu32(op: int, dst: int, src: int, signed: bool = False) -> Instruction:
    """dst op= src in 32 bits; `signed` as for `alu`."""
    return Instruction(BPF_ALU | BPF_X | op, dst, src, int(signed))


def alu32_imm(op: int, dst: int, imm: int, signed: bool = False) -> Instruction:
    """dst op= imm in 32 bits; `signed` as for `alu_imm`."""
    return Instruction(BPF_ALU | BPF_K | op, dst, 0, int(signed), imm)


def mov(dst: int, src: int) -> Instruction:
    """dst = src"""
    return Instruction(BPF_ALU64 | BPF_X | BPF_MOV, dst, src)


def mov_imm(dst: int, imm: int) -> Instruction:
    """dst = imm, sign-extended"""
    return Instruction(BPF_ALU64 | BPF_K | BPF_MOV, dst, 0, 0, imm)


def mov32(dst: int, src: int) -> Instruction:
    """dst = the low half of src, zero-extended"""
    return Instruction(BPF_ALU | BPF_X | BPF_MOV, dst, src)


def mov32_imm(dst: int, imm: int) -> Instruction:
    """dst = imm as a 32-bit number, zero-extended"""
    return Instruction(BPF_ALU | BPF_K | BPF_MOV, dst, 0, 0, imm)


def movsx(dst: int, src: int, bits: int) -> Instruction:
    """dst = the low `bits` (8, 16, 32) of src, sign-extended to 64 bits (6.6)."""
    return Instruction(BPF_ALU64 | BPF_X | BPF_MOV, dst, src, bits)


def movsx32(dst: int, src: int, bits: int) -> Instruction:
    """dst = the low `bits` (8, 16) of src, sign-extended to 32 bits (6.6)."""
    return Instruction(BPF_ALU | BPF_X | BPF_MOV, dst, src, bits)


def neg(dst: int) -> Instruction:
    """dst = -dst"""
    return Instruction(BPF_ALU64 | BPF_NEG, dst)


def neg32(dst: int) -> Instruction:
    """dst = -dst in 32 bits"""
    return Instruction(BPF_ALU | BPF_NEG, dst)


def to_le(dst: int, bits: int) -> Instruction:
    """dst = its low `bits` (16, 32, 64) in little-endian order, zero-extended"""
    return Instruction(BPF_ALU | BPF_END | BPF_TO_LE, dst, 0, 0, bits)


def to_be(dst: int, bits: int) -> Instruction:
    """dst = its low `bits` (16, 32, 64) in big-endian order, zero-extended"""
    return Instruction(BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, bits)


def bswap(dst: int, bits: int) -> Instruction:
    """dst = its low `bits` (16, 32, 64) with bytes reversed, zero-extended (6.6)."""
    return Instruction(BPF_ALU64 | BPF_END, dst, 0, 0, bits)
