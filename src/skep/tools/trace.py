"""Trace functions and tracepoints, and show what they are called with.

A probe is 'SPEC (PREDICATE) "FORMAT", VALUE, ...'.  SPEC says where: a function of the
kernel, LIBRARY:FUNCTION, r:LIBRARY:FUNCTION (its return; an empty LIBRARY is the
kernel), t:CATEGORY:EVENT or u:LIBRARY:PROBE.  Predicate and values are C, with
parameters by name, arg1 and so on, retval, args->FIELD, $pid, $tgid, $uid, $gid, $cpu
and $task.

Examples:
    trace 'do_sys_openat2 "%s", filename'         names of files that are opened
    trace 'r:c:malloc (retval == 0) "no memory"'  calls of malloc that failed
    trace 'vfs_read (count > 4096) "%d", count'   large reads
    trace 't:block:block_rq_complete "%d sectors", args->nr_sector'
    trace 'pam:pam_start "%s: %s", arg1, arg2'    logins
    trace -KU 't:sched:sched_process_exec'        who executes programs, with stacks
"""

from skep import Record, TaskOptions, bpf, column, option
from skep.errors import UsageError
from skep.fields import (
    CgroupId,
    Comm,
    Cpu,
    Pid,
    Tid,
    Time,
    Uid,
    UnixTime,
    WallClock,
)
from skep.fields.stacks import KernelStack, UserStack
from skep.frontends.trace import parse
from skep.frontends.trace_handler import Settings, traced
from skep.toolkit import Declared, check_stacks, contains, own_pid, pages, positive

SAMPLE = {"probes": ["c:getaddrinfo"]}
TIMES = ("timestamp", "unix_time", "wall_time")
SHOWN = ("name", "message", "folded", "flamegraph", "addresses", "aggregate")


class Options(TaskOptions):
    letters = {"pid": "-p", "tid": "-L"}
    probes: str = option(metavar="PROBE", repeat=True, help="where, when, what to show")
    buffer_pages: int = option(
        "-b",
        "--buffer-pages",
        metavar="PAGES",
        check=pages,
        help="size of the ring buffer",
    )
    text_size: int = option(
        "-Z",
        "--string-size",
        metavar="BYTES",
        default=80,
        check=positive,
        help="most bytes of a text that are shown (80)",
    )
    include_self: bool = option("-S", "--include-self", help="trace skep, too")
    count: int = option(
        "-M", "--max-events", "--count", metavar="N", help="stop after N events"
    )
    timestamp: bool = option("-t", "--timestamp", help="show seconds since the first")
    unix_time: bool = option("-u", "--unix-timestamp", help="show seconds since 1970")
    wall_time: bool = option("-T", "--time", help="show the time of day")
    show_cpu: bool = option("-C", "--print_cpu", help="show the CPU")
    cgroup: CgroupId = option(
        "-c", "--cgroup-path", "--cgroup", metavar="PATH", help="only this cgroup-v2"
    )
    name: str = option("-n", "--name", help="only threads with this in their name")
    message: str = option(
        "-f", "--msg-filter", metavar="TEXT", help="only messages with this in them"
    )
    binary: bool = option("-B", "--bin_cmp", help="STRCMP compares lists of bytes")
    kernel_stack: bool = option(
        "-K", "--kernel-stack", help="show stacks in the kernel"
    )
    user_stack: bool = option("-U", "--user-stack", help="show stacks of programs")
    folded: bool = option("--folded", help="stacks only, each in one line")
    flamegraph: str = option(
        "--flamegraph", metavar="FILE", help="draw the stacks, as SVG"
    )
    addresses: bool = option("-a", "--address", help="show addresses in stacks")
    aggregate: bool = option(
        "-A", "--aggregate", help="at the end, show how often each event came"
    )
    symbol_files: str = option(
        "-s", "--sym_file_list", metavar="FILES", help="not needed: symbols are found"
    )
    include: str = option(
        "-I",
        "--include",
        metavar="HEADER",
        repeat=True,
        help="not needed: types are known",
    )

    def finish(self):
        if self.pid is not None and self.tid is not None:
            raise UsageError("only one of -p and -L may be specified")
        if self.aggregate and (self.format != "table" or self.sort):
            raise UsageError("-A shows a table in an order of its own")
        check_stacks(self)
        chosen = self.pid is not None or self.tid is not None
        self.left_out = None if self.include_self or chosen else own_pid()
        self.frames = "offset module address" if self.addresses else "offset module"


class Event(Record):
    seconds: Time = column(
        title="TIME",
        width=8,
        format=".6f",
        when=lambda options: options.timestamp and not options.unix_time,
    )
    unix_time: UnixTime = column(when=Options.unix_time)
    time: WallClock = column(
        when=lambda o: o.wall_time and not (o.timestamp or o.unix_time)
    )
    cpu: Cpu = column(width=3, when=Options.show_cpu)
    uid: Uid = column(when=Options.show_uid)
    pid: Pid
    tid: Tid
    comm: Comm = column(width=15)


@bpf.inline
def selected():
    if Options.left_out is not None and bpf.pid() == Options.left_out:
        return False
    return Options.selected()


class Stacks(Record):
    kstack: KernelStack = column(
        width=8, format=lambda o: o.frames, when=Options.kernel_stack
    )
    ustack: UserStack = column(
        width=8, format=lambda o: o.frames, when=Options.user_stack
    )


def declare(options, target):
    probes = [parse(text) for text in options.probes or ()]
    if not probes:
        raise UsageError("what to trace is missing", hint="see 'skep trace --help'")
    settings = Settings(
        options.pid,
        options.text_size,
        options.binary,
        Event,
        Stacks.members,
        "-" if any(probe.format for probe in probes) else "",
        selected,
    )
    made = [traced(probe, n, settings, target) for n, probe in enumerate(probes, 1)]
    return Declared(
        {f"probe{n}": probe for n, (probe, _) in enumerate(made, 1)},
        {f"probe{n}": stream for n, (_, stream) in enumerate(made, 1)},
    )


def filters(options):
    return [*contains("comm", options.name), *contains("probe", options.message)]
