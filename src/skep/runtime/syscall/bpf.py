"""bpf(2), one function per command.

Each packs just the members its command reads: the kernel takes members beyond the given
size as zero, and refuses non-zero ones that it does not know with E2BIG.

Source: union bpf_attr, include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from typing import Callable, TypeVar

from skep.named_tuple import NamedTuple
from skep.runtime.syscall.libc import address, system_call

T = TypeVar("T")

BPF_MAP_CREATE = 0
BPF_MAP_LOOKUP_ELEM = 1
BPF_MAP_UPDATE_ELEM = 2
BPF_MAP_DELETE_ELEM = 3
BPF_MAP_GET_NEXT_KEY = 4
BPF_PROG_LOAD = 5
BPF_OBJ_GET = 7
BPF_PROG_TEST_RUN = 10
BPF_OBJ_GET_INFO_BY_FD = 15
BPF_RAW_TRACEPOINT_OPEN = 17
BPF_BTF_LOAD = 18
BPF_BTF_GET_FD_BY_ID = 19
BPF_BTF_GET_NEXT_ID = 23
BPF_MAP_LOOKUP_BATCH = 24
BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25
BPF_LINK_CREATE = 28
BPF_ENABLE_STATS = 32

BPF_ANY = 0

BPF_F_NO_PREALLOC = 1 << 0
BPF_F_MMAPABLE = 1 << 10

BPF_F_TEST_RUN_ON_CPU = 1 << 0

BPF_TRACE_RAW_TP = 23
BPF_TRACE_FENTRY = 24
BPF_TRACE_FEXIT = 25
BPF_PERF_EVENT = 41
BPF_TRACE_KPROBE_MULTI = 42
BPF_TRACE_UPROBE_MULTI = 48
BPF_TRACE_KPROBE_SESSION = 56

BPF_F_UPROBE_MULTI_RETURN = 1 << 0

BPF_F_KPROBE_MULTI_RETURN = 1 << 0

BPF_STATS_RUN_TIME = 0

_LINK_TYPE_KPROBE_MULTI = 8  # enum bpf_link_type

_ELEMENT = struct.Struct("=IxxxxQQQ")
_BATCH = struct.Struct("=QQQQIIQQ")
_LOAD = struct.Struct("=IIQQIIQII16sIIIIQIIQIII")
_TEST = struct.Struct("=I36xI4xQ8xII")  # without data, which only packets have
_U32 = struct.Struct("=I")


def command(number: int, attributes: bytes) -> int:
    """bpf(2) with attributes that the kernel only reads."""
    return system_call("bpf", number, address(attributes), len(attributes))


def _command_out(number: int, attributes: bytearray) -> int:
    """bpf(2) with attributes that the kernel writes results to."""
    return system_call("bpf", number, address(attributes), len(attributes))


def _charged(create: Callable[[], T]) -> T:
    """`create()`, tried again without a limit on locked memory.

    Before 5.11 maps and programs were charged to RLIMIT_MEMLOCK, by default 64 KiB, and
    going over it is EPERM.  Raising the limit needs CAP_SYS_RESOURCE; without it the
    first error stands.
    """
    try:
        return create()
    except OSError as error:
        if error.errno != errno.EPERM or not _raise_memlock():
            raise
    return create()


def _raise_memlock() -> bool:
    """Lift RLIMIT_MEMLOCK; false when it cannot or need not be lifted."""
    import resource

    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    if resource.getrlimit(resource.RLIMIT_MEMLOCK) == unlimited:
        return False
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    except (OSError, ValueError):
        return False
    return True


def map_create(
    map_type: int,
    key_size: int,
    value_size: int,
    max_entries: int,
    flags: int = 0,
    name: bytes = b"",
    inner_map_fd: int = 0,
    btf_fd: int = 0,
    btf_key_type_id: int = 0,
    btf_value_type_id: int = 0,
) -> int:
    """A new map's file descriptor.  `name` is at most 15 bytes of [A-Za-z0-9_.]."""
    attributes = struct.pack(
        "=IIIIIII16sIIII",
        map_type,
        key_size,
        value_size,
        max_entries,
        flags,
        inner_map_fd,
        0,
        name,
        0,
        btf_fd,
        btf_key_type_id,
        btf_value_type_id,
    )
    return _charged(lambda: command(BPF_MAP_CREATE, attributes))


