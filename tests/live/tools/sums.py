"""Count system calls by number: a table."""

from skep import Record, Table, TaskOptions, on, option
from skep.fields import S64, U64


class Options(TaskOptions):
    interval: float = option()
    count: int = option()


class Call(Record):
    number: S64


class Sums(Record):
    calls: U64
    numbers: U64


calls = Table(Call, Sums)


@on.raw_tracepoint("sys_enter", when=Options.selected)
def entered(id):
    calls.add(number=id, calls=1, numbers=id)
