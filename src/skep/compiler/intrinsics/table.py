"""The method of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.calls import construct, filled
from skep.compiler.environment import TableObject
from skep.compiler.intrinsics.maps import add, find_or_create
from skep.compiler.intrinsics.registry import method
from skep.compiler.intrinsics.stacks import StackTrace, keyed_stack
from skep.compiler.ir import Address, Imm, Slot
from skep.compiler.types import U64
from skep.compiler.values import Register, Static, Value
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


@method(TableObject, "add")
def add_row(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Add to the sums of a key; key and values are given by name."""
    assert isinstance(owner, TableObject)
    if call.arguments:
        raise CompileError("add() takes fields by name", call.arguments[0].span)
    given = [(name, e) for name, e in call.keywords if name not in owner.hidden]
    values = {name: e for name, e in given if name in owner.value.members}
    keys = [(name, e) for name, e in given if name not in values]
    epoch = walker.builder.load(walker.builder.value_address(owner.epoch), 0, 4)

    def fill(name: str) -> Value | None:
        value = filled(walker, owner.fills.get(name), call)
        if isinstance(value, Static) and isinstance(value.value, StackTrace):
            return keyed_stack(walker, value.value, owner.stacks, epoch, call)
        return value

    fields = tree.Call(call.function, [], keys, call.span)
    place = construct(walker, owner.key, fields, fill)
    assert isinstance(place.base, Slot)
    addends = {name: _addend(walker, e) for name, e in values.items()}
    entry = _entry(walker, owner, Address(place.base, place.offset), epoch)
    for name, member in owner.value.members.items():
        if name not in addends:
            raise CompileError(f"add() needs {name}", call.span)
        add(walker, entry, member.bit_offset // 8, addends[name])
    return Static(None)


def _addend(walker: Walker, expression: tree.Expression) -> Register:
    number = expect_number(walker.value(expression), expression.span)
    return Register(walker.arithmetic.copy(convert(walker.builder, number, U64)), U64)


def _entry(walker: Walker, owner: TableObject, key: Address, epoch: int) -> int:
    """The key's sums in the map of the epoch.

    The verifier wants one map per look-up, so there is one for each.
    """
    b = walker.builder
    entry = b.register()
    first, second, done = b.new_block(), b.new_block(), b.new_block()
    b.finish(ir.Branch("==", epoch, Imm(0), False, first, second))
    for block, spec in zip((first, second), owner.maps):
        b.start(block)
        b.move(find_or_create(walker, spec, key), entry)
        b.jump(done)
    b.start(done)
    return entry
