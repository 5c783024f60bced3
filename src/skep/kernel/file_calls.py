"""Operations on files as system calls: which there are, and where in the file."""

from skep.authoring.bpf import bpf
from skep.fields.files import OPENED, READ, SYNCED, WRITTEN
from skep.kernel import fs

NAMES = (
    *("read", "readv", "pread64", "preadv", "preadv2"),
    *("write", "writev", "pwrite64", "pwritev", "pwritev2"),
    *("fsync", "fdatasync"),
    *("open", "openat", "openat2", "creat"),
)
"""The calls, by the names of their man pages."""

ABSENT = {"fd": -1, "pos": -1, "pos_l": -1, "pos_h": -1}
"""Parameters that some of them lack.  An offset of -1 means the file's own to preadv2,
and is refused by the others."""


@bpf.inline
def operation_of(number):
    """What the call with that number in the native ABI does, for a `FileOperation`."""
    if number in (
        bpf.syscall_number("read"),
        bpf.syscall_number("readv"),
        bpf.syscall_number("pread64"),
        bpf.syscall_number("preadv"),
        bpf.syscall_number("preadv2"),
    ):
        return READ
    if number in (
        bpf.syscall_number("write"),
        bpf.syscall_number("writev"),
        bpf.syscall_number("pwrite64"),
        bpf.syscall_number("pwritev"),
        bpf.syscall_number("pwritev2"),
    ):
        return WRITTEN
    if number in (bpf.syscall_number("fsync"), bpf.syscall_number("fdatasync")):
        return SYNCED
    return OPENED


@bpf.inline
def position_of(operation, file, pos, pos_l, pos_h, ret):
    """Where in the file a call has begun; 0 if it is for the whole file."""
    if operation in (OPENED, SYNCED):
        return bpf.s64(0)
    position = fs.position_of(pos_l, pos_h) if pos_l != -1 else pos
    # The file's own has moved by what was read or written.
    return position if position != -1 else file.f_pos - (ret if ret > 0 else 0)
