"""Reading and writing memory: along pointers, members, elements and bit fields.

How memory is read follows from where it lies (`types.Pointer`): a direct load where the
verifier trusts the pointer, else probe_read_kernel or probe_read_user.  A read that
fails yields zero and is counted in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.compiler import ir
from skep.compiler.arithmetic import Number, convert, sign_loaded
from skep.compiler.builder import Builder, signed32
from skep.compiler.ir import Address, Imm, Slot
from skep.compiler.types import (
    Array,
    Int,
    Layout,
    Member,
    Pointer,
    Struct,
    Type,
    Void,
    align_of,
)
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError, Span, near_matches

DIRECT = frozenset(("trusted", "memory", "stack", "context"))
WRITABLE = frozenset(("memory", "stack"))

_INDEX_EFFORT = 1024
"""What a variable index costs the verifier in a loop (see Builder.effort): 5.10 took
half a million instructions for 120 rounds with three of them, 6.18 a tenth of that."""


def member_of(type_: Struct | Layout, name: str, span: Span) -> Member:
    """A member by name; the error lists the nearest ones."""
    member = type_.member(name)
    if member is None:
        names = type_.member_names()
        near = near_matches(name, names) or (names if len(names) <= 8 else [])
        raise CompileError(
            f"{type_} has no member '{name}'",
            span,
            hint=f"it has {', '.join(near)}" if near else "",
        )
    return member


class Access:
    """Loads and stores of typed memory."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def load(
        self, base: ir.Base, offset: int, type_: Type, space: str, span: Span
    ) -> Value:
        """The value of `type_` at `base + offset`; structures stay where they are."""
        if isinstance(type_, (Struct, Layout, Array)):
            return Place(base, offset, type_, space)
        if isinstance(type_, Void):
            raise CompileError("memory of unknown type cannot be read", span)
        register = self.load_bytes(base, offset, type_.size, space)
        if isinstance(type_, Int):
            return Register(sign_loaded(self.builder, register, type_), type_)
        return Register(register, self._loaded_pointer(type_, space))

    def _loaded_pointer(self, type_: Pointer, space: str) -> Pointer:
        """A pointer read from memory points into the kind of memory it was read from,
        unless its type says otherwise.

        The verifier knows where pointers to structures lead; others are numbers to it
        (btf_struct_walk, kernel/bpf/btf.c).
        """
        if type_.space:
            return type_
        is_known = space == "trusted" and isinstance(type_.target, Struct)
        inherited = space if is_known or space == "user" else "kernel"
        return Pointer(type_.target, inherited)

    def load_bytes(self, base: ir.Base, offset: int, size: int, space: str) -> int:
        """1, 2, 4 or 8 bytes of memory, zero-extended."""
        if space in DIRECT:
            return self.builder.load(base, offset, size)
        slot = self.builder.shared_slot(8, "value read")
        self.read(Address(slot), base, offset, size, space)
        return self.builder.load(slot, 0, size)

    def read(
        self, to: ir.Argument, base: ir.Base, offset: int, size: int, space: str
    ) -> None:
        """Copy kernel or user memory to the program's own, counting failures."""
        helper = "probe_read_user" if space == "user" else "probe_read_kernel"
        source = self.address(base, offset)
        result = self.builder.call(helper, to, Imm(size), source)
        self._count_failure(result)

    def _count_failure(self, result: int) -> None:
        self.builder.count_loss("failed read", "!=", result)

    def address(self, base: ir.Base, offset: int) -> ir.Argument:
        """`base + offset` as an argument."""
        if isinstance(base, Slot):
            return Address(base, offset)
        if not offset:
            return base
        address = self.builder.move(base)
        self.builder.alu("+", address, Imm(offset))
        return address

    def member(self, place: Place, name: str, span: Span) -> Value:
        """The value of a member of a structure in memory."""
        assert not isinstance(place.type, Array)
        member = member_of(place.type, name, span)
        if member.bits:
            return self._bit_field(place, member)
        offset = place.offset + member.bit_offset // 8
        return self.load(place.base, offset, member.type, place.space, span)

    def _bit_field(self, place: Place, member: Member) -> Value:
        """Load the smallest aligned unit that holds all bits, then shift and mask."""
        assert isinstance(member.type, Int)
        size, start = _unit(member)
        register = self.load_bytes(
            place.base, place.offset + start // 8, size, place.space
        )
        left = 64 - (member.bit_offset - start) - member.bits
        result = self.builder.move(register)
        self.builder.alu("<<", result, Imm(left))
        right = "s>>" if member.type.signed else ">>"
        self.builder.alu(right, result, Imm(64 - member.bits))
        if member.type.signed and member.type.size < 8:
            result = self.builder.move(result, wide=False)
        return Register(result, member.type)

    def element(self, place: Place, index: Number, span: Span) -> Value:
        """An element of an array; outside of it the value is zero."""
        assert isinstance(place.type, Array)
        element, count = place.type
        if isinstance(index, Const):
            if not 0 <= index.value < (count or 1 << 31):
                raise CompileError(
                    f"index {index.value} is outside of {place.type}", span
                )
            offset = place.offset + index.value * element.size
            return self.load(place.base, offset, element, place.space, span)
        if isinstance(element, (Struct, Layout, Array)):
            raise CompileError(
                "a variable index needs an array of numbers or pointers", span
            )
        return self._variable_element(place, index, element, count, span)

    def _variable_element(
        self, place: Place, index: Register, element: Type, count: int, span: Span
    ) -> Value:
        b = self.builder
        position = convert(b, index, Int(8, False))
        assert isinstance(position, Register)
        result = b.constant(0)
        # A test of a spilled copy would tell kernels before 5.16 nothing of the other.
        scaled = b.pinned(position.register)
        inside, done = b.new_block(), b.new_block()
        bound = Imm(count or 0x7FFFFFFF)
        b.finish(ir.Branch("<", scaled, bound, True, inside, done))
        b.start(inside)
        if element.size > 1:
            b.alu("*", scaled, Imm(element.size))
        base = self.address(place.base, place.offset)
        address = b.lea(base) if isinstance(base, Address) else b.move(_register(base))
        b.alu("+", address, scaled)
        # The verifier accepts no variable offset into what a trusted pointer points to,
        # or into the context.
        moved = place.space in ("trusted", "context")
        space = "kernel" if moved else place.space
        loaded = self.load(address, 0, element, space, span)
        assert isinstance(loaded, Register)
        b.move(loaded.register, result)
        b.effort += _INDEX_EFFORT
        b.jump(done)
        b.start(done)
        return Register(result, loaded.type)

    def store(
        self, base: ir.Base, offset: int, type_: Type, value: Value, span: Span
    ) -> None:
        """Write a value of `type_`; structures are copied."""
        if isinstance(type_, Array) and isinstance(value, Static):
            self._store_text(base, offset, type_, value, span)
            return
        if isinstance(type_, Array) and isinstance(value, Register):
            self._read_text(base, offset, type_, value, span)
            return
        if isinstance(type_, (Struct, Layout, Array)):
            if not isinstance(value, Place) or value.type.size != type_.size:
                raise CompileError(
                    f"{type_name(value)} does not fit into {type_}", span
                )
            self.copy(base, offset, value)
            return
        number = self.stored_number(type_, value, span)
        operand = self.builder.operand(number, type_.size == 8)
        self.builder.store(base, offset, operand, type_.size)

    def _store_text(
        self, base: ir.Base, offset: int, type_: Array, value: Static, span: Span
    ) -> None:
        """Text known when compiling, with zeros after it, at least one."""
        text = value.value
        if isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        if not isinstance(text, bytes) or type_.element.size != 1:
            raise CompileError(f"{type_name(value)} does not fit into {type_}", span)
        if len(text) >= type_.size:
            raise CompileError(
                f"the text has {len(text)} bytes, {type_} takes {type_.size - 1}", span
            )
        padded = text + bytes(type_.size - len(text))
        for start, width in _chunks(type_.size, offset, offset, 4):
            number = int.from_bytes(padded[start : start + width], "little")
            self.builder.store(base, offset + start, Imm(signed32(number)), width)

    def _read_text(
        self, base: ir.Base, offset: int, type_: Array, value: Register, span: Span
    ) -> None:
        """The string behind a pointer, with zeros after it.

        One byte more than a text may have tells that it was cut; a pointer that is not
        null and cannot be read is a loss, too.
        """
        if not isinstance(value.type, Pointer) or type_.element.size != 1:
            raise CompileError(f"{type_name(value)} does not fit into {type_}", span)
        b = self.builder
        # What lies behind the NUL is not looked at, except in keys of maps and by the
        # verifier, both of which concern the stack.
        self.zero(base, offset, type_.size if isinstance(base, Slot) else 1)
        present, done = b.new_block(), b.new_block()
        b.finish(ir.Branch("!=", value.register, Imm(0), True, present, done))
        b.start(present)
        user = value.type.space == "user"
        helper = "probe_read_user_str" if user else "probe_read_kernel_str"
        to = self.address(base, offset)
        length = b.call(helper, to, Imm(type_.size), value.register)
        b.count_loss("failed read", "s<", length)
        b.count_loss("truncated", "==", length, type_.size)
        b.jump(done)
        b.start(done)

    def stored_number(self, type_: Type, value: Value, span: Span) -> Number:
        """A scalar value as `type_` keeps it in memory."""
        pointer = isinstance(value, Register) and isinstance(value.type, Pointer)
        if pointer and type_.size == 8:
            assert isinstance(value, Register)
            return Register(value.register, Int(8, False))
        if isinstance(value, Const):
            return (
                convert(self.builder, value, type_) if isinstance(type_, Int) else value
            )
        if isinstance(value, Register) and not pointer and isinstance(type_, Int):
            if value.type.size >= type_.size and not type_.boolean:
                return value  # a store takes the low bytes
            return convert(self.builder, value, type_)
        raise CompileError(f"{type_name(value)} cannot be kept as {type_}", span)

    def copy(self, base: ir.Base, offset: int, source: Place) -> None:
        """Copy a structure or array into the program's own memory."""
        size = source.type.size
        if source.space not in DIRECT:
            to = self.address(base, offset)
            self.read(to, source.base, source.offset, size, source.space)
            return
        # A trusted pointer may be read only within the member that it names, so chunks
        # must not straddle members: bytes of one array are one member.
        widest = 8 if isinstance(source.type, Array) else align_of(source.type)
        for start, width in _chunks(size, offset, source.offset, widest):
            chunk = self.builder.load(source.base, source.offset + start, width)
            self.builder.store(base, offset + start, chunk, width)

    def zero(self, base: ir.Base, offset: int, size: int) -> None:
        """Clear memory."""
        for start, width in _chunks(size, offset, offset, 8):
            self.builder.store(base, offset + start, Imm(0), width)


def _register(operand: ir.Argument) -> int:
    assert isinstance(operand, int)
    return operand


def _unit(member: Member) -> tuple[int, int]:
    """Size in bytes and first bit of the unit to load for a bit field."""
    end = member.bit_offset + member.bits
    for size in (1, 2, 4, 8):
        start = member.bit_offset // (size * 8) * (size * 8)
        if end <= start + size * 8:
            return size, start
    raise AssertionError("a bit field lies within 8 bytes")


def _chunks(size: int, to: int, source: int, widest: int) -> Sequence[tuple[int, int]]:
    """(start, width) of the aligned loads and stores that cover `size` bytes."""
    chunks, start = [], 0
    while start < size:
        width = widest
        while width > size - start or (to + start) % width or (source + start) % width:
            width //= 2
        chunks.append((start, width))
        start += width
    return chunks
