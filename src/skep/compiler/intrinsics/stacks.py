"""Stack traces: copied into a record, or as ids into maps of kind "stack_trace"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.environment import MapObject, StackMaps
from skep.compiler.intrinsics.maps import require_kind
from skep.compiler.intrinsics.registry import INTRINSICS, Arguments, intrinsic, method
from skep.compiler.ir import Imm
from skep.compiler.types import S32, U64
from skep.compiler.values import Const, Register, Static, Value
from skep.errors import CompileError
from skep.named_tuple import NamedTuple
from skep.spec import SECOND_STACK_MAP, STACK_FRAMES, STACK_HEADER

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

BPF_F_USER_STACK = 1 << 8
"""Flag of get_stack and get_stackid: the user stack (include/uapi/linux/bpf.h)."""

EEXIST = 17
"""Another stack has the same hash (include/uapi/asm-generic/errno-base.h)."""


class StackTrace(NamedTuple):
    """The current stack, to be put where a record or a key has its place."""

    user: bool

    @property
    def flags(self) -> int:
        """For the helpers."""
        return BPF_F_USER_STACK if self.user else 0


@intrinsic("kernel_stack")
def kernel_stack(walker: Walker, arguments: Arguments) -> Value:
    """The current stack in the kernel, for a field of type KernelStack."""
    return Static(StackTrace(user=False))


@intrinsic("user_stack")
def user_stack(walker: Walker, arguments: Arguments) -> Value:
    """The current stack of the program, for a field of type UserStack."""
    return Static(StackTrace(user=True))


@method(MapObject, "stack_id")
def stack_id(walker: Walker, owner: object, call: tree.Call) -> Value:
    """The id of the current kernel stack, with `user=True` of the user stack: s32.

    Negative if there is none: -14 (EFAULT) no such stack, -17 (EEXIST) a collision,
    -12 (ENOMEM) the map is full.
    """
    assert isinstance(owner, MapObject)
    require_kind(owner, "stack_trace", call)
    given = dict(call.keywords)
    user = walker.value(given.pop("user")) if "user" in given else Const(0)
    if call.arguments or given or not isinstance(user, Const):
        raise CompileError("stack_id() takes user=True or user=False", call.span)
    b = walker.builder
    flags = StackTrace(bool(user.value)).flags
    found = b.call("get_stackid", walker.context, b.map(owner.spec), Imm(flags))
    return Register(b.move(found, wide=False), S32)


def copy_stack(
    walker: Walker, stack: StackTrace, base: ir.Base, at: int, call: tree.Call
) -> None:
    """Put the current stack into memory: see `skep.spec.STACK_FRAMES`."""
    b = walker.builder
    frames = walker.access.address(base, at + STACK_HEADER)
    size = b.call(
        "get_stack", walker.context, frames, Imm(8 * STACK_FRAMES), Imm(stack.flags)
    )
    b.store(base, at, size, 8)
    b.store(base, at + 8, _process(walker, stack, call), 8)


def keyed_stack(
    walker: Walker,
    stack: StackTrace,
    maps: Sequence[StackMaps],
    epoch: int,
    call: tree.Call,
) -> Register:
    """The current stack as a part of a key: its id, above it the process.

    A stack map keeps one stack for each value of a hash.  What it has no room for goes
    to a second one, and what is left over there is counted.
    """
    b = walker.builder
    id_ = b.register()
    first, second, done = b.new_block(), b.new_block(), b.new_block()
    b.finish(ir.Branch("==", epoch, Imm(0), False, first, second))
    for block, pair in zip((first, second), maps):
        b.start(block)
        _find_id(walker, stack, pair, id_)
        b.jump(done)
    b.start(done)
    key = b.move(id_, wide=False)
    process = _process(walker, stack, call)
    if isinstance(process, int):
        above = b.move(process)
        b.alu("<<", above, Imm(32))
        b.alu("|", key, above)
    return Register(key, U64)


def _find_id(walker: Walker, stack: StackTrace, maps: StackMaps, id_: int) -> None:
    """The current stack's id in the first or the second map."""
    b = walker.builder
    flags = Imm(stack.flags)
    again, mark, lost = (b.new_block(cold=True) for _ in range(3))
    found = b.new_block()
    b.move(b.call("get_stackid", walker.context, b.map(maps.first), flags), id_)
    b.finish(ir.Branch("==", id_, Imm(-EEXIST), True, again, found))
    b.start(again)
    b.move(b.call("get_stackid", walker.context, b.map(maps.second), flags), id_)
    b.finish(ir.Branch("s>=", id_, Imm(0), True, mark, lost))
    b.start(mark)
    b.alu("|", id_, Imm(SECOND_STACK_MAP))
    b.jump(found)
    b.start(lost)
    b.add_to_ledger("stack collision")
    b.jump(found)
    b.start(found)


def _process(walker: Walker, stack: StackTrace, call: tree.Call) -> ir.Operand:
    """The process whose addresses these are; the kernel's are those of none."""
    if not stack.user:
        return Imm(0)
    pid = INTRINSICS["pid"].lower(walker, Arguments({}, call))
    assert isinstance(pid, Register)
    return pid.register
