"""Appending instructions to the block under construction."""

from __future__ import annotations

from skep.compiler import ir
from skep.compiler.ir import Block, Graph, Imm, Slot
from skep.compiler.values import Const, Register
from skep.errors import Span
from skep.spec import LEDGER, LEDGER_CAUSES, MapSpec

S32_LOW, S32_HIGH = -(1 << 31), (1 << 31) - 1

_BRANCH_EFFORT = 64
"""What a branch costs the verifier in instructions: it may walk a million of these
(BPF_COMPLEXITY_LIMIT_INSNS), but have only 8192 branches whose other side is still to
be walked (BPF_COMPLEXITY_LIMIT_JMP_SEQ, kernel/bpf/verifier.c)."""


class Builder:
    """Builds the graph of one program, block after block.

    `block` is None after a terminator: what follows is unreachable until another block
    is started.  `leave_to` is where leaving the handler leads, if not out of the
    program.  `effort` grows by what the verifier has to walk, `rounds` is how often it
    walks the current place because of the loops around.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self.block: Block | None = self.graph.entry
        self.graph.entry.reached = True
        self.span: Span | None = None
        self.depth = 0
        self.effort = 0
        self.rounds = 1
        self.maps: dict[str, MapSpec] = {}
        self._slots: dict[tuple[int, str], Slot] = {}
        self.leave_to: Block | None = None
        self._exit: Block | None = None

    def emit(self, instruction: ir.Instruction) -> None:
        """Append to the current block; unreachable code is dropped."""
        if self.block is not None:
            instruction.span = self.span
            self.block.instructions.append(instruction)
            self.effort += 1

    def new_block(self, cold: bool = False) -> Block:
        """A block at the current loop depth, not started yet."""
        return Block(self.depth, cold)

    def start(self, block: Block) -> bool:
        """Continue in `block`; False when nothing jumps there."""
        assert self.block is None, "the previous block has no terminator"
        self.block = block if block.reached else None
        return block.reached

    def finish(self, terminator: ir.Terminator) -> None:
        """End the current block."""
        if self.block is not None:
            for target in terminator.targets():
                target.reached = True
            if isinstance(terminator, ir.Branch):
                self.effort += _BRANCH_EFFORT
            self.emit(terminator)
            self.block = None

    def jump(self, target: Block) -> None:
        """End the current block with a jump."""
        self.finish(ir.Jump(target))

    def exit(self) -> None:
        """End the current block by leaving the program with 0, or the handler."""
        if self.leave_to is not None:
            self.jump(self.leave_to)
            return
        if self._exit is None:
            self._exit = Block()
            leave = ir.Exit(Imm(0))
            leave.span = None
            self._exit.instructions.append(leave)
        self.jump(self._exit)

    def register(self) -> int:
        """A new virtual register."""
        return self.graph.new_register()

    def move(self, src: ir.Operand, dst: int | None = None, wide: bool = True) -> int:
        """Copy to a register, a new one by default."""
        result = self.register() if dst is None else dst
        self.emit(ir.Move(result, src, wide))
        return result

    def pinned(self, src: ir.Operand) -> int:
        """A copy of what is tested and then used, see `Graph`."""
        result = self.move(src)
        self.graph.pinned.add(result)
        return result

    def constant(self, value: int) -> int:
        """A new register with a 64-bit constant."""
        return self.move(Imm(signed64(value)))

    def operand(self, value: Const | Register, wide: bool) -> ir.Operand:
        """An operand of arithmetic: an immediate where the instruction can hold it."""
        if isinstance(value, Register):
            return value.register
        number = value.value
        if not wide:
            return Imm(signed32(number))
        number = signed64(number)
        if S32_LOW <= number <= S32_HIGH:
            return Imm(number)
        return self.constant(number)

    def alu(self, operator: str, dst: int, src: ir.Operand, wide: bool = True) -> None:
        """`dst = dst operator src`, without the operations that change nothing."""
        changes = not wide or src != Imm(0) or operator not in "+-|^"
        if changes:
            self.emit(ir.Alu(operator, dst, src, wide))

    def load(self, base: ir.Base, offset: int, size: int) -> int:
        """Load zero-extended into a new register."""
        dst = self.register()
        self.emit(ir.Load(dst, base, offset, size))
        return dst

    def store(self, base: ir.Base, offset: int, src: ir.Operand, size: int) -> None:
        """Store the low `size` bytes."""
        self.emit(ir.Store(base, offset, src, size))

    def map(self, spec: MapSpec) -> ir.MapRef:
        """A reference to a map, which the program is now known to use."""
        self.maps[spec.name] = spec
        return ir.MapRef(spec.name)

    def value_address(self, spec: MapSpec) -> int:
        """The address of the only element of an array map."""
        dst = self.register()
        self.emit(ir.LeaValue(dst, self.map(spec).name))
        return dst

    def lea(self, src: ir.Address | ir.MapRef) -> int:
        """The address of a stack byte or of a map."""
        dst = self.register()
        self.emit(ir.Lea(dst, src))
        return dst

    def call(
        self, helper: str, *arguments: ir.Argument, droppable: bool = False
    ) -> int:
        """Call a helper; its result in a new register."""
        dst = self.register()
        self.emit(ir.CallHelper(dst, helper, list(arguments), droppable))
        return dst

    def call_kfunc(self, name: str, btf_id: int, *arguments: ir.Argument) -> int:
        """Call a function of the kernel that programs may call (a kfunc)."""
        dst = self.register()
        self.emit(ir.CallHelper(dst, name, list(arguments), True, btf_id))
        return dst

    def slot(self, size: int, what: str, align: int = 8) -> Slot:
        """A new area on the stack."""
        return Slot(size, align, what)

    def shared_slot(self, size: int, what: str) -> Slot:
        """An area for values that do not outlive the next instructions.

        All users of the same size and purpose share it.
        """
        size = -(-size // 8) * 8
        return self._slots.setdefault((size, what), Slot(size, 8, what))

    def count_loss(
        self, cause: str, operator: str, result: int, value: int = 0
    ) -> None:
        """Count a loss if `result operator value`; go on in any case.

        The ledger is the only element of an array map, so that its address is a
        constant and no look-up is needed.
        """
        cold, after = self.new_block(cold=True), self.new_block()
        self.finish(ir.Branch(operator, result, Imm(value), True, cold, after))
        self.start(cold)
        self.add_to_ledger(cause)
        self.jump(after)
        self.start(after)

    def add_to_ledger(self, cause: str) -> None:
        """Add one to a cause of loss."""
        offset = 8 * LEDGER_CAUSES.index(cause)
        counters = self.value_address(LEDGER)
        self.emit(ir.AtomicAdd(counters, offset, self.constant(1), 8))


def signed64(value: int) -> int:
    """The number with the same 64 bits in two's complement."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def signed32(value: int) -> int:
    """The number with the same low 32 bits in two's complement."""
    value &= (1 << 32) - 1
    return value - (1 << 32) if value >> 31 else value
