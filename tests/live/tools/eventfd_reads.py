"""Show reads of eventfd(2) as they return, by a kretprobe."""

from skep import Record, Stream, TaskOptions, on
from skep.fields import Pid, Ret, Tid


class Options(TaskOptions):
    pass


class Read(Record):
    pid: Pid
    tid: Tid
    ret: Ret


reads = Stream(Read)


@on.kretprobe("eventfd_read", prototype="ssize_t ()", when=Options.selected)
def returned(ret):
    reads.emit(ret=ret)
