"""The current task, CPU and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler.arithmetic import convert
from skep.compiler.intrinsics.memory import text_argument
from skep.compiler.intrinsics.registry import Arguments, intrinsic
from skep.compiler.ir import Address, Imm
from skep.compiler.types import BOOL, U8, U32, U64, Array, Int, Pointer, Struct
from skep.compiler.values import Const, Place, Register, Value
from skep.errors import CompileError
from skep.probes.syscall_table import lookup

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

TASK_COMM_LEN = 16
"""Bytes of a task's name, NUL included (include/linux/sched.h)."""


def current_task(walker: Walker) -> Register:
    """The current task_struct, trusted where the kernel has the helper (5.11)."""

    def call() -> Value:
        trusted = walker.target.has_helper("get_current_task_btf")
        helper = "get_current_task_btf" if trusted else "get_current_task"
        register = walker.builder.call(helper, droppable=True)
        space = "trusted" if trusted else "kernel"
        return Register(register, walker.pointer_type("struct task_struct", space))

    value = walker.at_hand("task", call)
    assert isinstance(value, Register)
    return value


def _task_member(walker: Walker, *path: str) -> Value:
    value: Value = current_task(walker)
    span = walker.current_frame.function.span
    for name in path:
        place = walker.place_of(value, span)
        assert place is not None
        value = walker.access.member(place, name, span)
    return value


def _has_trusted_task(walker: Walker) -> bool:
    return walker.target.has_helper("get_current_task_btf")


def _pid_tgid(walker: Walker) -> int:
    def call() -> Value:
        register = walker.builder.call("get_current_pid_tgid", droppable=True)
        return Register(register, U64)

    value = walker.at_hand("pid_tgid", call)
    assert isinstance(value, Register)
    return value.register


@intrinsic("task")
def task(walker: Walker, arguments: Arguments) -> Value:
    """The current task: a `struct task_struct *`."""
    return current_task(walker)


@intrinsic("pid")
def pid(walker: Walker, arguments: Arguments) -> Value:
    """The process id of the current task, which the kernel calls tgid: u32."""

    def compute() -> Value:
        if _has_trusted_task(walker):
            loaded = _task_member(walker, "tgid")
            assert isinstance(loaded, Register)
            return Register(loaded.register, U32)
        high = walker.builder.move(_pid_tgid(walker))
        walker.builder.alu(">>", high, Imm(32))
        return Register(high, U32)

    return walker.at_hand("pid", compute)


@intrinsic("tid")
def tid(walker: Walker, arguments: Arguments) -> Value:
    """The thread id of the current task, which the kernel calls pid: u32."""

    def compute() -> Value:
        if _has_trusted_task(walker):
            loaded = _task_member(walker, "pid")
            assert isinstance(loaded, Register)
            return Register(loaded.register, U32)
        return Register(walker.builder.move(_pid_tgid(walker), wide=False), U32)

    return walker.at_hand("tid", compute)


@intrinsic("ppid")
def ppid(walker: Walker, arguments: Arguments) -> Value:
    """The process id of the current task's parent: u32."""

    def compute() -> Value:
        loaded = _task_member(walker, "real_parent", "tgid")
        assert isinstance(loaded, Register)
        return Register(loaded.register, U32)

    return walker.at_hand("ppid", compute)


@intrinsic("compat")
def compat(walker: Walker, arguments: Arguments) -> Value:
    """Whether the current task is in a 32-bit system call."""
    abi = walker.target.arch.compat
    task = current_task(walker)
    assert isinstance(task.type, Pointer) and isinstance(task.type.target, Struct)
    member = task.type.target.member(abi.task_member)
    if member is None:
        return Const(0, BOOL)  # a kernel without 32-bit support

    def compute() -> Value:
        assert member is not None and isinstance(member.type, Int)
        offset, size = member.bit_offset // 8, member.type.size
        space = task.type.space if isinstance(task.type, Pointer) else "kernel"
        status = walker.access.load_bytes(task.register, offset, size, space)
        flags = Register(status, Int(size, False))
        masked = walker.arithmetic.binary(
            "&", flags, Const(abi.task_mask), arguments.call.span
        )
        return convert(walker.builder, masked, BOOL)

    return walker.at_hand("compat", compute)


@intrinsic("syscall_number", "name")
def syscall_number(walker: Walker, arguments: Arguments) -> Value:
    """The number of a system call in the native ABI; known when compiling."""
    name = text_argument(arguments, "name")
    call = lookup(walker.target.arch.name, name)
    if call is None:
        arch = walker.target.arch.name
        raise CompileError(f"{arch} has no system call '{name}'", arguments.call.span)
    return Const(call.number, U32)


@intrinsic("uid")
def uid(walker: Walker, arguments: Arguments) -> Value:
    """The real user id of the current task in the initial user namespace: u32."""

    def compute() -> Value:
        both = walker.builder.call("get_current_uid_gid", droppable=True)
        return Register(walker.builder.move(both, wide=False), U32)

    return walker.at_hand("uid", compute)


@intrinsic("gid")
def gid(walker: Walker, arguments: Arguments) -> Value:
    """The real group id of the current task in the initial user namespace: u32."""

    def compute() -> Value:
        both = walker.builder.call("get_current_uid_gid", droppable=True)
        walker.builder.alu(">>", both, Imm(32))
        return Register(both, U32)

    return walker.at_hand("gid", compute)


@intrinsic("comm")
def comm(walker: Walker, arguments: Arguments) -> Value:
    """The name of the current thread: char[16]."""
    text = Array(U8, TASK_COMM_LEN)
    if _has_trusted_task(walker):
        task = current_task(walker)
        assert isinstance(task.type, Pointer) and isinstance(task.type.target, Struct)
        member = task.type.target.member("comm")
        assert member is not None
        return Place(task.register, member.bit_offset // 8, text, "trusted")
    slot = walker.builder.shared_slot(TASK_COMM_LEN, "comm")
    walker.builder.call("get_current_comm", Address(slot), Imm(TASK_COMM_LEN))
    return Place(slot, 0, text, "stack")


@intrinsic("cpu")
def cpu(walker: Walker, arguments: Arguments) -> Value:
    """The number of the CPU the program runs on: u32."""
    return Register(walker.builder.call("get_smp_processor_id", droppable=True), U32)


@intrinsic("ktime_ns")
def ktime_ns(walker: Walker, arguments: Arguments) -> Value:
    """Nanoseconds since boot, suspend not counted (CLOCK_MONOTONIC): u64."""
    return Register(walker.builder.call("ktime_get_ns", droppable=True), U64)


@intrinsic("cgroup_id")
def cgroup_id(walker: Walker, arguments: Arguments) -> Value:
    """The id of the current task's cgroup-v2, its directory's inode number: u64."""
    register = walker.builder.call("get_current_cgroup_id", droppable=True)
    return Register(register, U64)


@intrinsic("mntns")
def mntns(walker: Walker, arguments: Arguments) -> Value:
    """The inode number of the current task's mount namespace: u32."""
    return _task_member(walker, "nsproxy", "mnt_ns", "ns", "inum")
