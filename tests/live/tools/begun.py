"""Show failing opens; records of those that succeed are begun, but not sent."""

from skep import Record, Stream, TaskOptions, column, on
from skep.fields import Args, Pid


class Options(TaskOptions):
    pass


class Open(Record):
    pid: Pid
    parts: Args = column(size=300)


opens = Stream(Open)


@on.syscall_exit("openat", when=Options.selected)
def opened(filename, ret):
    row = opens.begin()
    row.append(filename)
    if ret >= 0:
        return
    row.append(filename)
    row.emit()