def object_get(path: str) -> int:
    """The file descriptor of an object pinned under `path` in a BPF file system."""
    name = os.fsencode(path) + b"\0"
    attributes = struct.pack("=QII", address(name), 0, 0)
    return command(BPF_OBJ_GET, attributes)


def map_lookup(fd: int, key: bytes, value: bytearray) -> None:
    """Fill `value`; ENOENT when the map has no such key."""
    attributes = _ELEMENT.pack(fd, address(key), address(value), 0)
    command(BPF_MAP_LOOKUP_ELEM, attributes)


def map_update(fd: int, key: bytes, value: bytes, flags: int = BPF_ANY) -> None:
    """Set an element; E2BIG when the map is full."""
    attributes = _ELEMENT.pack(fd, address(key), address(value), flags)
    command(BPF_MAP_UPDATE_ELEM, attributes)


def map_delete(fd: int, key: bytes) -> None:
    """Remove an element; ENOENT when the map has no such key."""
    command(BPF_MAP_DELETE_ELEM, _ELEMENT.pack(fd, address(key), 0, 0))


def map_next_key(fd: int, key: bytes | None, following: bytearray) -> None:
    """Fill `following` with the key after `key`, or the first; ENOENT at the end."""
    before = 0 if key is None else address(key)
    attributes = _ELEMENT.pack(fd, before, address(following), 0)
    command(BPF_MAP_GET_NEXT_KEY, attributes)


class Batch(NamedTuple):
    """What one batch command returned.

    `filled` elements were filled in; `end` says that there are no more, and `full` that
    not even one bucket of the hash fitted.
    """

    filled: int
    end: bool
    full: bool


def map_batch(
    number: int,
    fd: int,
    token: bytearray,
    first: bool,
    keys: bytearray,
    values: bytearray,
    count: int,
) -> Batch:
    """Read (and, as `number` has it, delete) up to `count` elements at a time.

    `token` holds the kernel's place in the map between calls: a bucket or a key, so it
    is at least 4 bytes and at least a key long.
    """
    start = 0 if first else address(token)
    attributes = bytearray(
        _BATCH.pack(
            start, address(token), address(keys), address(values), count, fd, 0, 0
        )
    )
    failed = 0
    try:
        _command_out(number, attributes)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOSPC):
            raise
        failed = error.errno
    full = failed == errno.ENOSPC
    (filled,) = _U32.unpack_from(attributes, 32)
    return Batch(0 if full else filled, failed == errno.ENOENT, full)


class ProgLoad(NamedTuple):
    """What BPF_PROG_LOAD takes; see the man page for the members' meaning.

    `attach_btf_fd` is the BTF that has the id `attach_btf_id`, 0 for that of vmlinux.
    """

    prog_type: int
    instructions: bytes
    license: bytes = b"GPL\0"
    name: bytes = b""
    expected_attach_type: int = 0
    attach_btf_id: int = 0
    btf_fd: int = 0
    func_info: bytes = b""
    line_info: bytes = b""
    attach_btf_fd: int = 0


_FUNC_INFO_SIZE = 8
_LINE_INFO_SIZE = 16


