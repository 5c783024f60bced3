"""Functions and USDT probes of the workload "calls"; `case` says which."""

from skep import Record, Stream, TaskOptions, bpf, column, on, option
from skep.fields import S64, U64, Pid, Text, Tid


class Options(TaskOptions):
    program: str = option(help="the workload")
    case: str = option("--case", help="the probe")
    pattern: str = option("--pattern", help="names of functions, for the case every")
    only: int = option("--only", help="the process to attach to")


class Call(Record):
    pid: Pid
    tid: Tid
    a: S64
    b: S64
    c: S64
    d: S64
    e: S64
    f: S64
    g: S64
    h: S64
    i: S64
    j: S64
    k: S64
    n: S64
    m: U64
    name: Text = column(size=32)


calls = Stream(Call)


def case(name):
    return lambda options: options.case == name


@on.uprobe(
    Options.program,
    "skep_add",
    pid=Options.only,
    prototype="char *name, int a, short b, u8 c, long d, long e, long f, long g, int h",
    when=case("entry"),
)
def added(name, a, b, c, d, e, f, g, h):
    named(name, a, b, c, d, e, f, g, h)


@on.uretprobe(
    Options.program,
    "skep_sum",
    pid=Options.only,
    prototype="long n",
    when=case("return"),
)
def summed(n, ret, elapsed_ns):
    send(a=n, b=ret, c=elapsed_ns)


@on.uretprobe(
    Options.program,
    "skep_first",
    "skep_last",
    prototype="long (long n)",
    when=case("tail"),
)
def handed_on(n, ret):
    send(a=n, b=ret)


@on.uprobe(Options.program, Options.pattern, pid=Options.only, when=case("every"))
def called():
    send()


@on.usdt(Options.program, "skep:each", pid=Options.only, when=case("each"))
def passed(arg1, arg2, arg3):
    named(bpf.user(bpf.cast(arg2, "char *")), arg1, arg3)


@on.usdt(Options.program, "forms", pid=Options.only, when=case("forms"))
def formed(
    arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13
):
    send(arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12)
    send(a=-1, m=arg13)


@on.usdt(
    Options.program,
    "skep:mixed",
    pid=Options.only,
    prototype="double d, int five",
    when=case("mixed"),
)
def mixed(five):
    send(a=five)


@on.usdt(Options.program, "skep:mixed", when=case("float"))
def floating(arg1):
    send(a=arg1)


@bpf.inline
def send(a=0, b=0, c=0, d=0, e=0, f=0, g=0, h=0, i=0, j=0, k=0, n=0, m=0):
    named(bpf.task().comm, a, b, c, d, e, f, g, h, i, j, k, n, m)


@bpf.inline
def named(name, a, b=0, c=0, d=0, e=0, f=0, g=0, h=0, i=0, j=0, k=0, n=0, m=0):
    calls.emit(
        a=a, b=b, c=c, d=d, e=e, f=f, g=g, h=h, i=i, j=j, k=k, n=n, m=m, name=name
    )
