"""Trace slow calls of functions, of the kernel and of user programs.

A function is FUNCTION (of the kernel), LIBRARY:FUNCTION or /PATH:FUNCTION; several may
be given, and "*" in a name stands for any characters.

Examples:
    funcslower vfs_write            calls that take more than 1 ms
    funcslower -m 10 vfs_write      more than 10 ms
    funcslower -u 10 c:open         a function of the C library, more than 10 us
    funcslower -p 135 c:open        in one process
    funcslower c:malloc c:free      several functions
    funcslower -a 2 c:open          with two arguments
    funcslower -UK -m 30 vfs_fsync  with stacks
    funcslower -fUK -u 100 c:write  stacks only, for flame graphs
"""

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.errors import Span, UsageError
from skep.fields import (
    Comm,
    Hex,
    Latency,
    Pid,
    Time,
    Uid,
    WallClock,
)
from skep.fields.places import PlaceName
from skep.fields.stacks import KernelStack, UserStack
from skep.frontends.function_pattern import parse, syscall_places
from skep.toolkit import Declared, check_stacks, limit_of_time

SAMPLE = {"functions": ["c:getaddrinfo"]}
SHOWN = ("folded", "flamegraph")

MOST_ARGUMENTS = 6


def number_of_arguments(number):
    if not 0 < number <= MOST_ARGUMENTS:
        raise UsageError(f"{number} is not between 1 and {MOST_ARGUMENTS}")
    return number


class Options(TaskOptions):
    letters = {"pid": "-p", "timestamp": "-t"}
    min_ms: float = option(
        "-m", "--min-ms", check=limit_of_time, help="calls of so many milliseconds"
    )
    min_us: float = option(
        "-u", "--min-us", check=limit_of_time, help="calls of so many microseconds"
    )
    arguments: int = option(
        "-a",
        "--arguments",
        metavar="N",
        check=number_of_arguments,
        help="show so many arguments, as numbers",
    )
    time: bool = option("-T", "--time", help="show the time of day")
    user_stack: bool = option("-U", "--user-stack", help="show the program's stack")
    kernel_stack: bool = option("-K", "--kernel-stack", help="show the kernel's stack")
    folded: bool = option("-f", "--folded", help="stacks only, each in one line")
    flamegraph: str = option(
        "--flamegraph", metavar="FILE", help="draw the stacks, as SVG"
    )
    functions: str = option(metavar="FUNCTION", repeat=True, help="what to time")

    def finish(self):
        if not self.functions:
            raise UsageError("no FUNCTION", hint="see 'skep funcslower --help'")
        self.places = [parse(text, kinds="p") for text in self.functions]
        check_stacks(self)
        text = " ".join(self.functions)
        self.span = Span("FUNCTION", 1, 0, len(text), text)
        self.known_places = syscall_places(self.places)
        self.threshold_ns = round((self.min_us or 1000) * 1000)
        if self.min_ms:
            self.threshold_ns = round(self.min_ms * 1000000)

    @property
    def unit(self):
        """That of the latencies that are shown."""
        return "us" if self.min_us else "ms"


def banner(options, places):
    unit = options.unit
    limit = options.threshold_ns / (1000 if unit == "us" else 1000000)
    return f"Tracing function calls slower than {limit:g} {unit}... Ctrl+C to quit."


def argument(number):
    return lambda options: (options.arguments or 0) >= number


class Slow(Record):
    time: WallClock = column(width=10, when=Options.time)
    timestamp: Time = column(width=10, format=".6f", when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    comm: Comm = column(width=14, format=".14")
    pid: Pid = column(width=6)
    latency: Latency = column(format=lambda options: options.unit)
    ret: Hex = column(title="RVAL", width=16, align=">", format="x")
    func: PlaceName = column(width=0)
    arg1: Hex = column(title="ARGS", width=0, when=argument(1))
    arg2: Hex = column(title=" ", width=0, when=argument(2))
    arg3: Hex = column(title=" ", width=0, when=argument(3))
    arg4: Hex = column(title=" ", width=0, when=argument(4))
    arg5: Hex = column(title=" ", width=0, when=argument(5))
    arg6: Hex = column(title=" ", width=0, when=argument(6))
    kernel_stack: KernelStack = column(when=Options.kernel_stack)
    user_stack: UserStack = column(when=Options.user_stack)


slow = Stream(Slow)

functions = on.Plan("kernel functions")
system_calls = on.Plan("system calls", note="timed as system calls, not as functions")


def declare(options, target):
    """A probe for the functions of the kernel, and one for each library."""
    handler = with_arguments if options.arguments else plain
    in_kernel = [each for each in options.places if each.in_kernel]
    libraries = {}
    for each in options.places:
        if each.in_user:
            libraries.setdefault(each.library, []).append(each.name)
    probes = {
        f"library_{number}": on.uretprobe(library, *names, pid=options.pid)(handler)
        for number, (library, names) in enumerate(libraries.items(), 1)
    }
    calls = [name for each in in_kernel for name in each.syscall_names]
    all_calls = bool(calls) and len(calls) == len(in_kernel)
    # The function of a system call has one argument, the caller's registers.
    if in_kernel and not (all_calls and options.arguments):
        names = [each.name for each in in_kernel]
        probes["kernel"] = functions(on.exit(*names)(handler))
    if all_calls:  # they can be timed where functions cannot
        handler = call_with_arguments if options.arguments else system_call
        probes["system_calls"] = system_calls(on.syscall_exit(*calls)(handler))
    return Declared(probes=probes)


def plain(place, ret, elapsed_ns):
    emit(place, ret, elapsed_ns, 0, 0, 0, 0, 0, 0)


def system_call(number, ret, elapsed_ns):
    emit(number, ret, elapsed_ns, 0, 0, 0, 0, 0, 0)


def call_with_arguments(number, ret, elapsed_ns, arg1, arg2, arg3, arg4, arg5, arg6):
    emit(number, ret, elapsed_ns, arg1, arg2, arg3, arg4, arg5, arg6)


def with_arguments(place, ret, elapsed_ns, arg1, arg2, arg3, arg4, arg5, arg6):
    emit(place, ret, elapsed_ns, arg1, arg2, arg3, arg4, arg5, arg6)


@bpf.inline
def emit(place, ret, elapsed_ns, arg1, arg2, arg3, arg4, arg5, arg6):
    if elapsed_ns >= Options.threshold_ns and Options.selected():
        slow.emit(
            latency=elapsed_ns,
            ret=bpf.u64(ret),
            func=place,
            arg1=arg1,
            arg2=arg2,
            arg3=arg3,
            arg4=arg4,
            arg5=arg5,
            arg6=arg6,
        )
