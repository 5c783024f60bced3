"""Comparing text with text known when compiling, eight bytes at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from skep.compiler import ir
from skep.compiler.builder import Builder, signed32, signed64
from skep.compiler.ir import Address, Block, Imm, Slot
from skep.compiler.types import Array, Int, Pointer
from skep.compiler.values import Place, Register, Static, Value
from skep.errors import CompileError, Span

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

LONGEST = 256
"""Bytes of the longest text that may be compared behind a pointer."""

Text = Union[Place, Register]


def comparable(left: Value, right: Value) -> tuple[Text, bytes] | None:
    """The text in memory and the known text, if the two values are that."""
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Static) and isinstance(other.value, (str, bytes)):
            known = other.value
            if isinstance(known, str):
                known = known.encode("utf-8", "surrogateescape")
            if isinstance(value, Place) and _is_bytes(value.type):
                return value, known
            if isinstance(value, Register) and _is_char_pointer(value.type):
                return value, known
    return None


def _is_bytes(type_: object) -> bool:
    return isinstance(type_, Array) and type_.element.size == 1


def _is_char_pointer(type_: object) -> bool:
    return (
        isinstance(type_, Pointer)
        and isinstance(type_.target, Int)
        and type_.target.size == 1
    )


def branch_if_equal(
    walker: Walker, text: Text, known: bytes, span: Span, then: Block, orelse: Block
) -> None:
    """Go to `then` if the text up to its NUL is exactly `known`."""
    if b"\0" in known:
        raise CompileError("the text contains a NUL", span)
    builder = walker.builder
    wanted = known + b"\0"
    if isinstance(text, Place):
        assert isinstance(text.type, Array)
        if len(known) > text.type.count:
            builder.jump(orelse)
            return
        wanted = wanted[: text.type.count]  # a full array has no NUL
        base, offset = _at_hand(walker, text, len(wanted))
    else:
        base, offset = _read(walker, text, len(wanted), span), 0
    _branch_if_bytes(builder, base, offset, wanted, then, orelse)


def _branch_if_bytes(
    builder: Builder,
    base: ir.Base,
    offset: int,
    wanted: bytes,
    then: Block,
    orelse: Block,
) -> None:
    for start, width, number in _chunks(wanted):
        following = builder.new_block()
        chunk = builder.load(base, offset + start, width)
        if width == 8:
            operand: ir.Operand = Imm(signed64(number))
            if not -(1 << 31) <= signed64(number) < 1 << 31:
                operand = builder.constant(number)
        else:
            operand = Imm(signed32(number))
        builder.finish(ir.Branch("==", chunk, operand, width == 8, following, orelse))
        builder.start(following)
    builder.jump(then)


def branch_if_prefix(
    walker: Walker, text: Register, known: bytes, span: Span, then: Block, orelse: Block
) -> None:
    """Go to `then` if the bytes behind a pointer begin with `known`.

    Unless `known` has a NUL itself, nothing behind that of the text is read: the text
    may end where its page does.
    """
    assert isinstance(text.type, Pointer)
    builder = walker.builder
    if b"\0" in known:
        if len(known) > LONGEST:
            raise CompileError(f"the text has more than {LONGEST} bytes", span)
        slot = builder.slot(-(-len(known) // 8) * 8, "text to compare")
        space = text.type.space
        walker.access.read(Address(slot), text.register, 0, len(known), space)
    else:
        slot = _read(walker, text, len(known), span)
    _branch_if_bytes(builder, slot, 0, known, then, orelse)


def _at_hand(walker: Walker, text: Place, size: int) -> tuple[ir.Base, int]:
    """The text where single loads can reach it."""
    if text.space in ("memory", "stack"):
        return text.base, text.offset
    slot = walker.builder.slot(-(-size // 8) * 8, "text to compare")
    assert isinstance(text.type, Array)
    part = text._replace(type=text.type._replace(count=size))
    walker.access.copy(slot, 0, part)
    return slot, 0


def _read(walker: Walker, text: Register, size: int, span: Span) -> Slot:
    """Copy text from behind a pointer; one that cannot be read compares as empty."""
    if size > LONGEST:
        raise CompileError(f"the text has more than {LONGEST - 1} bytes", span)
    walker.require_nonnull(text, span)
    assert isinstance(text.type, Pointer)
    builder = walker.builder
    # One byte more than the text, so that longer text is seen to be longer.
    size += 1
    slot = builder.slot(-(-size // 8) * 8, "text to compare")
    walker.access.zero(slot, 0, slot.size)
    user = text.type.space == "user"
    helper = "probe_read_user_str" if user else "probe_read_kernel_str"
    read = builder.call(helper, Address(slot), Imm(size), text.register)
    builder.count_loss("failed read", "s<", read)
    return slot


def _chunks(wanted: bytes) -> list[tuple[int, int, int]]:
    """(start, width, number) of little-endian loads that cover the text."""
    chunks, start = [], 0
    while start < len(wanted):
        width = 8
        while width > len(wanted) - start:
            width //= 2
        number = int.from_bytes(wanted[start : start + width], "little")
        chunks.append((start, width, number))
        start += width
    return chunks
