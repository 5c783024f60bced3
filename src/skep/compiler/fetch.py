"""Parameters of probes: from the context, the registers or what was saved at entry."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Callable

from skep.compiler import ir
from skep.compiler.arithmetic import convert, sign_loaded, truncate
from skep.compiler.ir import Address, Imm, Operand
from skep.compiler.types import U64, Array, Int, Layout, Pointer, Struct
from skep.compiler.values import Const, Place, Register, Value
from skep.errors import InternalError, Span
from skep.named_tuple import NamedTuple
from skep.probes.candidate import (
    Clock,
    Cookie,
    CtxAddress,
    CtxField,
    CtxWord,
    DataLoc,
    Elapsed,
    Frame,
    Number,
    Param,
    PlaceNumber,
    ProbedWord,
    RegsMember,
    RegsPair,
    Saved,
    SessionCell,
    UserAddress,
    UserMemory,
)

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class SavedRecord(NamedTuple):
    """What the entry program left: the address of its record, and its layout."""

    register: int
    layout: Layout


class Fetcher:
    """Lowers the fetches of one program.

    `trusted` tells that the verifier knows the types of the context's words (tp_btf).
    """

    def __init__(self, walker: Walker, trusted: bool, span: Span) -> None:
        self.walker = walker
        self.builder = walker.builder
        self.trusted = trusted
        self.span = span
        self.saved: SavedRecord | None = None

    def parameter(self, param: Param) -> Value:
        """The value of a parameter, converted to its type."""
        if isinstance(param.fetch, DataLoc):
            element = self.walker.type_named(param.type.partition("[")[0], self.span)
            return Register(self.data_loc(param.fetch), Pointer(element, "kernel"))
        type_ = self.walker.type_named(param.type, self.span)
        if isinstance(param.fetch, Number) and isinstance(type_, Int):
            return convert(self.builder, Const(param.fetch.value), type_)
        if isinstance(param.fetch, CtxField) and isinstance(type_, Array):
            return Place(self.walker.context, param.fetch.offset, type_, "context")
        if isinstance(param.fetch, RegsMember) and isinstance(type_, Int):
            size = min(param.fetch.size, type_.size)
            low = self.regs_member(param.fetch._replace(size=size))
            if size == type_.size:
                return Register(sign_loaded(self.builder, low, type_), type_)
            return convert(self.builder, Register(low, Int(size, False)), type_)
        if isinstance(param.fetch, CtxWord) and isinstance(type_, Int):
            return self._low_bytes(param.fetch, type_)
        raw = _FETCHES[type(param.fetch)](self, param.fetch)
        if isinstance(type_, Pointer):
            space = "user" if param.user else "trusted" if param.trusted else "kernel"
            pointer = Pointer(type_.target, space, param.nullable)
            if space == "trusted" and isinstance(param.fetch, CtxWord):
                self.walker.arguments.add(raw)
            return Register(raw, pointer)
        if not isinstance(type_, Int):
            raise InternalError(f"{param.name}: a parameter of type {type_}")
        return convert(self.builder, Register(raw, U64), type_)

    def _low_bytes(self, fetch: CtxWord, type_: Int) -> Register:
        """A number in the low bytes of a word of the context."""
        offset = 8 * fetch.word
        low = self.builder.load(self.walker.context, offset, type_.size)
        return Register(sign_loaded(self.builder, low, type_), type_)

    def number(self, fetch: CtxWord | RegsMember) -> int:
        """The number of the system call, as a u32."""
        if isinstance(fetch, RegsMember):
            return self.regs_member(fetch)
        return self.builder.move(self.ctx_word(fetch), wide=False)

    def ctx_word(self, fetch: CtxWord) -> int:
        """A word of the context, loaded once."""
        return self._at_hand(
            fetch, lambda: self.builder.load(self.walker.context, 8 * fetch.word, 8)
        )

    def probed_word(self, fetch: ProbedWord) -> int:
        """Through a copy, after which the verifier takes a word for any number."""

        def read() -> int:
            slot = self.builder.shared_slot(8, "value read")
            source = self.walker.access.address(self.walker.context, 8 * fetch.word)
            self.builder.call("probe_read_kernel", Address(slot), Imm(8), source)
            return self.builder.load(slot, 0, 8)

        return self._at_hand(fetch, read)

    def ctx_field(self, fetch: CtxField) -> int:
        """A field of a tracepoint's record, extended to 64 bits."""
        loaded = self.builder.load(self.walker.context, fetch.offset, fetch.size)
        if fetch.signed and fetch.size < 8:
            narrow = Int(fetch.size, True)
            if fetch.size < 4:
                loaded = truncate(self.builder, loaded, narrow)
            wide = convert(self.builder, Register(loaded, narrow), U64)
            assert isinstance(wide, Register)
            return wide.register
        return loaded

    def data_loc(self, fetch: DataLoc) -> int:
        """The address of dynamic data: context + offset."""
        where = self.builder.load(self.walker.context, fetch.offset, 4)
        self.builder.alu("&", where, Imm(0xFFFF), wide=False)
        if fetch.relative:
            self.builder.alu("+", where, Imm(fetch.offset + 4))
        address = self.builder.move(self.walker.context)
        self.builder.alu("+", address, where)
        return address

    def regs_member(self, fetch: RegsMember) -> int:
        """A saved register, read once."""

        def load() -> int:
            space = "trusted" if self.trusted else "kernel"
            word = CtxWord(0) if self.trusted else ProbedWord(0)
            regs = _FETCHES[type(word)](self, word)
            type_ = self.walker.type_named("struct pt_regs", self.span)
            assert isinstance(type_, Struct)
            offset = self._regs_offset(type_, fetch.path)
            return self.walker.access.load_bytes(regs, offset, fetch.size, space)

        return self._at_hand((fetch.path, fetch.size), load)

    def _regs_offset(self, regs: Struct, path: str) -> int:
        member = regs.member(path)
        if member is None:
            raise InternalError(f"struct pt_regs has no {path}")
        return member.bit_offset // 8

    def regs_pair(self, fetch: RegsPair) -> int:
        """A 64-bit argument of a 32-bit task, which takes two registers."""
        low = self.regs_member(RegsMember(fetch.low, 4))
        both = self.builder.move(self.regs_member(RegsMember(fetch.high, 4)))
        self.builder.alu("<<", both, Imm(32))
        self.builder.alu("|", both, low)
        return both

    def constant(self, fetch: Number) -> int:
        """A number that the probe's description has."""
        return self.builder.constant(fetch.value)

    def user_address(self, fetch: UserAddress) -> int:
        """An address in user memory."""
        address = self.ctx_field(fetch.base)
        self.builder.alu("+", address, self._immediate(fetch.offset))
        return address

    def user_memory(self, fetch: UserMemory) -> int:
        """What lies at an address in user memory."""
        b = self.builder
        address = b.constant(fetch.offset)
        if fetch.scaled is not None:
            scaled = self.ctx_field(fetch.scaled)
            b.alu("*", scaled, Imm(fetch.scale))
            b.alu("+", address, scaled)
        if fetch.base is not None:
            b.alu("+", address, self.ctx_field(fetch.base))
        return self.walker.access.load_bytes(address, 0, fetch.size, "user")

    def _immediate(self, number: int) -> Operand:
        return self.builder.operand(Const(number, U64), wide=True)

    def saved_value(self, fetch: Saved | Elapsed) -> int:
        """A value that the entry program saved."""
        assert self.saved is not None
        member = self.saved.layout.member(fetch.name)
        assert member is not None
        offset = member.bit_offset // 8
        return self.builder.load(self.saved.register, offset, 8)

    def clock(self, fetch: Clock) -> int:
        """The time now, for the entry program to save."""
        return self.builder.call("ktime_get_ns", droppable=True)

    def cookie(self, fetch: Cookie) -> int:
        """What the link of this place was made with."""

        def call() -> int:
            context = self.walker.context
            return self.builder.call("get_attach_cookie", context, droppable=True)

        return self._at_hand(fetch, call)

    def place_number(self, fetch: PlaceNumber) -> int:
        """What the copy of the program is loaded with for this place."""
        number = self.builder.register()
        self.builder.emit(ir.PlaceNumber(number))
        return number

    def elapsed(self, fetch: Elapsed) -> int:
        """Nanoseconds since the entry program ran."""
        now = self.builder.call("ktime_get_ns", droppable=True)
        self.builder.alu("-", now, self.saved_value(fetch))
        return now

    def frame(self, frame: Frame) -> int:
        """What tells this call from others of the same task."""
        if isinstance(frame.fetch, SessionCell):
            from skep.compiler.sessions import session_cell

            return session_cell(self.walker)
        if isinstance(frame.fetch, CtxAddress):
            number = self.builder.move(self.walker.context, wide=False)
        else:
            number = self.ctx_field(frame.fetch)
        self.builder.alu("+", number, self._immediate(frame.add))
        if frame.by_address:
            self._add_above(
                number, self.builder.call("get_func_ip", self.walker.context)
            )
        if frame.place is not None:
            place = _FETCHES[type(frame.place)](self, frame.place)
            self._add_above(number, self.builder.move(place))
        return number

    def _add_above(self, number: int, other: int) -> None:
        """Add the low half of `other`, which is used up, to the upper half."""
        self.builder.alu("<<", other, Imm(32))
        self.builder.alu("+", number, other)

    def _at_hand(self, key: Hashable, compute: Callable[[], int]) -> int:
        value = self.walker.at_hand(("fetch", key), lambda: Register(compute(), U64))
        assert isinstance(value, Register)
        return value.register


_FETCHES: dict[type, Callable[..., int]] = {
    CtxWord: Fetcher.ctx_word,
    ProbedWord: Fetcher.probed_word,
    CtxField: Fetcher.ctx_field,
    DataLoc: Fetcher.data_loc,
    RegsMember: Fetcher.regs_member,
    RegsPair: Fetcher.regs_pair,
    Number: Fetcher.constant,
    UserMemory: Fetcher.user_memory,
    UserAddress: Fetcher.user_address,
    Saved: Fetcher.saved_value,
    Clock: Fetcher.clock,
    Cookie: Fetcher.cookie,
    PlaceNumber: Fetcher.place_number,
    Elapsed: Fetcher.elapsed,
}
