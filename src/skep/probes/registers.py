"""Registers as kprobes and user probes find them."""

from __future__ import annotations

from skep.arch.description import RegisterPart
from skep.errors import TargetError
from skep.probes.candidate import CtxField, Fetch, Frame, UserMemory
from skep.target import Target

_ADDRESS_BITS = 58  # x86_64 has 57 at most, arm64 52


class Registers:
    """The context of kprobes and user probes: struct pt_regs, loaded from directly."""

    def __init__(self, target: Target) -> None:
        self._btf = target.btf
        self._arch = target.arch
        struct_id = self._btf.find("struct", "pt_regs")
        if struct_id is None:
            raise TargetError("the kernel's BTF has no struct pt_regs")
        self._struct = struct_id

    def member(self, path: str) -> CtxField:
        """A whole register, by its path in struct pt_regs."""
        return self.part(RegisterPart(path, 0, 8))

    def part(self, part: RegisterPart, size: int = 8, signed: bool = False) -> CtxField:
        """At most `size` bytes of a part of a register."""
        place = self._btf.member(self._struct, part.path)
        if place is None:
            raise TargetError(f"the kernel's struct pt_regs has no {part.path}")
        offset = place.bit_offset // 8 + part.byte
        return CtxField(offset, min(size, part.size), signed)

    @property
    def instruction_pointer(self) -> CtxField:
        """Where the probe is, in the memory of the process."""
        return self.member(self._arch.instruction_pointer)

    def argument(self, index: int) -> Fetch:
        """An argument at the entry of a function, counted from 0."""
        in_registers = self._arch.function_args
        if index < len(in_registers):
            return self.member(in_registers[index])
        on_stack = 8 * (index - len(in_registers)) + self._arch.return_address_size
        return UserMemory(self.member(self._arch.stack_pointer), on_stack, 8)

    @property
    def returned(self) -> CtxField:
        """What a function returns."""
        return self.member(self._arch.return_value)

    def frame(self, at_return: bool, by_address: bool, number: int = 0) -> Frame:
        """What a call has to itself: the stack pointer of its caller, and the function.

        The return of x86_64 takes the return address from the stack.  The function is
        told by its address or by a `number` below 64, which user addresses leave room
        for.
        """
        pointer = self.member(self._arch.stack_pointer)
        moved = -self._arch.return_address_size if at_return else 0
        add = moved + (number << _ADDRESS_BITS)
        return Frame(pointer, add, by_address, abandoned=True)
