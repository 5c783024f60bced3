"""A small BPF machine: runs instructions as the kernel would, but checks everything.

It exists to disagree: with the kernel's own execution, and with what the compiler
meant.  Speed does not matter.  Semantics: RFC 9669.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Callable

from skep.asm import Instruction, slot_numbers
from skep.asm import opcodes as op
from skep.asm.disasm import notation
from skep.asm.helpers import HELPERS
from skep.spec import MapSpec
from tests.differential.helpers import DEFAULT_HELPERS, Helper
from tests.differential.maps import FakeMap, create_map
from tests.differential.memory import Fault, Memory

STACK_SIZE = 512
MASK64 = (1 << 64) - 1
_SIZES = {code: size for size, code in op.SIZE_CODES.items()}
_HELPER_NAMES = {number: name for name, number in HELPERS.items()}


def signed(value: int, bits: int) -> int:
    """The low `bits` of `value` as a two's complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def divide(left: int, right: int, bits: int, is_signed: bool) -> int:
    """left / right, truncating towards zero; 0 when `right` is 0."""
    if right == 0:
        return 0
    if is_signed:
        left, right = signed(left, bits), signed(right, bits)
    quotient = abs(left) // abs(right)
    return -quotient if (left < 0) != (right < 0) else quotient


def modulo(left: int, right: int, bits: int, is_signed: bool) -> int:
    """The rest of `divide`, with the sign of `left`; `left` when `right` is 0."""
    if right == 0:
        return left
    if is_signed:
        left, right = signed(left, bits), signed(right, bits)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def swap_bytes(value: int, bits: int) -> int:
    """The low `bits` of `value` with its bytes reversed."""
    size = bits // 8
    value &= (1 << bits) - 1
    return int.from_bytes(value.to_bytes(size, "little"), "big")


ARITHMETIC: dict[int, Callable[[int, int, int], int]] = {
    op.BPF_ADD: lambda left, right, bits: left + right,
    op.BPF_SUB: lambda left, right, bits: left - right,
    op.BPF_MUL: lambda left, right, bits: left * right,
    op.BPF_OR: lambda left, right, bits: left | right,
    op.BPF_AND: lambda left, right, bits: left & right,
    op.BPF_XOR: lambda left, right, bits: left ^ right,
    op.BPF_LSH: lambda left, right, bits: left << (right & (bits - 1)),
    op.BPF_RSH: lambda left, right, bits: left >> (right & (bits - 1)),
    op.BPF_ARSH: lambda left, right, bits: signed(left, bits) >> (right & (bits - 1)),
}
UNSIGNED_COMPARISON: dict[int, Callable[[int, int], bool]] = {
    op.BPF_JEQ: operator.eq,
    op.BPF_JNE: operator.ne,
    op.BPF_JGT: operator.gt,
    op.BPF_JGE: operator.ge,
    op.BPF_JLT: operator.lt,
    op.BPF_JLE: operator.le,
    op.BPF_JSET: lambda left, right: left & right != 0,
}
SIGNED_COMPARISON: dict[int, Callable[[int, int], bool]] = {
    op.BPF_JSGT: operator.gt,
    op.BPF_JSGE: operator.ge,
    op.BPF_JSLT: operator.lt,
    op.BPF_JSLE: operator.le,
}


