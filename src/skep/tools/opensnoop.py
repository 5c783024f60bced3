"""Trace the open(2), openat(2) and openat2(2) system calls.

Shows which files each process opens and which opens fail.

Examples:
    opensnoop -x            only opens that failed
    opensnoop -p 181 -T     one process, with timestamps
    opensnoop -f O_WRONLY   only opens for writing
"""

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.fields import Comm, FdOrErrno, FileMode, OpenFlags, Pid, Text, Time, Uid


class Options(TaskOptions):
    letters = {"pid": "-p", "tid": "-t", "uid": "-u", "timestamp": "-T", "show_uid": "-U"}

    failed: bool = option("-x", "--failed", help="show only failed opens")
    extended: bool = option("-e", "--extended_fields", help="show FLAGS and MODE")
    flags: OpenFlags = option(
        "-f", "--flag_filter", repeat=True, help="show only opens with this flag"
    )


class Open(Record):
    time: Time = column(when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    pid: Pid
    comm: Comm
    ret: FdOrErrno  # one value, two columns: FD and ERR
    flags: OpenFlags = column(when=Options.extended)
    mode: FileMode = column(when=Options.extended)
    path: Text = column(size=255)


opens = Stream(Open)


@on.syscall_exit("open", "openat", when=Options.selected)
def opened(filename, flags, mode, ret):
    emit(filename, flags, mode, ret)


@on.syscall_exit("openat2", when=Options.selected)
def opened_how(filename, how, ret):
    emit(filename, how.flags, how.mode, ret)


@bpf.inline
def emit(filename, flags, mode, ret):
    if Options.failed and ret >= 0:
        return
    if Options.flags and not flags & Options.flags:
        return
    # time, uid, pid and comm describe the current task and fill themselves.
    opens.emit(ret=ret, flags=flags, mode=mode, path=filename)
