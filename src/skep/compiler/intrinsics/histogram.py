"""The method of histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.calls import construct, filled
from skep.compiler.environment import HistogramObject
from skep.compiler.intrinsics.maps import add, find_or_create
from skep.compiler.intrinsics.numbers import log2
from skep.compiler.intrinsics.registry import method
from skep.compiler.ir import Address, Imm, Slot
from skep.compiler.types import U64
from skep.compiler.values import Const, Register, Static, Value
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


@method(HistogramObject, "record")
def record(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Count a value, under the key given by keyword if the histogram has one."""
    assert isinstance(owner, HistogramObject)
    if len(call.arguments) != 1:
        raise CompileError("record() takes the value to count", call.span)
    b = walker.builder
    argument = call.arguments[0]
    number = expect_number(walker.value(argument), argument.span)
    wide = convert(b, number, U64)
    value = Register(b.move(b.operand(wide, True)), U64)
    entry = find_or_create(walker, owner.map, _key(walker, owner, call))
    slot = log2(walker, number)
    assert isinstance(slot, (Register, Const))
    index = b.pinned(b.operand(slot, True))
    # The verifier does not see what log2 is at most.
    b.alu("&", index, Imm(owner.slots - 1))
    b.alu("<<", index, Imm(3))
    counter = b.move(entry)
    b.alu("+", counter, index)
    add(walker, counter, 0, Register(b.constant(1), U64))
    if owner.total:
        add(walker, entry, 8 * owner.slots, value)
    return Static(None)


def _key(walker: Walker, owner: HistogramObject, call: tree.Call) -> ir.Argument:
    """The key on the stack: the record's fields, or the number 0 of an array."""
    keywords = [(name, e) for name, e in call.keywords if name not in owner.hidden]
    if owner.key is None:
        if keywords:
            raise CompileError("this histogram has no key", call.span)
        zero = walker.builder.shared_slot(4, "key")
        walker.builder.store(zero, 0, Imm(0), 4)
        return Address(zero)
    fields = tree.Call(call.function, [], keywords, call.span)
    place = construct(
        walker,
        owner.key,
        fields,
        lambda name: filled(walker, owner.fills.get(name), call),
    )
    assert isinstance(place.base, Slot)
    return Address(place.base, place.offset)
