"""Trace slow reads, writes, opens and syncs of files, by type of file system.

Shows each operation that took longer than a time in milliseconds, 10 by default.  Time
is measured in the file system: waiting for disks and locks counts, as it does for the
program.

Examples:
    xfsslower           operations on XFS that took more than 10 ms
    xfsslower 1 -p 181  more than 1 ms, one process
    ext4slower 0        all operations on ext4 files
    fsslower -t nfs -j  comma-separated values, for programs
"""

from skep import Map, Record, Stream, TaskOptions, bpf, column, on, option
from skep.errors import UsageError, did_you_mean
from skep.fields import (
    S64,
    U64,
    Comm,
    FileOperation,
    KiloBytes,
    LatencyMs,
    LatencyUs,
    MonotonicUs,
    Pid,
    Ret,
    Text,
    Time,
    Uid,
    WallClock,
)
from skep.kernel import fs
from skep.kernel.filesystems import (
    COMMIT,
    COMMIT_DONE,
    FILE_SYSTEMS,
    GETATTR,
    OPEN,
    READ_WRITE,
    SYNC,
)
from skep.toolkit import not_negative

READ, WRITE, OPENED, SYNCED, GETATTRS, COMMITTED = b"RWOSGC"


def known_type(name):
    """The name of a type of file system.  Raises UsageError."""
    if name not in FILE_SYSTEMS:
        known = sorted(FILE_SYSTEMS)
        hint = did_you_mean(name, known) or f"it knows {', '.join(known)}"
        raise UsageError(f"'{name}' is no file system that skep knows", hint=hint)
    return name


class Options(TaskOptions):
    letters = {"pid": "-p", "duration": "-d"}

    type: str = option(
        "-t",
        "--type",
        metavar="TYPE",
        check=known_type,
        choices=sorted(FILE_SYSTEMS),
        help="type of file system",
    )
    csv: bool = option("-j", "-s", "--csv", help="comma-separated values, as bcc's")
    min_ms: int = option(
        default=10, check=not_negative, help="only longer ones, in ms (10); 0 for all"
    )

    def finish(self):
        if self.type is None:
            known = ", ".join(sorted(FILE_SYSTEMS))
            raise UsageError("which type of file system?", hint=f"-t, one of {known}")
        self.fs = FILE_SYSTEMS[self.type]
        self.least_ns = self.min_ms * 1000000 + 1000 if self.min_ms else 0
        if self.csv and self.format == "json":
            raise UsageError("-j and --format json exclude each other")
        if self.csv:
            self.format = "csv"


def BANNER(options):
    what = f"Tracing {options.fs.title} operations"
    if options.type == "nfs":
        slower = f" that are slower than {options.min_ms} ms" if options.min_ms else ""
        return f"{what}{slower}... Ctrl-C to quit"
    return f"{what} slower than {options.min_ms} ms" if options.min_ms else what


def as_table(options):
    return not options.csv


class Operation(Record):
    timestamp: Time = column(when=Options.timestamp)
    end: MonotonicUs = column(title="ENDTIME_us", when=Options.csv)
    time: WallClock = column(when=as_table)
    uid: Uid = column(when=Options.show_uid)
    comm: Comm = column(width=14, format=".14", when=as_table)
    task: Comm = column(title="TASK", when=Options.csv)
    pid: Pid = column(width=lambda o: 7 if o.type == "btrfs" else 6)
    operation: FileOperation = column(title=lambda o: "TYPE" if o.csv else "T")
    ret: Ret = column(title="BYTES", width=7, align="<")
    offset: KiloBytes = column(title="OFF_KB", width=8, align="<", when=as_table)
    position: S64 = column(title="OFFSET_b", when=Options.csv)
    latency: LatencyMs = column(when=as_table)
    duration: LatencyUs = column(title="LATENCY_us", when=Options.csv)
    file: Text = column(title=lambda o: "FILE" if o.csv else "FILENAME")


class Commit(Record):
    begun_ns: U64
    comm: Comm
    pid: U64


operations = Stream(Operation)
commits = Map("u64", Commit)

functions = on.Plan("functions of the file system")
calls = on.Plan(
    "system calls",
    note="opens include the search for the path; not seen: opens that fail, what the"
    " kernel does by itself (page faults, sendfile, io_uring, nfsd, overlays)",
)


def of_nfs(options):
    return options.type == "nfs"


def traced(name, prototype):
    """At the return of a function of the file system, if that has it."""
    return on.exit(
        lambda options: getattr(options.fs, name),
        module=lambda options: options.fs.module,
        prototype=prototype,
        when=lambda options: getattr(options.fs, name),
    )


@functions
@traced("read", READ_WRITE)
def read(iocb, ret, elapsed_ns):
    transferred(READ, iocb, ret, elapsed_ns)


@functions
@traced("write", READ_WRITE)
def written(iocb, ret, elapsed_ns):
    transferred(WRITE, iocb, ret, elapsed_ns)


