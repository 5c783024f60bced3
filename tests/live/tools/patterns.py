"""Count calls of kernel functions by a pattern: a table."""

from skep import Record, Table, TaskOptions, on, option
from skep.fields import S64, U64


class Options(TaskOptions):
    patterns: str = option("--function", repeat=True, help="functions, with *")
    results: bool = option("--results", help="what they return, too")
    interval: float = option()


class Result(Record):
    ret: S64


class Sums(Record):
    calls: U64


calls = Table(Result, Sums)


def counted(options):
    return not options.results


@on.entry(lambda options: tuple(options.patterns or ("vfs_read*",)), when=counted)
def entered(arg1):
    if Options.selected() and arg1 != 0:
        calls.add(ret=0, calls=1)


@on.exit(
    lambda options: tuple(options.patterns or ("vfs_read*",)),
    prototype="int ()",
    when=Options.results,
)
def returned(ret):
    if Options.selected():
        calls.add(ret=ret, calls=1)
