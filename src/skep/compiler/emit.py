"""From the graph with machine registers to BPF instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable

import skep.asm as asm
from skep.asm import Instruction, opcodes
from skep.asm.opcodes import R0, R10
from skep.compiler import ir
from skep.compiler.builder import S32_HIGH, S32_LOW
from skep.compiler.ir import Address, Block, Imm, MapRef, Slot
from skep.errors import InternalError, Span
from skep.spec import PLACE

ALU_CODES = {
    "+": opcodes.BPF_ADD,
    "-": opcodes.BPF_SUB,
    "*": opcodes.BPF_MUL,
    "//": opcodes.BPF_DIV,
    "%": opcodes.BPF_MOD,
    "&": opcodes.BPF_AND,
    "|": opcodes.BPF_OR,
    "^": opcodes.BPF_XOR,
    "<<": opcodes.BPF_LSH,
    ">>": opcodes.BPF_RSH,
    "s>>": opcodes.BPF_ARSH,
}

JUMP_CODES = {
    "==": opcodes.BPF_JEQ,
    "!=": opcodes.BPF_JNE,
    "<": opcodes.BPF_JLT,
    "<=": opcodes.BPF_JLE,
    ">": opcodes.BPF_JGT,
    ">=": opcodes.BPF_JGE,
    "s<": opcodes.BPF_JSLT,
    "s<=": opcodes.BPF_JSLE,
    "s>": opcodes.BPF_JSGT,
    "s>=": opcodes.BPF_JSGE,
    "&": opcodes.BPF_JSET,
}

OPPOSITE = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "s<": "s>=",
    "s>=": "s<",
    "s>": "s<=",
    "s<=": "s>",
}


class Emitter:
    """Turns blocks in their order into instructions; jumps are patched at the end."""

    def __init__(self, colours: Mapping[int, int]) -> None:
        self.colours = colours
        self.code: list[Instruction] = []
        self.slots = 0
        self.starts: dict[int, int] = {}
        self.pending: list[tuple[Instruction, int, Block]] = []
        self.span: Span | None = None

    def add(self, instruction: Instruction) -> None:
        """Append an instruction with the current span."""
        instruction.span = self.span
        self.code.append(instruction)
        self.slots += instruction.slots

    def blocks(self, blocks: Sequence[Block]) -> list[Instruction]:
        """The instructions of all blocks."""
        followers: list[Block | None] = [*blocks[1:], None]
        for block, follower in zip(blocks, followers):
            self.starts[id(block)] = self.slots
            for instruction in block.instructions:
                self.span = instruction.span
                if isinstance(instruction, ir.Terminator):
                    self._terminate(instruction, follower)
                else:
                    _EMITTERS[type(instruction)](self, instruction)
        for jump, after, target in self.pending:
            jump.off = self.starts[id(target)] - after
        return self.code

    def reg(self, register: int) -> int:
        """The register that a virtual one was given."""
        return self.colours[register]

    def _terminate(self, last: ir.Terminator, follower: Block | None) -> None:
        if isinstance(last, ir.Exit):
            self._move(R0, last.value, True)
            self.add(asm.exit_())
        elif isinstance(last, ir.Jump):
            self._jump(last.target, follower)
        elif isinstance(last, ir.Branch):
            self._branch(last, follower)

    def _jump(self, target: Block, follower: Block | None) -> None:
        if target is not follower:
            self._to(asm.jump(0), target)

    def _to(self, instruction: Instruction, target: Block) -> None:
        self.add(instruction)
        self.pending.append((instruction, self.slots, target))

    def _branch(self, last: ir.Branch, follower: Block | None) -> None:
        operator, then, orelse = last.operator, last.then, last.orelse
        if then is follower and operator in OPPOSITE:
            operator, then, orelse = OPPOSITE[operator], orelse, then
        code, left = JUMP_CODES[operator], self.reg(last.left)
        if isinstance(last.right, Imm):
            with_imm = asm.jump_if_imm if last.wide else asm.jump32_if_imm
            self._to(with_imm(code, left, last.right.value, 0), then)
        else:
            with_register = asm.jump_if if last.wide else asm.jump32_if
            self._to(with_register(code, left, self.reg(last.right), 0), then)
        self._jump(orelse, follower)

    def move(self, i: ir.Move) -> None:
        """A copy, or nothing where both have the same register."""
        self._move(self.reg(i.dst), i.src, i.wide)

    def _move(self, dst: int, src: ir.Operand, wide: bool) -> None:
        if not isinstance(src, Imm):
            source = self.reg(src)
            if not wide:
                self.add(asm.mov32(dst, source))
            elif source != dst:
                self.add(asm.mov(dst, source))
        elif S32_LOW <= src.value <= S32_HIGH:
            self.add((asm.mov_imm if wide else asm.mov32_imm)(dst, src.value))
        elif 0 < src.value < 1 << 32:
            self.add(asm.mov32_imm(dst, src.value - (1 << 32)))
        else:
            self.add(asm.load_imm64(dst, src.value))

    def alu(self, i: ir.Alu) -> None:
        """Two-address arithmetic."""
        code, dst = ALU_CODES[i.operator], self.reg(i.dst)
        if isinstance(i.src, Imm):
            with_imm = asm.alu_imm if i.wide else asm.alu32_imm
            self.add(with_imm(code, dst, i.src.value))
        else:
            with_register = asm.alu if i.wide else asm.alu32
            self.add(with_register(code, dst, self.reg(i.src)))

    def unary(self, i: ir.Unary) -> None:
        """A negation or a change of byte order."""
        dst = self.reg(i.dst)
        if i.operator == "-":
            self.add(asm.neg(dst) if i.wide else asm.neg32(dst))
        else:
            self.add(asm.to_be(dst, int(i.operator[2:])))

    def load(self, i: ir.Load) -> None:
        """A load from memory or the stack."""
        base, offset = self._base(i.base, i.offset)
        self.add(asm.load(self.reg(i.dst), base, offset, i.size))

    def store(self, i: ir.Store) -> None:
        """A store to memory or the stack."""
        base, offset = self._base(i.base, i.offset)
        if isinstance(i.src, Imm):
            self.add(asm.store_imm(base, offset, i.src.value, i.size))
        else:
            self.add(asm.store(base, offset, self.reg(i.src), i.size))

    def _base(self, base: ir.Base, offset: int) -> tuple[int, int]:
        if isinstance(base, Slot):
            return R10, base.offset + offset
        return self.reg(base), offset

    def atomic_add(self, i: ir.AtomicAdd) -> None:
        """An atomic addition that fetches nothing."""
        base, src = self.reg(i.base), self.reg(i.src)
        self.add(asm.atomic(opcodes.BPF_ADD, base, i.offset, src, i.size))

    def context(self, i: ir.Context) -> None:
        """The context, which a program gets in r1."""
        if self.reg(i.dst) != 1:
            self.add(asm.mov(self.reg(i.dst), 1))

    def lea(self, i: ir.Lea) -> None:
        """The address of a stack slot or of a map."""
        self._address(self.reg(i.dst), i.src)

    def _address(self, dst: int, src: Address | MapRef) -> None:
        if isinstance(src, MapRef):
            self.add(asm.load_map(dst, src.name))
        else:
            self.add(asm.mov(dst, R10))
            self.add(asm.alu_imm(opcodes.BPF_ADD, dst, src.slot.offset + src.offset))

    def lea_value(self, i: ir.LeaValue) -> None:
        """The address of the value of an array map with one element."""
        self.add(asm.load_map_value(self.reg(i.dst), i.map, 0))

    def place_number(self, i: ir.PlaceNumber) -> None:
        """A number that is put in when the program is loaded."""
        self.add(asm.load_number(self.reg(i.dst), PLACE))

    def unknown_zero(self, i: ir.UnknownZero) -> None:
        """The frame pointer minus itself: the verifier takes the difference of two
        pointers for any number (adjust_reg_min_max_vals, kernel/bpf/verifier.c)."""
        self.add(asm.mov(self.reg(i.dst), R10))
        self.add(asm.alu(opcodes.BPF_SUB, self.reg(i.dst), R10))

    def nop(self, i: ir.Nop) -> None:
        """A jump to what follows (opt_remove_nops, kernel/bpf/verifier.c)."""
        self.add(asm.jump(0))

    def call(self, i: ir.CallHelper) -> None:
        """A call of a helper, its arguments moved to r1 to r5."""
        moves, rest = {}, []
        for number, argument in enumerate(i.arguments, 1):
            if isinstance(argument, int):
                moves[number] = self.reg(argument)
            else:
                rest.append((number, argument))
        self._parallel_moves(moves)
        for number, argument in rest:
            if isinstance(argument, Imm):
                self._move(number, argument, True)
            else:
                self._address(number, argument)
        self.add(asm.call_kfunc(i.btf_id) if i.btf_id else asm.call(i.helper))
        if i.dst is not None and self.reg(i.dst) != R0:
            self.add(asm.mov(self.reg(i.dst), R0))

    def _parallel_moves(self, moves: dict[int, int]) -> None:
        """Fill the argument registers, none before its old value has been read.

        A cycle is broken through r0, which the call overwrites anyway; an argument that
        is in r0 cannot be part of a cycle.
        """
        moves = {dst: src for dst, src in moves.items() if dst != src}
        while moves:
            ready = [dst for dst in moves if dst not in moves.values()]
            if ready:
                dst = ready[0]
                self.add(asm.mov(dst, moves.pop(dst)))
                continue
            dst, src = next(iter(moves.items()))
            self.add(asm.mov(R0, src))
            moves[dst] = R0


_EMITTERS: dict[type[ir.Instruction], Callable[..., None]] = {
    ir.Move: Emitter.move,
    ir.Alu: Emitter.alu,
    ir.Unary: Emitter.unary,
    ir.Load: Emitter.load,
    ir.Store: Emitter.store,
    ir.AtomicAdd: Emitter.atomic_add,
    ir.Context: Emitter.context,
    ir.Lea: Emitter.lea,
    ir.LeaValue: Emitter.lea_value,
    ir.PlaceNumber: Emitter.place_number,
    ir.UnknownZero: Emitter.unknown_zero,
    ir.Nop: Emitter.nop,
    ir.CallHelper: Emitter.call,
}


def check_complete(blocks: Sequence[Block]) -> None:
    """Every block ends in its only terminator; a mistake here is the compiler's."""
    for block in blocks:
        if not block.instructions:
            raise InternalError("an empty block")
        *body, last = block.instructions
        if not isinstance(last, ir.Terminator):
            raise InternalError(f"a block ends in {last}")
        if any(isinstance(i, ir.Terminator) for i in body):
            raise InternalError(f"a terminator in the middle of a block: {body}")