@functions
@traced("open", OPEN)
def opened(filp, ret, elapsed_ns):
    done(OPENED, filp, 0, ret, elapsed_ns)


@functions
@on.exit(
    "nfs4_file_open",
    module="nfsv4",
    prototype=OPEN,
    optional=True,
    when=of_nfs,
)
def opened_nfs4(filp, ret, elapsed_ns):
    done(OPENED, filp, 0, ret, elapsed_ns)


@functions
@traced("sync", SYNC)
def synced(filp, ret, elapsed_ns):
    done(SYNCED, filp, 0, ret, elapsed_ns)


@functions
@traced("getattr", GETATTR)
def got_attributes(path, ret, elapsed_ns):
    if wanted(elapsed_ns):
        show(GETATTRS, path.dentry.d_sb, path.dentry, 0, ret, elapsed_ns)


@functions
@on.raw_tracepoint("nfs_initiate_commit", COMMIT, "nfs", when=of_nfs)
def commit_begun(data):
    if bpf.has_type("struct nfs_commit_data") and Options.selected():
        begun = Commit(begun_ns=bpf.ktime_ns(), pid=bpf.pid(), comm=bpf.comm())
        commits.update(bpf.address(data), begun)


@functions
@on.raw_tracepoint("nfs_commit_done", COMMIT_DONE, "nfs", when=of_nfs)
def committed(task, data):
    if not bpf.has_type("struct nfs_commit_data"):
        return  # modules of Linux 5.10 do not tell their types
    commit = commits.lookup(bpf.address(data))
    if commit is None:
        return
    elapsed_ns = bpf.ktime_ns() - commit.begun_ns
    if is_slow(elapsed_ns):
        operations.emit(
            pid=commit.pid,
            comm=commit.comm,
            task=commit.comm,
            operation=COMMITTED,
            ret=task.tk_status,
            offset=0,
            position=0,
            latency=elapsed_ns,
            duration=elapsed_ns,
            file=bpf.kernel(data.context.dentry.d_name.name),
        )
    commits.delete(bpf.address(data))


@bpf.inline
def transferred(operation, iocb, ret, elapsed_ns):
    # The position has moved by what was read or written.
    position = iocb.ki_pos - (ret if ret > 0 else 0)
    done(operation, iocb.ki_filp, position, ret, elapsed_ns)


@calls
@on.syscall_exit("read", "readv", "write", "writev")
def moved_on(number, fd, ret, elapsed_ns):
    called(fs.direction(number, READ, WRITE), fd, -1, ret, elapsed_ns)


@calls
@on.syscall_exit("pread64", "pwrite64")
def moved_at(number, fd, pos, ret, elapsed_ns):
    called(fs.direction(number, READ, WRITE), fd, pos, ret, elapsed_ns)


@calls
@on.syscall_exit("preadv", "preadv2", "pwritev", "pwritev2")
def moved_vector_at(number, fd, pos_l, pos_h, ret, elapsed_ns):
    position = fs.position_of(pos_l, pos_h)
    called(fs.direction(number, READ, WRITE), fd, position, ret, elapsed_ns)


@calls
@on.syscall_exit("fsync", "fdatasync")
def synced_call(fd, ret, elapsed_ns):
    called(SYNCED, fd, 0, ret, elapsed_ns)


@calls
@on.syscall_exit("open", "openat", "openat2", "creat")
def opened_call(ret, elapsed_ns):
    if ret >= 0:
        called(OPENED, ret, 0, 0, elapsed_ns)


@bpf.inline
def called(operation, fd, position, ret, elapsed_ns):
    """`position` -1 stands for the file's own, which has moved by the result."""
    if not wanted(elapsed_ns):
        return
    file = fs.file_of(fd)
    if file is None or not fs.is_regular(file):
        return
    if position < 0:
        position = file.f_pos - (ret if ret > 0 else 0)
    show(operation, file.f_inode.i_sb, file.f_path.dentry, position, ret, elapsed_ns)


@bpf.inline
def done(operation, file, position, ret, elapsed_ns):
    if wanted(elapsed_ns):
        sb = file.f_inode.i_sb
        show(operation, sb, file.f_path.dentry, position, ret, elapsed_ns)


@bpf.inline
def is_slow(elapsed_ns):
    return not Options.least_ns or elapsed_ns >= Options.least_ns


@bpf.inline
def wanted(elapsed_ns):
    return is_slow(elapsed_ns) and Options.selected()


@bpf.inline
def show(operation, sb, dentry, position, ret, elapsed_ns):
    if sb.s_magic != Options.fs.magic:
        return
    operations.emit(
        operation=operation,
        ret=ret,
        offset=position,
        position=position,
        latency=elapsed_ns,
        duration=elapsed_ns,
        file=bpf.kernel(dentry.d_name.name),
    )