def prog_load(load: ProgLoad, log_level: int = 0, log: bytearray | None = None) -> int:
    """A new program's file descriptor.

    `log` takes the verifier's log, NUL-terminated; ENOSPC when it is too small for it.
    """
    attributes = _LOAD.pack(
        load.prog_type,
        len(load.instructions) // 8,
        address(load.instructions),
        address(load.license),
        log_level,
        len(log) if log else 0,
        address(log) if log else 0,
        0,
        0,
        load.name,
        0,
        load.expected_attach_type,
        load.btf_fd,
        _FUNC_INFO_SIZE if load.func_info else 0,
        address(load.func_info) if load.func_info else 0,
        len(load.func_info) // _FUNC_INFO_SIZE,
        _LINE_INFO_SIZE if load.line_info else 0,
        address(load.line_info) if load.line_info else 0,
        len(load.line_info) // _LINE_INFO_SIZE,
        load.attach_btf_id,
        load.attach_btf_fd,
    )
    # The verifier gives up with EAGAIN when a signal is pending.
    for _ in range(4):
        try:
            return _charged(lambda: command(BPF_PROG_LOAD, attributes))
        except BlockingIOError:
            continue
    return _charged(lambda: command(BPF_PROG_LOAD, attributes))


def prog_test_run(fd: int, context: bytes, cpu: int | None = None) -> int:
    """Run a program once and return its 32-bit result.

    For raw tracepoint programs (5.10) `context` is their arguments as u64s.
    """
    where = address(context) if context else 0
    flags = 0 if cpu is None else BPF_F_TEST_RUN_ON_CPU
    attributes = bytearray(_TEST.pack(fd, len(context), where, flags, cpu or 0))
    _command_out(BPF_PROG_TEST_RUN, attributes)
    (result,) = _U32.unpack_from(attributes, 4)
    return int(result)


class ProgramInfo(NamedTuple):
    """Counters of a loaded program; None where the kernel does not keep them.

    `run_count` and `run_time_ns` stand still unless statistics are enabled.
    `recursion_misses` came with 5.12 and `verified_instructions` with 5.16.
    """

    id: int
    run_time_ns: int
    run_count: int
    recursion_misses: int | None
    verified_instructions: int | None


def prog_info(fd: int) -> ProgramInfo:
    """Counters of a program, by the length of struct bpf_prog_info that comes back."""
    info = bytearray(256)
    attributes = bytearray(struct.pack("=IIQ", fd, len(info), address(info)))
    _command_out(BPF_OBJ_GET_INFO_BY_FD, attributes)
    (length,) = _U32.unpack_from(attributes, 4)
    (number,) = struct.unpack_from("=I", info, 4)
    run_time, run_count, misses, verified = struct.unpack_from("=QQQI", info, 192)
    return ProgramInfo(
        number,
        run_time,
        run_count,
        misses if length >= 216 else None,
        verified if length >= 220 else None,
    )


def btf_load(blob: bytes) -> int:
    """The file descriptor of type information that programs and maps refer to."""
    attributes = struct.pack("=QQIIIxxxx", address(blob), 0, len(blob), 0, 0)
    return command(BPF_BTF_LOAD, attributes)


def btf_next_id(number: int) -> int:
    """The id of the BTF after that with the id `number`; ENOENT at the end."""
    attributes = bytearray(struct.pack("=III", number, 0, 0))
    _command_out(BPF_BTF_GET_NEXT_ID, attributes)
    (following,) = _U32.unpack_from(attributes, 4)
    return int(following)


def btf_by_id(number: int) -> int:
    """A file descriptor of the BTF with an id; ENOENT when it is gone by now."""
    return command(BPF_BTF_GET_FD_BY_ID, struct.pack("=III", number, 0, 0))


def btf_name(fd: int) -> str:
    """What the kernel calls its BTF: "vmlinux", or the module's name."""
    name = bytearray(64)  # MODULE_NAME_LEN, include/linux/module.h
    # struct bpf_btf_info: the types are not asked for.
    info = bytearray(struct.pack("=QIIQII", 0, 0, 0, address(name), len(name), 0))
    attributes = bytearray(struct.pack("=IIQ", fd, len(info), address(info)))
    _command_out(BPF_OBJ_GET_INFO_BY_FD, attributes)
    return name.split(b"\0", 1)[0].decode()


