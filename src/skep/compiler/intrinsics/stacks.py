"""Stack traces, as ids into a map of kind "stack_trace"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import tree
from skep.compiler.environment import MapObject
from skep.compiler.intrinsics.maps import require_kind
from skep.compiler.intrinsics.registry import method
from skep.compiler.ir import Imm
from skep.compiler.types import S32
from skep.compiler.values import Const, Register, Value
from skep.errors import CompileError

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

BPF_F_USER_STACK = 1 << 8
"""Flag of get_stackid: the user stack (include/uapi/linux/bpf.h)."""


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
    flags = BPF_F_USER_STACK if user.value else 0
    b = walker.builder
    found = b.call("get_stackid", walker.context, b.map(owner.spec), Imm(flags))
    return Register(b.move(found, wide=False), S32)
