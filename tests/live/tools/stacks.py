"""Count calls of skep_bottom by the stack that leads there: a table."""

from skep import Record, Table, TaskOptions, on, option
from skep.fields import U64
from skep.fields.stacks import UserStack


class Options(TaskOptions):
    program: str = option(help="the workload")


class Key(Record):
    stack: UserStack


class Sums(Record):
    calls: U64


calls = Table(Key, Sums, keys=40000)


@on.uprobe(Options.program, "skep_bottom")
def reached():
    calls.add(calls=1)