def raw_tracepoint_open(name: str, prog_fd: int) -> int:
    """Attach to a raw tracepoint, or, with no name, where the program's BTF id says."""
    text = name.encode() + b"\0"
    where = address(text) if name else 0
    return command(BPF_RAW_TRACEPOINT_OPEN, struct.pack("=QIxxxx", where, prog_fd))


def link_create(prog_fd: int, target_fd: int, attach_type: int, cookie: int = 0) -> int:
    """A link between a program and `target_fd`; perf events need 5.15.

    The program gets the cookie by get_attach_cookie.
    """
    attributes = struct.pack("=IIIIQ", prog_fd, target_fd, attach_type, 0, cookie)
    return command(BPF_LINK_CREATE, attributes)


def kprobe_multi_link(
    prog_fd: int,
    attach_type: int,
    symbols: Sequence[str],
    at_return: bool,
    cookies: Sequence[int] = (),
) -> int:
    """A link of a program to kernel functions (5.18), each with its cookie.

    ESRCH when one of them is not there or cannot be traced.
    """
    names = [symbol.encode() + b"\0" for symbol in symbols]
    pointers = struct.pack(f"={len(names)}Q", *map(address, names))
    numbers = struct.pack(f"={len(cookies)}Q", *cookies)
    attributes = struct.pack(
        "=IIIIIIQQQ",
        *(prog_fd, 0, attach_type, 0),
        BPF_F_KPROBE_MULTI_RETURN if at_return else 0,
        *(len(names), address(pointers), 0, address(numbers) if cookies else 0),
    )
    return command(BPF_LINK_CREATE, attributes)


def uprobe_multi_link(
    prog_fd: int,
    path: str,
    places: Sequence[tuple[int, int]],
    at_return: bool = False,
    pid: int = 0,
    cookies: Sequence[int] = (),
) -> int:
    """A link between a program and many places of one file (6.6).

    A place is an offset in the file and that of its semaphore, 0 for none; each may
    have a cookie.
    """
    name = os.fsencode(path) + b"\0"
    count = len(places)
    offsets = struct.pack(f"={count}Q", *(offset for offset, _ in places))
    semaphores = struct.pack(f"={count}Q", *(semaphore for _, semaphore in places))
    counted = any(semaphore for _, semaphore in places)
    numbers = struct.pack(f"={len(cookies)}Q", *cookies)
    attributes = struct.pack(
        "=IIIIQQQQIIIxxxx",
        prog_fd,
        0,
        BPF_TRACE_UPROBE_MULTI,
        0,
        address(name),
        address(offsets),
        address(semaphores) if counted else 0,
        address(numbers) if cookies else 0,
        count,
        BPF_F_UPROBE_MULTI_RETURN if at_return else 0,
        pid,
    )
    return command(BPF_LINK_CREATE, attributes)


def missed(link_fd: int) -> int:
    """How often a kprobe or kretprobe link left out a call (6.7).

    A kretprobe does when too many calls are under way.  Source: struct bpf_link_info,
    perf_event.kprobe.missed or kprobe_multi.missed.
    """
    info = bytearray(128)
    attributes = bytearray(struct.pack("=IIQ", link_fd, len(info), address(info)))
    _command_out(BPF_OBJ_GET_INFO_BY_FD, attributes)
    (kind,) = _U32.unpack_from(info, 0)
    place = 32 if kind == _LINK_TYPE_KPROBE_MULTI else 48
    (count,) = struct.unpack_from("=Q", info, place)
    return int(count)


def enable_stats() -> int:
    """Measure programs while the returned file descriptor is open (5.8).

    Takes CAP_SYS_ADMIN.
    """
    return command(BPF_ENABLE_STATS, struct.pack("=I", BPF_STATS_RUN_TIME))
