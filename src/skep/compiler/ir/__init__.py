"""The intermediate form: BPF over virtual registers, in a control-flow graph.

It is not SSA.  A variable is one virtual register however often it is assigned, so
a check and the use it protects share a register, which is what the verifier wants.
Arithmetic is two-address, as BPF's is.  Operands are virtual registers (ints) or `Imm`.
"""

from skep.compiler.ir.graph import Block, Branch, Exit, Graph, Jump, Terminator
from skep.compiler.ir.instructions import (
    Address,
    Alu,
    Argument,
    AtomicAdd,
    Base,
    CallHelper,
    Context,
    Imm,
    Instruction,
    Lea,
    LeaValue,
    Load,
    MapRef,
    Move,
    Nop,
    Operand,
    PlaceNumber,
    Slot,
    Store,
    Unary,
    UnknownZero,
)

__all__ = [
    "Address",
    "Alu",
    "Argument",
    "AtomicAdd",
    "Base",
    "Block",
    "Branch",
    "CallHelper",
    "Context",
    "Exit",
    "Graph",
    "Imm",
    "Instruction",
    "Jump",
    "Lea",
    "LeaValue",
    "Load",
    "MapRef",
    "Move",
    "Nop",
    "Operand",
    "PlaceNumber",
    "Slot",
    "Store",
    "Terminator",
    "Unary",
    "UnknownZero",
]
