"""Trace new processes: the execve(2) and execveat(2) system calls.

Shows each program that starts, with its arguments, its parent and, with -x, the
attempts that failed.  A fork that executes nothing is not shown.

Examples:
    execsnoop              every program that starts
    execsnoop -x           failed attempts, too
    execsnoop -T -U        with the time of day and the user
    execsnoop -q -n java   arguments in quotes, only programs called java
"""

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.errors import UsageError
from skep.fields import (
    Comm,
    Cpu,
    ExecArgs,
    Interpreted,
    Pid,
    Ppid,
    Ret,
    SinceStart,
    Uid,
    WallClock,
)
from skep.toolkit import matches, positive


class Options(TaskOptions):
    letters = {"uid": "-u", "timestamp": "-t", "show_uid": "-U"}

    time: bool = option("-T", "--time", help="show the time of day")
    fails: bool = option("-x", "--fails", help="show attempts that failed, too")
    quote: bool = option("-q", "--quote", help="put arguments in quotes")
    name: str = option(
        "-n", "--name", metavar="REGEX", help="show only names that match"
    )
    line: str = option(
        "-l", "--line", metavar="REGEX", help="show only arguments that match"
    )
    show_cpu: bool = option("-C", "--print-cpu", help="show the CPU")
    show_pcomm: bool = option("-M", "--print-pcomm", help="show the parent's name")
    max_args: int = option(
        "--max-args",
        metavar="N",
        default=20,
        check=positive,
        help="arguments to show at most (20)",
    )
    ppid: Pid = option("-P", "--ppid", help="only children of this process")

    def finish(self):
        # The verifier follows every round of the loop over a failed call's arguments.
        if self.fails and self.max_args > 500:
            raise UsageError("-x shows at most 500 arguments (--max-args)")


SHOWN = ("name", "line", "quote")


class Exec(Record):
    time: WallClock = column(when=Options.time)
    elapsed: SinceStart = column(when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    comm: Comm
    pid: Pid
    pcomm: Comm = column(title="PCOMM", when=Options.show_pcomm)
    ppid: Ppid
    cpu: Cpu = column(width=4, when=Options.show_cpu)
    ret: Ret
    script: Interpreted
    args: ExecArgs = column(
        size=8000, format=lambda o: f"{o.max_args}{'q' if o.quote else ''}"
    )


execs = Stream(Exec)


def filters(options):
    arguments = "' '.join(args)"
    return [*matches("comm", options.name), *matches(arguments, options.line)]


@bpf.inline
def selected():
    if Options.ppid is not None and bpf.ppid() != Options.ppid:
        return False
    return Options.selected()


@on.raw_tracepoint("sched_process_exec", when=selected)
def executed(p, bprm):
    # The new program's own memory has the arguments, as one piece: nothing needs to be
    # saved at the start of the call, and all ways to execute are seen.
    row = execs.begin()
    # The stack that the kernel has made has the name of the file, too (AT_EXECFN), and
    # is read where lockdown closes the kernel's own memory.
    row.append(bpf.user(bprm.exec))
    first = p.mm.arg_start
    row.append(bpf.memory(bpf.user(first), p.mm.arg_end - first))
    script = bpf.address(bprm.interp) != bpf.address(bprm.filename)
    # By the argument's type, which is known also where that of the current task is not
    # (before 5.11).
    parent = p.real_parent
    row.emit(ret=0, script=script, ppid=parent.tgid, pcomm=parent.comm)


@on.syscall_failure("execve", when=Options.fails)
def failed(filename, argv, ret):
    emit_failure(filename, argv, ret)


@on.syscall_failure("execveat", when=Options.fails)
def failed_at(filename, argv, ret):
    emit_failure(filename, argv, ret)


@bpf.inline
def emit_failure(filename, argv, ret):
    if ret >= 0 or not selected():
        return
    row = execs.begin()
    row.append(filename)
    # One more than is shown tells that there are more.
    for i in range(Options.max_args + 2):
        if bpf.compat():
            argument = bpf.user(bpf.cast(argv, "u32 *")[i])
        else:
            argument = bpf.user(argv[i])
        if argument is None:
            break
        row.append(argument)
    row.emit(ret=ret, script=0, pcomm=bpf.task().real_parent.comm)
