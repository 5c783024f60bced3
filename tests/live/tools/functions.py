"""Show calls of do_dentry_open, which opens every file."""

from skep import Record, Stream, TaskOptions, bpf, on, option
from skep.fields import S64, U64, DurationNs, Pid, Ret, Text


class Options(TaskOptions):
    entry: bool = option("--entry", help="entries, too")


class Call(Record):
    pid: Pid
    at: S64
    file: U64
    magic: U64
    ret: Ret
    elapsed: DurationNs
    name: Text


calls = Stream(Call)

PROTOTYPE = "int (struct file *f)"


@on.entry("do_dentry_open", prototype=PROTOTYPE, when=lambda options: options.entry)
def entered(f):
    if Options.selected():
        emit(f, 0, 0, 0, 0)


@on.exit("do_dentry_open", prototype=PROTOTYPE, when=Options.selected)
def returned(f, ret, elapsed_ns):
    emit(f, 1, f.f_inode.i_sb.s_magic, ret, elapsed_ns)


@bpf.inline
def emit(f, at, magic, ret, elapsed_ns):
    calls.emit(
        at=at,
        file=bpf.address(f),
        magic=magic,
        ret=ret,
        elapsed=elapsed_ns,
        name=bpf.kernel(f.f_path.dentry.d_name.name),
    )