class Machine:
    """Maps and memory that outlive a run, and the registers of the current run.

    `helpers` adds to or replaces the helper functions by name; each takes the machine,
    asks for its arguments by `argument`, and returns r0.  `maps` holds what programs
    left behind; `comm` is what the current task is called.
    """

    def __init__(
        self,
        maps: Sequence[MapSpec] = (),
        helpers: Mapping[str, Helper] = {},
        step_limit: int = 1_000_000,
    ) -> None:
        self.memory = Memory()
        self.comm = b"interpreter"
        self.maps: dict[str, FakeMap] = {}
        self.map_at: dict[int, FakeMap] = {}
        self.helpers = {**DEFAULT_HELPERS, **helpers}
        self.step_limit = step_limit
        self.registers: list[int | None] = []
        for spec in maps:
            self.maps[spec.name] = create_map(spec, self.memory)
            handle = self.memory.map(f"map {spec.name}", bytearray())
            self.map_at[handle] = self.maps[spec.name]
        self._handles = {m.spec.name: address for address, m in self.map_at.items()}

    def run(self, program: Sequence[Instruction], context: bytes = b"") -> int:
        """Run to the exit and return r0; Fault for anything out of order."""
        by_slot = dict(zip(slot_numbers(program), program))
        # What the program must not count on: stack memory is not zero.
        stack = self.memory.map("stack", bytearray(b"\xa5" * STACK_SIZE))
        self.registers = [None] * 11
        self.registers[1] = self.memory.map("context", bytearray(context), False)
        self.registers[10] = stack + STACK_SIZE
        slot = 0
        for _ in range(self.step_limit):
            insn = by_slot.get(slot)
            if insn is None:
                raise Fault(f"jump to slot {slot}, where no instruction starts")
            if insn.opcode == op.BPF_JMP | op.BPF_EXIT:
                return self._get(0)
            try:
                slot += insn.slots + self._step(insn)
            except Fault as fault:
                raise Fault(f"slot {slot}: {notation(insn)}: {fault}") from None
        raise Fault(f"no exit after {self.step_limit} instructions")

    def argument(self, number: int) -> int:
        """The argument 1 to 5 of the helper that is being called."""
        return self._get(number)

    def _get(self, register: int) -> int:
        value = self.registers[register]
        if value is None:
            raise Fault(f"r{register} was never set")
        return value

    def _set(self, register: int, value: int) -> None:
        if register == 10:
            raise Fault("r10 is read-only")
        self.registers[register] = value & MASK64

    def _step(self, insn: Instruction) -> int:
        """Execute one instruction and return how many slots to jump."""
        kind = insn.opcode & 7
        if kind in (op.BPF_JMP, op.BPF_JMP32):
            return self._jump(insn, 64 if kind == op.BPF_JMP else 32)
        if kind in (op.BPF_ALU, op.BPF_ALU64):
            self._alu(insn, 64 if kind == op.BPF_ALU64 else 32)
        elif insn.opcode == op.LD_IMM64:
            self._set(insn.dst, self._imm64(insn))
        else:
            self._access(insn, _SIZES[insn.opcode & 0x18])
        return 0

    def _operand(self, insn: Instruction, bits: int) -> int:
        value = self._get(insn.src) if insn.opcode & op.BPF_X else insn.imm
        return value & ((1 << bits) - 1)

    def _alu(self, insn: Instruction, bits: int) -> None:
        operation = insn.opcode & 0xF0
        mask = (1 << bits) - 1
        if operation == op.BPF_MOV:
            value = self._operand(insn, bits)
            result = signed(value, insn.off) if insn.off else value
        elif operation == op.BPF_END:
            # The machine is little-endian: "to little" only cuts.
            swap = bits == 64 or insn.opcode & op.BPF_TO_BE
            cut = self._get(insn.dst) & ((1 << insn.imm) - 1)
            self._set(insn.dst, swap_bytes(cut, insn.imm) if swap else cut)
            return
        elif operation == op.BPF_NEG:
            result = -self._get(insn.dst)
        else:
            left = self._get(insn.dst) & mask
            right = self._operand(insn, bits)
            if operation == op.BPF_DIV:
                result = divide(left, right, bits, insn.off == 1)
            elif operation == op.BPF_MOD:
                result = modulo(left, right, bits, insn.off == 1)
            else:
                result = ARITHMETIC[operation](left, right, bits)
        self._set(insn.dst, result & mask)

    def _jump(self, insn: Instruction, bits: int) -> int:
        operation = insn.opcode & 0xF0
        if operation == op.BPF_JA:
            return insn.off if bits == 64 else insn.imm
        if operation == op.BPF_JCOND:
            return 0  # the loop budget is larger than the step limit
        if operation == op.BPF_CALL:
            self._call(insn)
            return 0
        left = self._get(insn.dst) & ((1 << bits) - 1)
        right = self._operand(insn, bits)
        if operation in SIGNED_COMPARISON:
            compare = SIGNED_COMPARISON[operation]
            left, right = signed(left, bits), signed(right, bits)
        else:
            compare = UNSIGNED_COMPARISON[operation]
        return insn.off if compare(left, right) else 0

    def _call(self, insn: Instruction) -> None:
        name = _HELPER_NAMES.get(insn.imm) if insn.src == 0 else None
        if name is None or name not in self.helpers:
            raise Fault("the interpreter has no such function")
        result = self.helpers[name](self)
        self.registers[1:6] = [None] * 5
        self._set(0, result)

    def _imm64(self, insn: Instruction) -> int:
        if insn.ref is None:
            return insn.imm
        if insn.src == op.BPF_PSEUDO_MAP_FD:
            return self._handles[insn.ref]
        return self.maps[insn.ref].value_address(bytes(4)) + (insn.imm >> 32)

    def _access(self, insn: Instruction, size: int) -> None:
        """Loads and stores."""
        kind, mode = insn.opcode & 7, insn.opcode & 0xE0
        base = insn.src if kind == op.BPF_LDX else insn.dst
        if mode == op.BPF_ATOMIC:
            self._atomic(insn, size)
            return
        address = (self._get(base) + insn.off) & MASK64
        if kind == op.BPF_LDX:
            value = self.memory.load(address, size)
            if mode == op.BPF_MEMSX:
                value = signed(value, 8 * size)
            self._set(insn.dst, value)
        else:
            value = insn.imm if kind == op.BPF_ST else self._get(insn.src)
            self.memory.store(address, value, size)

    def _atomic(self, insn: Instruction, size: int) -> None:
        if insn.imm == op.BPF_LOAD_ACQ:
            address = (self._get(insn.src) + insn.off) & MASK64
            self._set(insn.dst, self.memory.load(address, size))
            return
        address = (self._get(insn.dst) + insn.off) & MASK64
        source = self._get(insn.src)
        if insn.imm == op.BPF_STORE_REL:
            self.memory.store(address, source, size)
            return
        old = self.memory.load(address, size)
        if insn.imm == op.BPF_CMPXCHG:
            if old == self._get(0) & ((1 << 8 * size) - 1):
                self.memory.store(address, source, size)
            self._set(0, old)
            return
        if insn.imm == op.BPF_XCHG:
            new = source
        else:
            new = ARITHMETIC[insn.imm & ~op.BPF_FETCH](old, source, 8 * size)
        self.memory.store(address, new, size)
        if insn.imm & op.BPF_FETCH:
            self._set(insn.src, old)
