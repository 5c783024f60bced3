"""Operations on files as system calls: which there are, and where in the file."""

from skep.authoring.bpf import bpf
from skep.authoring.outputs import Map
from skep.authoring.records import Record
from skep.fields.files import READ, SYNCED, WRITTEN
from skep.fields.integers import U64
from skep.kernel import fs

USING = (
    *("read", "readv", "pread64", "preadv", "preadv2"),
    *("write", "writev", "pwrite64", "pwritev", "pwritev2"),
    *("fsync", "fdatasync"),
)
"""The calls that use an open file, `fd`, by the names of their man pages."""

OPENING = ("open", "openat", "openat2", "creat", "open_by_handle_at")
"""Those that return a file descriptor."""

ABSENT = {"pos": -1, "pos_l": -1, "pos_h": -1, "flags": 0}
"""Parameters that some of `USING` lack.  An offset of -1 means the file's own to
preadv2, and is refused by the others."""

# Flags of pwritev2, uapi/linux/fs.h.
RWF_APPEND = 0x10
RWF_NOAPPEND = 0x20  # since 6.9

NOT_OPEN_FOR_THAT = -9
"""EBADF, with which calls return that want to read a file open for writing only."""


class Call(Record):
    """A call that is under way.

    Its file is that of the descriptor when it began: another thread may close that
    meanwhile.  The file itself lasts, if need be until this task has returned from the
    call (task_work_add in fput, fs/file_table.c).
    """

    begun_ns: U64
    file: U64


under_way = Map("u64", Call)


@bpf.inline
def begin(file):
    """Note a call, at its start, with the address of its file or 0."""
    call = Call(begun_ns=bpf.ktime_ns(), file=file)
    under_way.update(bpf.address(bpf.task()), call)


@bpf.inline
def forget():
    """Forget the current task's call, if one was noted."""
    key = bpf.address(bpf.task())
    if under_way.lookup(key) is not None:
        under_way.delete(key)


@bpf.inline
def ended():
    """The current task's call, at its return, or None."""
    return under_way.lookup(bpf.address(bpf.task()))


@bpf.inline
def operation_of(number):
    """What the call of `USING` with that number in the native ABI does."""
    if number in (
        bpf.syscall_number("read"),
        bpf.syscall_number("readv"),
        bpf.syscall_number("pread64"),
        bpf.syscall_number("preadv"),
        bpf.syscall_number("preadv2"),
    ):
        return READ
    if number in (bpf.syscall_number("fsync"), bpf.syscall_number("fdatasync")):
        return SYNCED
    return WRITTEN


@bpf.inline
def position_of(operation, file, pos, pos_l, pos_h, flags, ret):
    """Where in the file a call has begun; 0 if it is for the whole file."""
    if operation == SYNCED:
        return bpf.s64(0)
    moved = bpf.s64(ret if ret > 0 else 0)
    position = fs.position_of(pos_l, pos_h) if pos_l != -1 else bpf.s64(pos)
    if position == -1:
        return file.f_pos - moved  # the file's own
    if operation == WRITTEN and appended(file, flags):
        # It is written where the file ended, whatever it says (pwrite(2), BUGS).
        return file.f_inode.i_size - moved
    return position


@bpf.inline
def appended(file, flags):
    """Whether a write with these flags is at the end of the file."""
    if flags & RWF_APPEND:
        return True
    return fs.appends(file) and flags & RWF_NOAPPEND == 0
