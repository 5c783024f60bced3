"""Instructions as text, in the notation of the kernel's verifier and of bpftool.

Where those print a loaded map's address or id, this prints the map's name.

Source: kernel/bpf/disasm.c (notation), tools/bpf/bpftool/xlated_dumper.c (maps).
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.asm import opcodes as op
from skep.asm.encoding import slot_numbers
from skep.asm.helpers import HELPERS
from skep.asm.instruction import Instruction

_HELPER_NAMES = {number: name for name, number in HELPERS.items()}

_ALU = {
    op.BPF_ADD: "+=",
    op.BPF_SUB: "-=",
    op.BPF_MUL: "*=",
    op.BPF_DIV: "/=",
    op.BPF_OR: "|=",
    op.BPF_AND: "&=",
    op.BPF_LSH: "<<=",
    op.BPF_RSH: ">>=",
    op.BPF_MOD: "%=",
    op.BPF_XOR: "^=",
    op.BPF_MOV: "=",
    op.BPF_ARSH: "s>>=",
}
_COMPARISON = {
    op.BPF_JEQ: "==",
    op.BPF_JGT: ">",
    op.BPF_JLT: "<",
    op.BPF_JGE: ">=",
    op.BPF_JLE: "<=",
    op.BPF_JSET: "&",
    op.BPF_JNE: "!=",
    op.BPF_JSGT: "s>",
    op.BPF_JSLT: "s<",
    op.BPF_JSGE: "s>=",
    op.BPF_JSLE: "s<=",
}
_UNSIGNED = {op.BPF_B: "u8", op.BPF_H: "u16", op.BPF_W: "u32", op.BPF_DW: "u64"}
_SIGNED = {op.BPF_B: "s8", op.BPF_H: "s16", op.BPF_W: "s32"}
_ATOMIC = {
    op.BPF_ADD: "add",
    op.BPF_AND: "and",
    op.BPF_OR: "or",
    op.BPF_XOR: "xor",
}


def disassemble(instructions: Sequence[Instruction]) -> str:
    """One line per instruction: its slot, its opcode in hexadecimal, its text.

    An instruction that does not exist is shown as "BUG", as the kernel does.
    """
    return "\n".join(
        f"{slot}: ({insn.opcode:02x}) {notation(insn)}"
        for slot, insn in zip(slot_numbers(instructions), instructions)
    )


def notation(insn: Instruction) -> str:
    """The text of one instruction, without slot and opcode."""
    return _CLASSES[insn.opcode & 7](insn) or f"BUG_{insn.opcode:02x}"


def _alu(insn: Instruction) -> str:
    wide = insn.opcode & 7 == op.BPF_ALU64
    prefix = "r" if wide else "w"
    dst = f"{prefix}{insn.dst}"
    operation = insn.opcode & 0xF0
    if operation == op.BPF_END:
        return _byte_order(insn, wide)
    if operation == op.BPF_NEG:
        return f"{dst} = -{dst}"
    if operation not in _ALU:
        return ""
    operator = _ALU[operation]
    if operation in (op.BPF_DIV, op.BPF_MOD) and insn.off == 1:
        operator = "s" + operator
    if not insn.opcode & op.BPF_X:
        return f"{dst} {operator} {insn.imm}"
    # MOV keeps the width of a sign extension in its offset.
    extended = operation == op.BPF_MOV and insn.off in (8, 16, 32)
    cast = f"(s{insn.off})" if extended else ""
    return f"{dst} {operator} {cast}{prefix}{insn.src}"


def _byte_order(insn: Instruction, wide: bool) -> str:
    order = "be" if insn.opcode & op.BPF_TO_BE else "le"
    name = "bswap" if wide else order
    return f"r{insn.dst} = {name}{insn.imm} r{insn.dst}"


def _jmp(insn: Instruction) -> str:
    prefix = "r" if insn.opcode & 7 == op.BPF_JMP else "w"
    operation = insn.opcode & 0xF0
    if operation == op.BPF_CALL:
        return _call(insn)
    if operation not in _COMPARISON:
        return _unconditional(insn)
    if insn.opcode & op.BPF_X:
        right = f"{prefix}{insn.src}"
    else:
        right = f"0x{insn.imm & 0xFFFFFFFF:x}"
    condition = f"{prefix}{insn.dst} {_COMPARISON[operation]} {right}"
    return f"if {condition} goto pc{insn.off:+d}"


def _unconditional(insn: Instruction) -> str:
    if insn.opcode == op.BPF_JMP | op.BPF_JA:
        return f"goto pc{insn.off:+d}"
    if insn.opcode == op.BPF_JMP32 | op.BPF_JA:
        return f"gotol pc{insn.imm:+d}"
    if insn.opcode == op.BPF_JMP | op.BPF_JCOND and insn.src == op.BPF_MAY_GOTO:
        return f"may_goto pc{insn.off:+d}"
    if insn.opcode == op.BPF_JMP | op.BPF_EXIT:
        return "exit"
    return ""


def _call(insn: Instruction) -> str:
    if insn.src == op.BPF_PSEUDO_CALL:
        return f"call pc{insn.imm:+d}"
    name = "unknown"
    if insn.src == op.BPF_PSEUDO_KFUNC_CALL:
        name = "kernel-function"
    elif insn.src == 0 and insn.imm in _HELPER_NAMES:
        name = f"bpf_{_HELPER_NAMES[insn.imm]}"
    return f"call {name}#{insn.imm}"


def _ld(insn: Instruction) -> str:
    mode = insn.opcode & 0xE0
    ctype = _UNSIGNED[insn.opcode & 0x18]
    if insn.opcode == op.LD_IMM64:
        return f"r{insn.dst} = {_imm64(insn)}"
    if mode == op.BPF_ABS:  # the packet loads of classic BPF
        return f"r0 = *({ctype} *)skb[{insn.imm}]"
    if mode == op.BPF_IND:
        return f"r0 = *({ctype} *)skb[r{insn.src} + {insn.imm}]"
    return ""


def _imm64(insn: Instruction) -> str:
    low, high = insn.imm & 0xFFFFFFFF, insn.imm >> 32
    if insn.src == op.BPF_PSEUDO_MAP_FD:
        return f"map[{insn.ref or f'fd:{low}'}]"
    if insn.src == op.BPF_PSEUDO_MAP_VALUE:
        return f"map[{insn.ref or f'fd:{low}'}][0]+{high}"
    if insn.src == op.BPF_PSEUDO_FUNC:
        return f"subprog[{(low ^ 0x80000000) - 0x80000000:+d}]"
    return f"0x{insn.imm:x}"


def _ldx(insn: Instruction) -> str:
    mode, size = insn.opcode & 0xE0, insn.opcode & 0x18
    types = {op.BPF_MEM: _UNSIGNED, op.BPF_MEMSX: _SIGNED}.get(mode, {})
    if size not in types:
        return ""
    return f"r{insn.dst} = *({types[size]} *)(r{insn.src} {insn.off:+d})"


def _st(insn: Instruction) -> str:
    if insn.opcode & 0xE0 != op.BPF_MEM:
        return ""
    return f"*{_place(insn, insn.dst)} = {insn.imm}"


def _stx(insn: Instruction) -> str:
    mode = insn.opcode & 0xE0
    if mode == op.BPF_MEM:
        return f"*{_place(insn, insn.dst)} = r{insn.src}"
    return _atomic(insn) if mode == op.BPF_ATOMIC else ""


def _atomic(insn: Instruction) -> str:
    src = f"r{insn.src}"
    place = _place(insn, insn.dst)
    width = "64" if insn.opcode & 0x18 == op.BPF_DW else ""
    if insn.imm in _ATOMIC:
        return f"lock *{place} {_ALU[insn.imm]} {src}"
    if insn.imm & ~op.BPF_FETCH in _ATOMIC:
        name = _ATOMIC[insn.imm & ~op.BPF_FETCH]
        return f"{src} = atomic{width}_fetch_{name}({place}, {src})"
    if insn.imm == op.BPF_XCHG:
        return f"{src} = atomic{width}_xchg({place}, {src})"
    if insn.imm == op.BPF_CMPXCHG:
        return f"r0 = atomic{width}_cmpxchg({place}, r0, {src})"
    if insn.imm == op.BPF_LOAD_ACQ:
        return f"r{insn.dst} = load_acquire({_place(insn, insn.src)})"
    if insn.imm == op.BPF_STORE_REL:
        return f"store_release({place}, {src})"
    return ""


def _place(insn: Instruction, base: int) -> str:
    return f"({_UNSIGNED[insn.opcode & 0x18]} *)(r{base} {insn.off:+d})"


_CLASSES = {
    op.BPF_LD: _ld,
    op.BPF_LDX: _ldx,
    op.BPF_ST: _st,
    op.BPF_STX: _stx,
    op.BPF_ALU: _alu,
    op.BPF_ALU64: _alu,
    op.BPF_JMP: _jmp,
    op.BPF_JMP32: _jmp,
}
