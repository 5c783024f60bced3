"""List kernel tracepoints, and USDT probes of libraries and processes.

FILTER is a pattern as shells have them ("*", "?", "[abc]"), for CATEGORY:EVENT or
PROVIDER:PROBE.

Examples:
    tplist                    all tracepoints
    tplist 'sched:sched_*'    those of one kind
    tplist -v block:block_rq_issue    one with its fields
    tplist -l stdc++          USDT probes of the library libstdc++
    tplist -l python3 'python:gc*' -vv    with their places and arguments
    tplist -p 181             those of all that a process has mapped
"""

from skep import Record, RunOptions, column, option
from skep.errors import UsageError
from skep.fields import Pid
from skep.fields.listed import Details, Semaphore, Word
from skep.toolkit import Listing, probe_places


class Options(RunOptions):
    pid: Pid = option("-p", "--pid", metavar="PID", help="only of this process")
    library: str = option(
        "-l", "--lib", metavar="LIBRARY", help="USDT probes of a library or program"
    )
    verbose: bool = option(
        "-v", "--verbose", repeat=True, help="show fields or numbers; -vv: all places"
    )
    filter: str = option(metavar="FILTER", default="*", help="only matching names")

    def finish(self):
        if self.library == "":
            raise UsageError("-l/--lib: no library is named")


def detailed(options):
    return options.verbose or options.format == "json"


def brief(options):
    return not options.verbose or options.format != "table"


class Tracepoint(Record):
    name: Word
    fields: Details = column(when=detailed, width=4)


class Usdt(Record):
    path: Word = column(when=brief)
    name: Word
    semaphore: Semaphore = column(when=detailed)
    locations: Details = column(when=detailed, width=2)


def listing(options, target):
    if options.pid is None and options.library is None:
        names = probe_places.tracepoints(target, options.filter)
        return Listing(Tracepoint, (tracepoint(n, options, target) for n in names))
    library, pid = options.library or "", options.pid or 0
    found = probe_places.usdt(target, library, pid, options.filter)
    return Listing(Usdt, (usdt(places, options, target) for places in found))


def tracepoint(name, options, target):
    if not detailed(options):
        return Tracepoint(name=name)
    return Tracepoint(name=name, fields=probe_places.fields(target, name))


def usdt(places, options, target):
    path, probe = places[0]
    return Usdt(
        path=path,
        name=f"{probe.provider}:{probe.name}",
        semaphore=probe.semaphore,
        locations=probe_places.locations(places, target.arch, options.verbose),
    )
