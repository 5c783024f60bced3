"""Count system calls by number: a histogram, with --by-pid one per process."""

from skep import Histogram, Record, TaskOptions, bpf, column, on, option
from skep.fields import Pid


class Options(TaskOptions):
    by_pid: bool = option("--by-pid", help="a histogram per process")
    interval: float = option()
    count: int = option()


class Key(Record):
    pid: Pid = column(when=Options.by_pid)


calls = Histogram(Key, unit="number", total=True)


@on.raw_tracepoint("sys_enter", when=Options.selected)
def entered(id):
    calls.record(id, pid=bpf.pid())
