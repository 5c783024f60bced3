"""Count the stacks that lead to functions, tracepoints and USDT probes.

A pattern is FUNCTION (of the kernel), LIBRARY:FUNCTION, /PATH:FUNCTION, p::FUNCTION,
p:LIBRARY:FUNCTION, t:CATEGORY:EVENT, u:LIBRARY:PROBE or u:LIBRARY:PROVIDER:PROBE; "*"
in a name stands for any characters.

Examples:
    stackcount submit_bio               stacks that lead to I/O of block devices
    stackcount -s ip_output             with offsets in functions
    stackcount -P c:malloc              by process
    stackcount -f t:sched:sched_switch  folded, for flame graphs
    stackcount --flamegraph out.svg t:sched:sched_switch
    stackcount -K -i 1 't:block:*'      stacks in the kernel only, every second
"""

from skep import Record, Table, TaskFilters, bpf, column, option
from skep.errors import UsageError
from skep.fields import U64, Comm, Pid
from skep.fields.stacks import KernelStack, UserStack
from skep.frontends.function_pattern import parse
from skep.frontends.place_probes import probes_at
from skep.toolkit import Declared, check_drawn, cpu, positive

SAMPLE = {"pattern": "c:getaddrinfo"}
FAREWELL = "Detaching..."
TIMES = ("timestamp",)
SHOWN = ("offset", "verbose", "delimited", "folded", "flamegraph")


class Options(TaskFilters):
    letters = {"pid": "-p", "duration": "-D"}
    timestamp: bool = option("-T", "--timestamp", help="show the time of day")
    interval: float = option(
        "-i", "--interval", check=positive, help="seconds between reports"
    )
    regexp: bool = option("-r", "--regexp", help="the name is a regular expression")
    offset: bool = option("-s", "--offset", help="show offsets in functions")
    per_process: bool = option("-P", "--perpid", help="stacks of each process")
    kernel_only: bool = option(
        "-K", "--kernel-stacks-only", help="only stacks in the kernel"
    )
    user_only: bool = option("-U", "--user-stacks-only", help="only stacks of programs")
    verbose: bool = option(
        "-v", "--verbose", help="show addresses, and what is attached"
    )
    delimited: bool = option("-d", "--delimited", help="a line between both stacks")
    folded: bool = option("-f", "--folded", help="a line for each stack")
    flamegraph: str = option("--flamegraph", metavar="FILE", help="draw it, as SVG")
    cpu: int = option("-c", "--cpu", check=cpu, help="only on this CPU")
    debug: bool = option("--debug", help="print the programs, and stop")
    pattern: str = option(metavar="PATTERN", help="what to count")

    def finish(self):
        if self.pattern is None:
            raise UsageError("no PATTERN", hint="see 'skep stackcount --help'")
        if self.kernel_only and self.user_only:
            raise UsageError(
                "-K and -U exclude each other", hint="without them, both are shown"
            )
        if not check_drawn(self) and self.format == "table":
            if self.sort or self.columns:
                raise UsageError(
                    "blocks of stacks have no columns; the smallest counts come first",
                    hint="--sort and --columns are for --format csv and --json",
                )
        self.places = parse(self.pattern, self.regexp)
        self.span = self.places.span
        if self.debug:
            self.dump = "asm"
        words = [("offset", self.offset or self.verbose), ("address", self.verbose)]
        self.frames = " ".join(word for word, is_shown in words if is_shown)


def banner(options, places):
    return (
        f'Tracing {places or 1} functions for "{options.pattern}"... Hit Ctrl-C to end.'
    )


class Caller(Record):
    comm: Comm = column(when=Options.per_process)
    pid: Pid = column(when=Options.per_process)
    kernel_stack: KernelStack = column(
        format=lambda options: options.frames,
        when=lambda options: not options.user_only,
    )
    user_stack: UserStack = column(
        format=lambda options: options.frames,
        when=lambda options: not options.kernel_only,
    )


class Calls(Record):
    count: U64 = column(width=8)


calls = Table(Caller, Calls, keys=16384)


def declare(options, target):
    return Declared(probes=probes_at(options.places, count, options.pid))


def count():
    if Options.cpu is not None and bpf.cpu() != Options.cpu:
        return
    if Options.selected():
        calls.add(count=1)
