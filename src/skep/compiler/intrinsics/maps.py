"""Methods of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.environment import MapObject
from skep.compiler.intrinsics.registry import method
from skep.compiler.ir import Address, Imm
from skep.compiler.types import U64, Int, Layout, Pointer, Type
from skep.compiler.values import Place, Register, Static, Value
from skep.errors import CompileError, Span
from skep.spec import MapSpec

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

STORAGE_CREATE = 1
"""Flag of task_storage_get: make the value (BPF_LOCAL_STORAGE_GET_F_CREATE)."""

BPF_NOEXIST = 1
"""Flag of map_update_elem: only create (include/uapi/linux/bpf.h)."""


def positional(call: tree.Call, *names: str) -> list[tree.Expression]:
    """Exactly the named arguments of a method, by position."""
    if call.keywords or len(call.arguments) != len(names):
        raise CompileError(f"this method takes ({', '.join(names)})", call.span)
    return list(call.arguments)


def require_kind(owner: MapObject, kind: str, call: tree.Call) -> None:
    """Refuse a method that maps of another kind do not have."""
    if owner.spec.kind != kind:
        raise CompileError(
            f"'{owner.spec.name}' is a map of kind {owner.spec.kind}",
            call.span,
            hint=f'this method needs kind="{kind}"',
        )


def declared(walker: Walker, type_: str | Layout) -> Type:
    """The type of a map's key or value."""
    if isinstance(type_, Layout):
        return type_
    return walker.type_named(type_, None)


def in_memory(
    walker: Walker, expression: tree.Expression, type_: Type, what: str
) -> ir.Argument:
    """The address of a key or value for a helper, on the stack."""
    return _put(walker, walker.value(expression), type_, what, expression.span)


def _put(
    walker: Walker, value: Value, type_: Type, what: str, span: Span
) -> ir.Argument:
    if isinstance(value, Place) and value.space == "stack" and value.type == type_:
        return walker.access.address(value.base, value.offset)
    slot = walker.builder.shared_slot(type_.size, what)
    if type_.size % 8 and isinstance(type_, Layout):
        walker.access.zero(slot, 0, slot.size)
    walker.access.store(slot, 0, type_, value, span)
    return Address(slot)


@method(MapObject, "lookup")
def lookup(walker: Walker, owner: object, call: tree.Call) -> Value:
    """A pointer to the value of a key, or None."""
    assert isinstance(owner, MapObject)
    (key,) = positional(call, "key")
    address = in_memory(walker, key, declared(walker, owner.key), "key")
    map_ = walker.builder.map(owner.spec)
    found = walker.builder.call("map_lookup_elem", map_, address)
    value = declared(walker, owner.value)
    return Register(found, Pointer(value, "memory", True))


@method(MapObject, "update")
def update(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Set the value of a key; a map that is full is counted in the ledger."""
    assert isinstance(owner, MapObject)
    arguments = positional(call, "key", "value")
    # Both first: the value may come from a function that uses maps itself.
    key, value = (walker.value(argument) for argument in arguments)
    spans = [argument.span for argument in arguments]
    key_at = _put(walker, key, declared(walker, owner.key), "key", spans[0])
    value_at = _put(walker, value, declared(walker, owner.value), "value", spans[1])
    map_ = walker.builder.map(owner.spec)
    result = walker.builder.call("map_update_elem", map_, key_at, value_at, Imm(0))
    _count_failure(walker, result)
    return Static(None)


def _count_failure(walker: Walker, result: int) -> None:
    walker.builder.count_loss("map full", "!=", result)


@method(MapObject, "delete")
def delete(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Remove a key; nothing happens if it is not there."""
    assert isinstance(owner, MapObject)
    (key,) = positional(call, "key")
    address = in_memory(walker, key, declared(walker, owner.key), "key")
    walker.builder.call("map_delete_elem", walker.builder.map(owner.spec), address)
    return Static(None)


@method(MapObject, "increment")
def increment(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Add one to a key's number, which starts at zero."""
    assert isinstance(owner, MapObject)
    (key,) = positional(call, "key")
    value = declared(walker, owner.value)
    if not isinstance(value, Int) or value.size != 8:
        raise CompileError("increment() needs a map of 64-bit numbers", call.span)
    address = in_memory(walker, key, declared(walker, owner.key), "key")
    entry = find_or_create(walker, owner.spec, address)
    add(walker, entry, 0, Register(walker.builder.constant(1), U64))
    return Static(None)


@method(MapObject, "of_task")
def of_task(walker: Walker, owner: object, call: tree.Call) -> Value:
    """A task's own value in a map of kind "task_storage", zeros at first, or None.

    The task is the current one or a trusted argument.  Task storage came with 5.11.
    """
    assert isinstance(owner, MapObject)
    require_kind(owner, "task_storage", call)
    (expression,) = positional(call, "task")
    task = walker.value(expression)
    if (
        not isinstance(task, Register)
        or not isinstance(task.type, Pointer)
        or task.type.space != "trusted"
    ):
        raise CompileError("task storage needs a trusted task", expression.span)
    map_ = walker.builder.map(owner.spec)
    found = walker.builder.call(
        "task_storage_get", map_, task.register, Imm(0), Imm(STORAGE_CREATE)
    )
    return Register(found, Pointer(declared(walker, owner.value), "memory", True))


def find_or_create(walker: Walker, spec: MapSpec, key: ir.Argument) -> int:
    """The address of a key's value, created as zeros when the key is new.

    If that fails the loss is counted and the program ends.
    """
    b = walker.builder
    result = b.register()
    create, found = b.new_block(cold=True), b.new_block()
    map_ = b.map(spec)
    b.move(b.call("map_lookup_elem", map_, key), result)
    if spec.kind.endswith("array"):
        create.cold = True
        b.finish(ir.Branch("==", result, Imm(0), True, create, found))
        b.start(create)
        walker.leave()
        b.start(found)
        return result
    b.finish(ir.Branch("==", result, Imm(0), True, create, found))
    b.start(create)
    zeros = MapSpec(f"{spec.name}_zero", "array", 4, spec.value_size, 1)
    b.call("map_update_elem", map_, key, b.value_address(zeros), Imm(BPF_NOEXIST))
    b.move(b.call("map_lookup_elem", map_, key), result)
    full = b.new_block(cold=True)
    b.finish(ir.Branch("==", result, Imm(0), True, full, found))
    b.start(full)
    b.add_to_ledger("map full")
    walker.leave()
    b.start(found)
    return result


def add(walker: Walker, entry: int, offset: int, number: Register) -> None:
    """Add to a 64-bit counter in a map's value, atomically.

    Per-CPU values need it too: an interrupt may run the same program in between.
    """
    walker.builder.emit(ir.AtomicAdd(entry, offset, number.register, 8))
