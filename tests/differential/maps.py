"""Maps of the interpreter, with the results of the kernel's helpers."""

from __future__ import annotations

import errno

from skep.spec import MapSpec
from tests.differential.memory import Fault, Memory

BPF_ANY, BPF_NOEXIST, BPF_EXIST = range(3)


class FakeMap:
    """Keys to values; values live in the machine's memory, where programs write them.

    Per-CPU kinds have one CPU.  `elements` holds the values for tests to look at.
    """

    def __init__(self, spec: MapSpec, memory: Memory) -> None:
        self.spec = spec
        self.elements: dict[bytes, bytearray] = {}
        self._addresses: dict[bytes, int] = {}
        self._memory = memory

    def value_address(self, key: bytes) -> int:
        """The address of the element's value, 0 when there is none."""
        return self._addresses.get(key, 0)

    def update(self, key: bytes, value: bytes, flags: int) -> int:
        """0 or a negated errno, as the helper map_update_elem."""
        if key in self.elements:
            if flags == BPF_NOEXIST:
                return -errno.EEXIST
            self.elements[key][:] = value
            return 0
        if flags == BPF_EXIST:
            return -errno.ENOENT
        if len(self.elements) == self.spec.max_entries:
            return -errno.E2BIG
        self._add(key, bytearray(value))
        return 0

    def delete(self, key: bytes) -> int:
        """0 or a negated errno; the value stays readable, as under RCU."""
        if self.elements.pop(key, None) is None:
            return -errno.ENOENT
        del self._addresses[key]
        return 0

    def _add(self, key: bytes, value: bytearray) -> None:
        self.elements[key] = value
        self._addresses[key] = self._memory.map(f"value of {self.spec.name}", value)


class FakeArray(FakeMap):
    """All elements exist from the start, zeroed; keys are u32 indexes."""

    def __init__(self, spec: MapSpec, memory: Memory) -> None:
        super().__init__(spec, memory)
        for index in range(spec.max_entries):
            self._add(index.to_bytes(4, "little"), bytearray(spec.value_size))

    def update(self, key: bytes, value: bytes, flags: int) -> int:
        if key not in self.elements:
            return -errno.E2BIG
        return super().update(key, value, flags)

    def delete(self, key: bytes) -> int:
        return -errno.EINVAL


class FakeLru(FakeMap):
    """A hash that makes room by dropping its oldest element."""

    def update(self, key: bytes, value: bytes, flags: int) -> int:
        if key not in self.elements and len(self.elements) == self.spec.max_entries:
            self.delete(next(iter(self.elements)))
        return super().update(key, value, flags)


class FakeStorage(FakeMap):
    """The value of the one task that there is, under the key b"task"."""

    def of_task(self, create: bool) -> int:
        """Its address; 0 if there is none and none is to be made."""
        if b"task" not in self.elements and create:
            self._add(b"task", bytearray(self.spec.value_size))
        return self.value_address(b"task")


class FakeRingBuffer(FakeMap):
    """Collects what programs send in `records`; full after `max_entries` bytes."""

    def __init__(self, spec: MapSpec, memory: Memory) -> None:
        super().__init__(spec, memory)
        self.records: list[bytes] = []
        self._reserved: dict[int, bytearray] = {}
        self._free = spec.max_entries

    def output(self, record: bytes) -> int:
        """0, or -EAGAIN when the record does not fit, as the helper ringbuf_output."""
        if not self._take(len(record)):
            return -errno.EAGAIN
        self.records.append(record)
        return 0

    def reserve(self, size: int) -> int:
        """The address of room for a record, 0 when it does not fit."""
        if not self._take(size):
            return 0
        # Memory of the ring is not zeroed between rounds.
        record = bytearray(b"\xa5" * size)
        address = self._memory.map("reserved record", record)
        self._reserved[address] = record
        return address

    def finish(self, address: int, keep: bool) -> bool:
        """Submit or discard a reserved record; false when it is not of this ring."""
        record = self._reserved.pop(address, None)
        if record is None:
            return False
        if keep:
            self.records.append(bytes(record))
        return True

    def _take(self, size: int) -> bool:
        room = 8 + (size + 7 & ~7)  # a header, and padding
        if room > self._free:
            return False
        self._free -= room
        return True


_KINDS = {
    "hash": FakeMap,
    "percpu_hash": FakeMap,
    "lru_hash": FakeLru,
    "lru_percpu_hash": FakeLru,
    "task_storage": FakeStorage,
    "stack_trace": FakeMap,
    "array": FakeArray,
    "percpu_array": FakeArray,
    "ringbuf": FakeRingBuffer,
}


def create_map(spec: MapSpec, memory: Memory) -> FakeMap:
    """An empty map of the spec's kind; Fault for a kind that is not imitated."""
    if spec.kind not in _KINDS:
        raise Fault(f"the interpreter has no maps of kind {spec.kind}")
    return _KINDS[spec.kind](spec, memory)
