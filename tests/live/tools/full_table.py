"""Count calls of skep_add by its second argument: a table with little room."""

from skep import Record, Table, TaskOptions, on, option
from skep.fields import S64, U64

BANNER = "Counting."


class Options(TaskOptions):
    program: str = option(help="the workload")
    interval: float = option("--interval")


class Key(Record):
    a: S64


class Sums(Record):
    calls: U64


calls = Table(Key, Sums, keys=64)


@on.uprobe(Options.program, "skep_add", prototype="char *name, int a")
def added(a):
    if Options.selected():
        calls.add(a=a, calls=1)
