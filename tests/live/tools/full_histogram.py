"""Count calls of skep_add by its second argument: histograms with little room."""

from skep import Histogram, Record, TaskOptions, on, option
from skep.fields import S64

BANNER = "Counting."


class Options(TaskOptions):
    program: str = option(help="the workload")
    interval: float = option("--interval")


class Key(Record):
    a: S64


calls = Histogram(Key, unit="value", keys=64)


@on.uprobe(Options.program, "skep_add", prototype="char *name, int a")
def added(a):
    if Options.selected():
        calls.record(a, a=a)
