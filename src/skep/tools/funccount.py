"""Count calls of functions, tracepoints and USDT probes, by pattern.

A pattern is FUNCTION (of the kernel), LIBRARY:FUNCTION, /PATH:FUNCTION, p::FUNCTION,
p:LIBRARY:FUNCTION, t:CATEGORY:EVENT, u:LIBRARY:PROBE or u:LIBRARY:PROVIDER:PROBE; "*"
in a name stands for any characters.

Examples:
    funccount 'vfs_*'             functions of the kernel
    funccount -r '^vfs_(read|write)$'   the same, by a regular expression
    funccount c:malloc            a function of the C library
    funccount -p 181 'c:str*'     functions of a library in one process
    funccount t:sched:sched_process_fork  a tracepoint
    funccount -i 1 't:block:*'    tracepoints, every second
    funccount 'u:stdc++:*'        USDT probes of a library
"""

from skep import Record, Table, TaskFilters, bpf, column, option
from skep.errors import UsageError
from skep.fields import U64
from skep.fields.places import PlaceName
from skep.frontends.function_pattern import parse
from skep.frontends.place_probes import probes_at
from skep.toolkit import Declared, cpu, positive

SAMPLE = {"pattern": "c:getaddrinfo"}
FAREWELL = "Detaching..."
TIMES = ("timestamp",)


class Options(TaskFilters):
    letters = {"pid": "-p", "duration": "-d"}
    timestamp: bool = option("-T", "--timestamp", help="show the time of day")
    interval: float = option(
        "-i", "--interval", check=positive, help="seconds between reports"
    )
    regexp: bool = option("-r", "--regexp", help="the name is a regular expression")
    cpu: int = option("-c", "--cpu", check=cpu, help="only on this CPU")
    debug: bool = option("-D", "--debug", help="print the programs, and stop")
    pattern: str = option(metavar="PATTERN", help="what to count")

    def finish(self):
        if self.pattern is None:
            raise UsageError("no PATTERN", hint="see 'skep funccount --help'")
        self.places = parse(self.pattern, self.regexp)
        self.span = self.places.span
        self.sort = self.sort or "count"
        if self.debug:
            self.dump = "asm"


def banner(options, places):
    return f'Tracing {places} functions for "{options.pattern}"... Hit Ctrl-C to end.'


class Place(Record):
    func: PlaceName


class Calls(Record):
    count: U64 = column(width=8)


calls = Table(Place, Calls, keys=65536)


def declare(options, target):
    return Declared(probes=probes_at(options.places, count, options.pid))


def count(place):
    if Options.cpu is not None and bpf.cpu() != Options.cpu:
        return
    if Options.selected():
        calls.add(func=place, count=1)
