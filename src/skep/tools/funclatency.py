"""Show how long calls of functions take, as histograms.

A pattern is FUNCTION (of the kernel), LIBRARY:FUNCTION, /PATH:FUNCTION, p::FUNCTION or
p:LIBRARY:FUNCTION; "*" in a name stands for any characters.

Examples:
    funclatency do_sys_openat2    a function of the kernel, in nanoseconds
    funclatency -u vfs_read       in microseconds
    funclatency -mTi 5 vfs_read   in milliseconds, every 5 seconds, with the time
    funclatency -F 'vfs_r*'       a histogram per function
    funclatency c:getaddrinfo     a function of the C library, by process
    funclatency -p 181 c:read     in one process
"""

from skep import Histogram, Record, TaskFilters, bpf, column, on, option
from skep.errors import UsageError
from skep.fields.places import PlaceInProcess, PlaceName
from skep.frontends.function_pattern import parse, syscall_places
from skep.toolkit import positive

SAMPLE = {"pattern": "c:getaddrinfo"}
FAREWELL = "Detaching..."
TIMES = ("timestamp",)


class Options(TaskFilters):
    letters = {"pid": "-p", "duration": "-d"}
    interval: float = option(
        "-i", "--interval", check=positive, help="seconds between reports"
    )
    timestamp: bool = option("-T", "--timestamp", help="show the time of day")
    microseconds: bool = option("-u", "--microseconds", help="count microseconds")
    milliseconds: bool = option("-m", "--milliseconds", help="count milliseconds")
    function: bool = option("-F", "--function", help="a histogram per function")
    regexp: bool = option("-r", "--regexp", help="the name is a regular expression")
    level: int = option(
        "-l",
        "--level",
        check=positive,
        help="not needed: calls within calls are told apart",
    )
    pattern: str = option(metavar="PATTERN", help="what to time")

    def finish(self):
        if self.pattern is None:
            raise UsageError("no PATTERN", hint="see 'skep funclatency --help'")
        self.places = parse(self.pattern, self.regexp, "p")
        self.span = self.places.span
        self.known_places = syscall_places([self.places])
        self.divisor = 1000 if self.microseconds else 1
        if self.milliseconds:
            self.divisor = 1000000

    @property
    def by_process(self):
        """Whether calls are told apart by process: in all that have the library."""
        return self.places.in_user and (self.function or self.pid is None)


def banner(options, places):
    return (
        f'Tracing {places or 1} functions for "{options.pattern}"... Hit Ctrl-C to end.'
    )


class Function(Record):
    function: PlaceName = column(
        title="Function",
        when=lambda options: options.function and options.places.in_kernel,
    )
    called: PlaceInProcess = column(
        title="Function", when=lambda options: options.by_process
    )


latency = Histogram(
    Function,
    unit=lambda options: {1: "nsecs", 1000: "usecs"}.get(options.divisor, "msecs"),
    total=True,
    keys=10240,
)

functions = on.Plan("kernel functions")
system_calls = on.Plan("system calls", note="timed as system calls, not as functions")


@functions
@on.exit(
    lambda options: options.places.name, when=lambda options: options.places.in_kernel
)
def returned(place, elapsed_ns):
    record(place, elapsed_ns)


@system_calls
@on.syscall_exit(
    lambda options: options.places.syscall_names,
    when=lambda options: options.places.syscall_names,
)
def call_returned(number, elapsed_ns):
    record(number, elapsed_ns)


@on.uretprobe(
    lambda options: options.places.library,
    lambda options: options.places.name,
    pid=Options.pid,
    when=lambda options: options.places.in_user,
)
def returned_in_user(place, elapsed_ns):
    record(place, elapsed_ns)


@bpf.inline
def record(place, elapsed_ns):
    if Options.selected():
        process = bpf.u64(bpf.pid()) << 32
        elapsed = elapsed_ns // Options.divisor
        latency.record(elapsed, function=place, called=process | place)
