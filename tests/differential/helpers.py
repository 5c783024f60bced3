"""BPF helpers of the interpreter.

A helper takes the machine, asks it for its arguments, and returns r0 (a negated errno
where it fails).  Facts about the world (time, the current task) are constants here;
tests replace what they need through `Machine(helpers=...)`.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Callable

from tests.differential.maps import FakeMap, FakeRingBuffer, FakeStorage
from tests.differential.memory import Fault

if TYPE_CHECKING:
    from tests.differential.interpreter import Machine

Helper = Callable[["Machine"], int]


def constant(value: int) -> Helper:
    """A helper that returns the same number every time."""
    return lambda machine: value


def _map(machine: Machine, argument: int = 1) -> FakeMap:
    """The map that an argument points to."""
    handle = machine.argument(argument)
    if handle not in machine.map_at:
        raise Fault(f"{handle:#x} is no map")
    return machine.map_at[handle]


def _ring(machine: Machine) -> FakeRingBuffer:
    ring = _map(machine)
    if not isinstance(ring, FakeRingBuffer):
        raise Fault(f"{ring.spec.name} is no ring buffer")
    return ring


def _key(machine: Machine, target: FakeMap) -> bytes:
    return machine.memory.read(machine.argument(2), target.spec.key_size)


def _map_lookup_elem(machine: Machine) -> int:
    target = _map(machine)
    return target.value_address(_key(machine, target))


def _map_update_elem(machine: Machine) -> int:
    target = _map(machine)
    value = machine.memory.read(machine.argument(3), target.spec.value_size)
    return target.update(_key(machine, target), value, machine.argument(4))


def _map_delete_elem(machine: Machine) -> int:
    target = _map(machine)
    return target.delete(_key(machine, target))


def _ringbuf_output(machine: Machine) -> int:
    record = machine.memory.read(machine.argument(2), machine.argument(3))
    machine.argument(4)  # flags only steer wake-ups, but must be set
    return _ring(machine).output(record)


def _ringbuf_reserve(machine: Machine) -> int:
    if machine.argument(3) != 0:
        raise Fault("ringbuf_reserve takes no flags")
    return _ring(machine).reserve(machine.argument(2))


def _finish(machine: Machine, keep: bool) -> int:
    address = machine.argument(1)
    machine.argument(2)  # flags, as above
    rings = [m for m in machine.maps.values() if isinstance(m, FakeRingBuffer)]
    if not any(ring.finish(address, keep) for ring in rings):
        raise Fault(f"{address:#x} is no reserved record")
    return 0


def _copy(machine: Machine, user: bool) -> bytes:
    return machine.memory.read(machine.argument(3), machine.argument(2), user)


def _copy_string(machine: Machine, user: bool) -> bytes:
    """Up to the NUL; a string that does not fit loses its end to a NUL."""
    size, source = machine.argument(2), machine.argument(3)
    text = b""
    while len(text) < size:
        text += machine.memory.read(source + len(text), 1, user)
        if text.endswith(b"\0"):
            return text
    return (text[:-1] + b"\0")[:size]


def _probe_read(machine: Machine, user: bool, string: bool = False) -> int:
    """The result is 0, or a string's size with its NUL.

    A bad address is an error of the traced world, not of the program: the target is
    zeroed.  A user's address taken for the kernel's is ERANGE (mm/maccess.c).
    """
    target, source = machine.argument(1), machine.argument(3)
    try:
        data = _copy_string(machine, user) if string else _copy(machine, user)
    except Fault:
        machine.memory.write(target, bytes(machine.argument(2)))
        wrong_half = source >> 63 == 0 and not user
        return -errno.ERANGE if wrong_half else -errno.EFAULT
    machine.memory.write(target, data)
    return len(data) if string else 0


def _get_stack(machine: Machine) -> int:
    """One frame; see `_get_stackid`."""
    machine.argument(4)
    size = machine.argument(3)
    machine.memory.write(machine.argument(2), bytes(size))
    return 8


def _get_stackid(machine: Machine) -> int:
    """The same number for all stacks: there is no telling which the kernel gives."""
    machine.argument(3)
    if _map(machine, 2).spec.kind != "stack_trace":
        raise Fault("no map of stacks")
    return 7


def _task_storage_get(machine: Machine) -> int:
    storage = _map(machine)
    if not isinstance(storage, FakeStorage):
        raise Fault(f"{storage.spec.name} has no values of tasks")
    if machine.argument(2) == 0 or machine.argument(3) != 0:
        raise Fault("task_storage_get needs a task and takes no value")
    return storage.of_task(create=machine.argument(4) == 1)


def _get_current_comm(machine: Machine) -> int:
    size = machine.argument(2)
    comm = machine.comm[: size - 1].ljust(size, b"\0")
    machine.memory.write(machine.argument(1), comm)
    return 0


DEFAULT_HELPERS: dict[str, Helper] = {
    "map_lookup_elem": _map_lookup_elem,
    "map_update_elem": _map_update_elem,
    "map_delete_elem": _map_delete_elem,
    "ringbuf_output": _ringbuf_output,
    "ringbuf_reserve": _ringbuf_reserve,
    "ringbuf_submit": partial(_finish, keep=True),
    "ringbuf_discard": partial(_finish, keep=False),
    "probe_read_kernel": partial(_probe_read, user=False),
    "probe_read_user": partial(_probe_read, user=True),
    "probe_read_kernel_str": partial(_probe_read, user=False, string=True),
    "probe_read_user_str": partial(_probe_read, user=True, string=True),
    "ktime_get_ns": constant(1_000_000_007),
    "ktime_get_boot_ns": constant(2_000_000_011),
    "get_smp_processor_id": constant(0),
    "get_current_pid_tgid": constant(1009 << 32 | 1013),
    "get_current_uid_gid": constant(1021 << 32 | 1019),
    "get_current_cgroup_id": constant(1031),
    "get_current_comm": _get_current_comm,
    "get_stack": _get_stack,
    "get_stackid": _get_stackid,
    "task_storage_get": _task_storage_get,
}
