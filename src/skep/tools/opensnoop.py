"""Trace the open(2), openat(2) and openat2(2) system calls.

Shows which files each process opens and which opens fail.

Examples:
    opensnoop -x            only opens that failed
    opensnoop -p 181 -T     one process, with timestamps
    opensnoop -f O_WRONLY   only opens for writing
    opensnoop -F            whole paths of files that are named relative to a directory
    opensnoop --exec ls     one command, from its start to its end
"""

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.fields import (
    Comm,
    FdOrErrno,
    FileMode,
    FullPath,
    OpenFlags,
    Pid,
    Text,
    Tid,
    Time,
    Uid,
)
from skep.kernel import fs
from skep.toolkit import contains, pages


class Options(TaskOptions):
    letters = {
        "pid": "-p",
        "tid": "-t",
        "uid": "-u",
        "timestamp": "-T",
        "show_uid": "-U",
        "duration": "-d",
    }
    failed: bool = option("-x", "--failed", help="show only failed opens")
    extended: bool = option("-e", "--extended_fields", help="show FLAGS and MODE")
    flags: OpenFlags = option(
        "-f",
        "--flag_filter",
        metavar="FLAG",
        repeat=True,
        help="show only opens with this flag",
    )
    name: str = option("-n", "--name", help="show only threads with this in their name")
    full_path: bool = option("-F", "--full-path", help="show whole paths")
    buffer_pages: int = option(
        "-b",
        "--buffer-pages",
        metavar="PAGES",
        check=pages,
        help="size of the ring buffer",
    )
    command: str = option("--exec", rest=True, help="run a command and trace only it")


SHOWN = ("name",)


class Open(Record):
    time: Time = column(when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    pid: Pid = column(width=6, when=lambda options: options.tid is None)
    tid: Tid = column(width=6, when=lambda options: options.tid is not None)
    comm: Comm
    ret: FdOrErrno  # one value, two columns: FD and ERR
    flags: OpenFlags = column(when=Options.extended)
    mode: FileMode = column(when=Options.extended)
    path: Text = column(size=255, when=lambda options: not options.full_path)
    full_path: FullPath = column(size=4096, when=Options.full_path)


opens = Stream(Open)


def filters(options):
    return contains("comm", options.name)


@on.syscall_exit("open", when=Options.selected)
def opened(filename, flags, mode, ret):
    emit(fs.AT_FDCWD, filename, flags, mode, ret)


@on.syscall_exit("openat", when=Options.selected)
def opened_at(dfd, filename, flags, mode, ret):
    emit(dfd, filename, flags, mode, ret)


@on.syscall_exit("openat2", when=Options.selected)
def opened_how(dfd, filename, how, ret):
    emit(dfd, filename, how.flags, how.mode, ret)


@bpf.inline
def emit(dfd, filename, flags, mode, ret):
    if Options.failed and ret >= 0:
        return
    if Options.flags and not fs.has_flag(flags, Options.flags):
        return
    # time, uid, pid and comm describe the current task and fill themselves.
    if not Options.full_path:
        opens.emit(ret=ret, flags=flags, mode=mode, path=filename)
        return
    row = opens.begin()
    row.append(filename)
    fs.append_directory(row, dfd, filename)
    row.emit(ret=ret, flags=flags, mode=mode)
