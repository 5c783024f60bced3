"""Maps: created from a MapSpec, read whole or by key."""

from __future__ import annotations

import errno
import functools
import mmap
import os
import re
from collections.abc import Iterator

from skep.errors import InternalError, SkepError
from skep.runtime import cpus
from skep.runtime.batches import batches
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf
from skep.runtime.syscall.libc import ENOTSUPP
from skep.runtime.types import load_storage_types
from skep.spec import MapSpec

# Source: enum bpf_map_type, include/uapi/linux/bpf.h.
KINDS = {
    "hash": 1,
    "array": 2,
    "prog_array": 3,
    "perf_event_array": 4,
    "percpu_hash": 5,
    "percpu_array": 6,
    "stack_trace": 7,
    "lru_hash": 9,
    "lru_percpu_hash": 10,
    "array_of_maps": 12,
    "hash_of_maps": 13,
    "ringbuf": 27,
    "task_storage": 29,
}

_PER_CPU = ("percpu_hash", "percpu_array", "lru_percpu_hash")
_WORD = 0xFFFFFFFFFFFFFFFF


def object_name(name: str) -> bytes:
    """The name as the kernel takes it: 15 bytes, letters, digits and underscores."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).encode("ascii")[:15]


class Map:
    """A map in the kernel.

    Keys and values are raw bytes.  The value of a per-CPU map is one chunk for each
    possible CPU, padded to eight bytes (bpf_percpu_array_copy, kernel/bpf/arraymap.c);
    `chunks` takes it apart and `word_sums` adds it up.

    Methods that ask the kernel raise SkepError when it refuses.
    """

    def __init__(self, spec: MapSpec, fd: int) -> None:
        self.spec = spec
        self.fd = fd
        self._per_cpu = spec.kind in _PER_CPU
        self._chunk = (spec.value_size + 7) & ~7 if self._per_cpu else spec.value_size
        self.value_bytes = self._chunk * (cpus.possible() if self._per_cpu else 1)
        self._memory: mmap.mmap | None = None

    @classmethod
    def create(cls, spec: MapSpec) -> Map:
        """A new, empty map; NotPermitted or NotSupported as the kernel answers."""
        if spec.kind not in KINDS:
            raise InternalError(f"map {spec.name!r} is of unknown kind {spec.kind!r}")
        try:
            if spec.pinned:
                return cls(spec, bpf.object_get(spec.pinned))
            return cls(spec, _create(spec))
        except OSError as error:
            if spec.pinned:
                raise _not_opened(spec.pinned, error) from error
            action = f"create the map {spec.name!r} ({spec.kind})"
            raise refusal(error, action) from error

    def lookup(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        value = bytearray(self.value_bytes)
        try:
            bpf.map_lookup(self.fd, self._checked_key(key), value)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise self._refused("read", error) from error
        return bytes(value)

    def update(self, key: bytes, value: bytes, flags: int = bpf.BPF_ANY) -> None:
        """Set the value of `key`."""
        if len(value) != self.value_bytes:
            raise InternalError(f"a value of {self.spec.name!r} has the wrong size")
        try:
            bpf.map_update(self.fd, self._checked_key(key), value, flags)
        except OSError as error:
            raise self._refused("write", error) from error

    def delete(self, key: bytes) -> bool:
        """Remove `key`; false when it was not there."""
        try:
            bpf.map_delete(self.fd, self._checked_key(key))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise self._refused("delete from", error) from error
        return True

    def keys(self) -> list[bytes]:
        """All keys.  Of a map that loses keys meanwhile, some may be left out."""
        found: dict[bytes, None] = {}
        key: bytes | None = None
        following = bytearray(self.spec.key_size)
        # The key after one that has gone is the first one: stop at any repetition.
        while key not in found:
            if key is not None:
                found[key] = None
            try:
                bpf.map_next_key(self.fd, key, following)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    break
                raise self._refused("read", error) from error
            key = bytes(following)
        return list(found)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values, in batches where the kernel has them."""
        return self._iterate(delete=False)

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values of a hash, each removed as it is read.

        Counts that programs add meanwhile can be lost, so the map must be at rest.
        """
        return self._iterate(delete=True)

    def _iterate(self, delete: bool) -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from batches(self, delete)
            return
        except OSError as error:
            # Stack traces have no batches at all, per-CPU arrays since 5.13.
            if error.errno != ENOTSUPP:
                raise self._refused("read", error) from error
        for key in self.keys():
            value = self.lookup(key)
            if value is not None:
                yield key, value
            if delete:
                self.delete(key)

    def chunks(self, value: bytes) -> list[bytes]:
        """A per-CPU value as one chunk for each possible CPU."""
        size, step = self.spec.value_size, self._chunk
        return [value[at : at + size] for at in range(0, len(value), step)]

    def word_sums(self, value: bytes) -> list[int]:
        """A value made of u64s, each added up over the CPUs."""
        words = memoryview(value).cast("Q")
        width = self._chunk // 8
        return [sum(words[index::width]) & _WORD for index in range(width)]

    def memory(self) -> memoryview:
        """The elements of a BPF_F_MMAPABLE array as memory that programs write to.

        Elements are padded to eight bytes.  The view must be released before the map is
        closed.
        """
        if self._memory is None:
            size = self.spec.max_entries * ((self.spec.value_size + 7) & ~7)
            pages = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
            try:
                self._memory = mmap.mmap(self.fd, pages, prot=mmap.PROT_READ)
            except OSError as error:
                raise self._refused("map the memory of", error) from error
        return memoryview(self._memory)

    def close(self) -> None:
        """Let go of the map; the kernel frees it when no program uses it."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _checked_key(self, key: bytes) -> bytes:
        # The kernel reads as many bytes as the map's keys have, whatever it is given.
        if len(key) != self.spec.key_size:
            raise InternalError(f"a key of {self.spec.name!r} has the wrong size")
        return key

    def _refused(self, verb: str, error: OSError) -> Exception:
        return refusal(error, f"{verb} the map {self.spec.name!r}")


def _not_opened(path: str, error: OSError) -> SkepError:
    """Why the map that is pinned there cannot be opened."""
    if error.errno == errno.EACCES and not _is_in_bpf_fs(path):
        return SkepError(
            f"{path} is no pinned map",
            hint="those are files in a BPF file system, as in /sys/fs/bpf",
        )
    return refusal(error, f"open the pinned map {path}")


def _is_in_bpf_fs(path: str) -> bool:
    """Whether a BPF file system is mounted there (proc(5), mountinfo)."""
    try:
        device = os.stat(path).st_dev
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            found = [line.split() for line in mounts]
    except OSError:
        return True  # nobody knows
    number = f"{os.major(device)}:{os.minor(device)}"
    return any(
        mount[2] == number and mount[mount.index("-") + 1] == "bpf" for mount in found
    )


def _create(spec: MapSpec) -> int:
    create = functools.partial(
        bpf.map_create,
        KINDS[spec.kind],
        spec.key_size,
        spec.value_size,
        spec.max_entries,
        spec.flags,
        object_name(spec.name),
    )
    if spec.kind != "task_storage":
        return create()
    types = load_storage_types(spec.value_size)
    try:
        return create(
            btf_fd=types.btf_fd,
            btf_key_type_id=types.key_id,
            btf_value_type_id=types.value_id,
        )
    finally:
        os.close(types.btf_fd)
