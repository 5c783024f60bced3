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

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.errors import UsageError
from skep.fields import (
    S64,
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
from skep.fields.files import COMMITTED, GETATTR, OPENED, READ, SYNCED, WRITTEN
from skep.kernel import file_calls, fs, nfs
from skep.kernel.filesystems import FILE_SYSTEMS, PROTOTYPES
from skep.toolkit import choose_csv, limit_of_time, one_of


class Options(TaskOptions):
    letters = {"pid": "-p", "duration": "-d"}

    type: str = option(
        "-t",
        "--type",
        metavar="TYPE",
        check=one_of(FILE_SYSTEMS, "file system"),
        choices=sorted(FILE_SYSTEMS),
        help="type of file system",
    )
    csv: bool = option("-j", "-s", "--csv", help="comma-separated values, as bcc's")
    min_ms: int = option(
        default=10, check=limit_of_time, help="only longer ones, in ms (10); 0 for all"
    )

    def finish(self):
        if self.type is None:
            known = ", ".join(sorted(FILE_SYSTEMS))
            raise UsageError("which type of file system?", hint=f"-t, one of {known}")
        self.fs = FILE_SYSTEMS[self.type]
        self.least_ns = self.min_ms * 1000000 + 1000 if self.min_ms else 0
        choose_csv(self, "-j")


def BANNER(options):
    slower = f" slower than {options.min_ms} ms" if options.min_ms else ""
    if of_nfs(options):
        slower = slower and f" that are{slower}"
        return f"Tracing NFS operations{slower}... Ctrl-C to quit"
    return f"Tracing {options.fs.title} operations{slower}"


def as_table(options):
    return not options.csv


def of_nfs(options):
    return options.type == "nfs"


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


operations = Stream(Operation)
functions = on.Plan("functions of the file system")
calls = on.Plan(
    "system calls",
    note="opens include the search for the path; not seen: opens that fail, what the"
    " kernel does by itself (page faults, sendfile, io_uring, nfsd, overlays)",
)


def traced(kind, **other):
    """At the return of a function of the file system, if that has it."""

    def function(options):
        return getattr(options.fs, kind)

    where = {"module": lambda options: options.fs.module, **other}
    probe = on.exit(function, prototype=PROTOTYPES[kind], when=function, **where)
    return lambda handler: functions(probe(handler))


@traced("read")
def read(iocb, ret, elapsed_ns):
    done(READ, iocb.ki_filp, fs.begun_at(iocb, ret), ret, elapsed_ns)


@traced("write")
def written(iocb, ret, elapsed_ns):
    done(WRITTEN, iocb.ki_filp, fs.begun_at(iocb, ret), ret, elapsed_ns)


@traced("open")
def opened(filp, ret, elapsed_ns):
    done(OPENED, filp, 0, ret, elapsed_ns)


@traced("open4", module="nfsv4", optional=True)
def opened_nfs4(filp, ret, elapsed_ns):
    done(OPENED, filp, 0, ret, elapsed_ns)


@traced("sync")
def synced(filp, ret, elapsed_ns):
    done(SYNCED, filp, 0, ret, elapsed_ns)


@traced("getattr")
def got_attributes(path, ret, elapsed_ns):
    if wanted(elapsed_ns):
        show(GETATTR, path.dentry.d_sb, path.dentry, 0, ret, elapsed_ns)


@functions
@on.raw_tracepoint("nfs_initiate_commit", nfs.COMMIT, "nfs", when=of_nfs)
def commit_begun(data):
    if bpf.has_type("struct nfs_commit_data") and Options.selected():
        nfs.begin_commit(data)


@functions
@on.raw_tracepoint("nfs_commit_done", nfs.COMMIT_DONE, "nfs", when=of_nfs)
def committed(task, data):
    if not bpf.has_type("struct nfs_commit_data"):
        return  # modules of Linux 5.10 do not tell their types
    commit = nfs.commit_of(data)
    if commit is None:
        return
    elapsed_ns = bpf.ktime_ns() - commit.begun_ns
    if elapsed_ns >= Options.least_ns:
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
    nfs.end_commit(data)


@calls
@on.syscall_enter(*file_calls.USING)
def use_begun(fd):
    file = fs.file_of(fd)
    if file is not None and Options.selected():
        if file.f_inode.i_sb.s_magic == Options.fs.magic:
            file_calls.begin(bpf.address(file))
            return
    file_calls.forget()


@calls
@on.syscall_enter(*file_calls.OPENING)
def open_begun():
    if Options.selected():
        file_calls.begin(0)
    else:
        file_calls.forget()


@calls
@on.syscall_exit(*file_calls.USING, absent=file_calls.ABSENT)
def used(number, pos, pos_l, pos_h, flags, ret):
    call = file_calls.ended()
    if call is None:
        return
    file = bpf.cast(call.file, "struct file *")
    elapsed_ns = bpf.ktime_ns() - call.begun_ns
    file_calls.forget()
    if not wanted(elapsed_ns):
        return
    operation = file_calls.operation_of(number)
    if not fs.is_regular(file):
        if operation != SYNCED or not synced_directory(file):
            return
    position = file_calls.position_of(operation, file, pos, pos_l, pos_h, flags, ret)
    # What is refused before it comes to the file system is none of its operations.
    if ret != file_calls.NOT_OPEN_FOR_THAT and position >= 0:
        sb = file.f_inode.i_sb
        show(operation, sb, file.f_path.dentry, position, ret, elapsed_ns)


@calls
@on.syscall_exit(*file_calls.OPENING)
def opened_file(ret):
    call = file_calls.ended()
    if call is None:
        return
    elapsed_ns = bpf.ktime_ns() - call.begun_ns
    file_calls.forget()
    file = fs.file_of(ret)
    if file is not None and fs.is_regular(file):
        done(OPENED, file, 0, 0, elapsed_ns)  # its result is no descriptor


@bpf.inline
def synced_directory(file):
    return Options.fs.syncs_directories and fs.is_directory(file)


@bpf.inline
def done(operation, file, position, ret, elapsed_ns):
    if wanted(elapsed_ns):
        sb = file.f_inode.i_sb
        show(operation, sb, file.f_path.dentry, position, ret, elapsed_ns)


@bpf.inline
def wanted(elapsed_ns):
    return elapsed_ns >= Options.least_ns and Options.selected()


@bpf.inline
def show(operation, sb, dentry, position, ret, elapsed_ns):
    if sb.s_magic == Options.fs.magic:
        operations.emit(
            operation=operation,
            ret=ret,
            offset=position,
            position=position,
            latency=elapsed_ns,
            duration=elapsed_ns,
            file=bpf.kernel(dentry.d_name.name),
        )
