"""`bpf` in the model."""

from __future__ import annotations

from typing import Any, Callable

from tests.differential import facts
from tests.differential.model import (
    BOOL,
    TYPES,
    U16,
    U32,
    U64,
    Number,
    Operand,
    Type,
    plain,
)
from tests.differential.model_memory import (
    KERNEL,
    TRUSTED,
    USER,
    Place,
    Pointer,
    Space,
)
from tests.differential.model_objects import Memory, log2
from tests.differential.model_streams import Region, Stack
from tests.differential.structures import KERNEL_STRUCTURES, TARGETS, CStruct


def _swap(type_: Type) -> Callable[[Operand], Number]:
    def swap(value: Operand) -> Number:
        raw = type_.wrap(plain(value)).to_bytes(type_.bits // 8, "little")
        return Number(int.from_bytes(raw, "big"), type_)

    return swap


def _cast(type_: Type) -> Callable[[Any], Number]:
    def cast(value: Any) -> Number:
        known = isinstance(value, (int, Number))
        return Number(plain(value) if known else value.address, type_)

    return cast


class Intrinsics:
    """All that programs may ask of `bpf`."""

    def __init__(self, memory: Space) -> None:
        self._memory = self.memory_of_all = memory
        for name, type_ in TYPES.items():
            setattr(self, name, _cast(type_))
        self.log2 = log2
        self.ntohs, self.ntohl, self.ntohll = map(_swap, (U16, U32, U64))
        self.address = _cast(U64)
        self.memory = lambda pointer, length: Region(pointer, U64.wrap(plain(length)))

    # The current task.

    def task(self) -> Pointer:
        address, target = facts.address_of("task"), KERNEL_STRUCTURES["task"]
        return Pointer(self._memory, address, target, TRUSTED)

    def comm(self) -> Place:
        found = self.task().comm
        assert isinstance(found, Place)
        return found

    def pid(self) -> Number:
        return Number(facts.current().pid, U32)

    def tid(self) -> Number:
        return Number(facts.current().tid, U32)

    def ppid(self) -> Number:
        return Number(facts.current().ppid, U32)

    def uid(self) -> Number:
        return Number(facts.current().uid, U32)

    def gid(self) -> Number:
        return Number(facts.current().gid, U32)

    def cgroup_id(self) -> Number:
        return Number(facts.current().cgroup_id, U64)

    def mntns(self) -> Number:
        return Number(facts.current().mntns, U32)

    def compat(self) -> Number:
        return Number(0, BOOL)

    def cpu(self) -> Number:
        """Programs only ask whether it is one of those that there may be."""
        return Number(0, U32)

    def ktime_ns(self) -> Number:
        """Programs only ask whether it is later than long ago."""
        return Number(1 << 40, U64)

    def kernel_stack(self) -> Stack:
        return Stack(user=False)

    def user_stack(self) -> Stack:
        return Stack(user=True)

    # Pointers.

    def cast(self, value: Any, name: str) -> Any:
        if name in TYPES:
            return _cast(TYPES[name])(value)
        target = TARGETS[name.rstrip("*").strip()]
        if isinstance(value, (int, Number)):
            return Pointer(self._memory, U64.wrap(plain(value)), target, KERNEL)
        space = USER if value.space == USER else KERNEL
        return Pointer(self._memory, value.address, target, space)

    def _in(self, pointer: Any, space: str) -> Pointer:
        return Pointer(self._memory, pointer.address, pointer.target, space)

    def user(self, pointer: Any) -> Pointer:
        return self._in(pointer, USER)

    def kernel(self, pointer: Any) -> Pointer:
        return self._in(pointer, KERNEL)

    def container_of(self, pointer: Any, name: str, member: str) -> Pointer:
        outer = TARGETS[name]
        assert isinstance(outer, CStruct)
        address = pointer.address - outer.fields[member].offset
        space = USER if pointer.space == USER else KERNEL
        return Pointer(self._memory, address, outer, space)

    def atomic_add(self, memory: Memory, field: str, number: Operand) -> None:
        setattr(memory, field, plain(getattr(memory, field)) + plain(number))

    # Known when compiling.

    def size_of(self, name: str) -> int:
        target = TARGETS[name]
        return target.bits // 8 if isinstance(target, Type) else target.size

    def has_type(self, name: str) -> Number:
        return Number(int(name in TARGETS), BOOL)

    def has_field(self, name: str, member: str) -> Number:
        target = TARGETS.get(name)
        has = isinstance(target, CStruct) and member in target.fields
        return Number(int(has), BOOL)

    def has_enumerator(self, name: str) -> Number:
        return Number(int(name in ENUMERATORS), BOOL)

    def enumerator(self, name: str) -> int:
        return ENUMERATORS[name]

    def syscall_number(self, name: str) -> Number:
        return Number(SYSCALLS[name], U32)


ENUMERATORS = {"PERF_TYPE_SOFTWARE": 1, "BPF_MAP_TYPE_RINGBUF": 27, "PIDTYPE_TGID": 1}
"""Some of the kernel's (perf_event.h, bpf.h, pid.h)."""

SYSCALLS = {"read": 0, "openat": 257, "execve": 59, "setns": 308}
"""Numbers of x86_64 (arch/x86/entry/syscalls/syscall_64.tbl)."""
