"""Raw system calls through the C library.

Everything here raises OSError; the layer above says what was being tried and turns it
into an error for the user.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import mmap
import os
from typing import Callable, Union

from skep.errors import NotSupported

ENOTSUPP = 524
"""What the kernel means by "this object has no such operation".

It is internal to the kernel (include/linux/errno.h) and has no name in `errno`, but
bpf(2) lets it escape.
"""

Buffer = Union[bytes, bytearray]

# Source: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
_NUMBERS = {
    "x86_64": {
        **{"bpf": 321, "capget": 125, "capset": 126},
        **{"perf_event_open": 298, "prctl": 157},
    },
    "aarch64": {
        **{"bpf": 280, "capget": 90, "capset": 91},
        **{"perf_event_open": 241, "prctl": 167},
    },
}


def system_call(name: str, *arguments: int) -> int:
    """The result of the system call, or an OSError that names it."""
    result = _entry(name)(*arguments, *(0,) * (6 - len(arguments)))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}(2): {describe(number)}")
    return result


@functools.cache
def _entry(name: str) -> Callable[..., int]:
    machine = os.uname().machine
    if machine not in _NUMBERS:
        raise NotSupported(f"skep does not know the system calls of {machine}")
    # syscall(2) is variadic: without argument types, ints would be passed as 32 bits.
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.argtypes = [ctypes.c_long] * 7
    function.restype = ctypes.c_long
    return functools.partial(function, _NUMBERS[machine][name])


def describe(number: int) -> str:
    """The errno's symbol and text, as in "EPERM, Operation not permitted"."""
    if number == ENOTSUPP:
        return "ENOTSUPP, Operation not supported by this object"
    return f"{errno.errorcode.get(number, number)}, {os.strerror(number)}"


def address(buffer: Buffer | mmap.mmap) -> int:
    """Where the buffer's bytes lie; the caller keeps the buffer alive and unresized."""
    if isinstance(buffer, bytes):
        return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer)) if buffer else 0
