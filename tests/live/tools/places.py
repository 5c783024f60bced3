"""Every kind of probe and of map at once; `what` tells which handler it was."""

from skep import Map, Record, Stream, TaskOptions, bpf, on
from skep.fields import S64, U8, U64, Comm, Pid


class Options(TaskOptions):
    pass


class Event(Record):
    pid: Pid
    comm: Comm
    what: U8
    number: S64


class Seen(Record):
    times: U64
    last_ns: U64


TICK, SAMPLE, SLEPT, EXECUTED, EXITED = 1, 2, 3, 4, 5

events = Stream(Event)
stacks = Map("u32", "u64[127]", kind="stack_trace", size=1024)
seen = Map("u64", Seen)
longest = Map("u32", "u64", kind="percpu_array", size=1)
recent = Map("u32", "u64", kind="lru_hash", size=128)


@on.interval(0.05)
def tick():
    events.emit(what=TICK, number=0)


@on.perf_event("cpu-clock", frequency=50)
def sampled():
    kernel = stacks.stack_id()
    user = stacks.stack_id(user=True)
    if kernel >= 0 or user >= 0:
        events.emit(what=SAMPLE, number=0)


@on.syscall_exit("nanosleep", "clock_nanosleep", when=Options.selected)
def slept(ret, elapsed_ns):
    entry = longest.lookup(0)
    if entry is not None and elapsed_ns > entry.value:
        entry.value = elapsed_ns
    recent.update(bpf.tid(), elapsed_ns)
    if ret == 0:
        events.emit(what=SLEPT, number=elapsed_ns)


@on.raw_tracepoint("sched_process_exec", when=Options.selected)
def executed(p):
    task = bpf.address(p)
    entry = seen.lookup(task)
    if entry is None:
        seen.update(task, Seen(times=0, last_ns=bpf.ktime_ns()))
        entry = seen.lookup(task)
        if entry is None:
            return
    bpf.atomic_add(entry, "times", 1)
    events.emit(what=EXECUTED, number=entry.times)


@on.tracepoint("sched:sched_process_exit", when=Options.selected)
def exited(pid, comm):
    events.emit(what=EXITED, number=pid, comm=comm)
