"""One BPF instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.asm.opcodes import LD_IMM64

if TYPE_CHECKING:
    from skep.errors import Span


class Instruction:
    """One BPF instruction, the 64-bit load immediate included.

    `off` and `imm` are signed, 16 and 32 bits wide.  A load immediate is one
    Instruction although it fills two slots; its `imm` is the whole unsigned 64-bit
    value (for map values and module BTF: the first slot's in the low half, the
    second's in the high half).  Offsets of jumps count slots from the next instruction.

    `ref` names the map whose file descriptor replaces the low half of `imm` when the
    program is loaded, or what a number is for that is known only then.  `span` is the
    source the instruction came from; it takes no part in equality.  Instructions are
    mutable so that the compiler can patch jumps.
    """

    __slots__ = ("dst", "imm", "off", "opcode", "ref", "span", "src")

    def __init__(
        self,
        opcode: int,
        dst: int = 0,
        src: int = 0,
        off: int = 0,
        imm: int = 0,
        ref: str | None = None,
        span: Span | None = None,
    ) -> None:
        self.opcode = opcode
        self.dst = dst
        self.src = src
        self.off = off
        self.imm = imm
        self.ref = ref
        self.span = span

    @property
    def slots(self) -> int:
        """How many 8-byte slots it takes: 2 for a 64-bit load immediate, else 1."""
        return 2 if self.opcode == LD_IMM64 else 1

    def _key(self) -> tuple[int, int, int, int, int, str | None]:
        return self.opcode, self.dst, self.src, self.off, self.imm, self.ref

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instruction):
            return NotImplemented
        return self._key() == other._key()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        ref = f", ref={self.ref!r}" if self.ref else ""
        return (
            f"Instruction({self.opcode:#04x}, dst={self.dst}, src={self.src}, "
            f"off={self.off}, imm={self.imm:#x}{ref})"
        )
