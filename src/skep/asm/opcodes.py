"""Numbers of the BPF instruction set, under the names of the kernel's headers.

An opcode is one byte: the low three bits are the class.  Arithmetic and jump classes
keep the operation in the high four bits and BPF_K (immediate operand) or BPF_X
(register operand) in bit 3; load and store classes keep the mode in the high three
bits and the size in bits 3 and 4.

Source: RFC 9669 and include/uapi/linux/bpf.h, bpf_common.h.
"""

from __future__ import annotations

# Registers: r0 is the result, r1 to r5 arguments and scratch, r6 to r9 survive calls,
# r10 is the read-only frame pointer.
R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = range(11)

# Classes
BPF_LD = 0x00
BPF_LDX = 0x01
BPF_ST = 0x02
BPF_STX = 0x03
BPF_ALU = 0x04
BPF_JMP = 0x05
BPF_JMP32 = 0x06
BPF_ALU64 = 0x07

# Operand of arithmetic and jumps
BPF_K = 0x00
BPF_X = 0x08

# Arithmetic
BPF_ADD = 0x00
BPF_SUB = 0x10
BPF_MUL = 0x20
BPF_DIV = 0x30
BPF_OR = 0x40
BPF_AND = 0x50
BPF_LSH = 0x60
BPF_RSH = 0x70
BPF_NEG = 0x80
BPF_MOD = 0x90
BPF_XOR = 0xA0
BPF_MOV = 0xB0
BPF_ARSH = 0xC0
BPF_END = 0xD0

# Byte order, in the place of BPF_K and BPF_X
BPF_TO_LE = 0x00
BPF_TO_BE = 0x08

# Jumps
BPF_JA = 0x00
BPF_JEQ = 0x10
BPF_JGT = 0x20
BPF_JGE = 0x30
BPF_JSET = 0x40
BPF_JNE = 0x50
BPF_JSGT = 0x60
BPF_JSGE = 0x70
BPF_CALL = 0x80
BPF_EXIT = 0x90
BPF_JLT = 0xA0
BPF_JLE = 0xB0
BPF_JSLT = 0xC0
BPF_JSLE = 0xD0
BPF_JCOND = 0xE0

BPF_MAY_GOTO = 0
"""`src` of a BPF_JCOND instruction: leave the loop when its budget is used up (6.9)."""

# Sizes of loads and stores
BPF_W = 0x00
BPF_H = 0x08
BPF_B = 0x10
BPF_DW = 0x18

SIZE_CODES = {1: BPF_B, 2: BPF_H, 4: BPF_W, 8: BPF_DW}
"""Width in bytes to the size bits of a load or store."""

# Modes of loads and stores
BPF_IMM = 0x00
BPF_ABS = 0x20
BPF_IND = 0x40
BPF_MEM = 0x60
BPF_MEMSX = 0x80
BPF_ATOMIC = 0xC0

# Atomic operations (`imm` of BPF_STX | BPF_ATOMIC), besides BPF_ADD, OR, AND and XOR
BPF_FETCH = 0x01
BPF_XCHG = 0xE0 | BPF_FETCH
BPF_CMPXCHG = 0xF0 | BPF_FETCH
BPF_LOAD_ACQ = 0x100
BPF_STORE_REL = 0x110

# `src` of a 64-bit load immediate: what its value means
BPF_PSEUDO_MAP_FD = 1
BPF_PSEUDO_MAP_VALUE = 2
BPF_PSEUDO_BTF_ID = 3
BPF_PSEUDO_FUNC = 4
BPF_PSEUDO_MAP_IDX = 5
BPF_PSEUDO_MAP_IDX_VALUE = 6

# `src` of a call: 0 is a helper
BPF_PSEUDO_CALL = 1
BPF_PSEUDO_KFUNC_CALL = 2

LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW
"""The only instruction that takes two 8-byte slots."""
