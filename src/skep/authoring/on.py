"""Where handlers run: decorators that turn a function into a probe.

Nothing is attached here.  A decorated function is kernel-side code: it is compiled when
the tool starts, with its parameters bound by name to what the probe offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from skep.compiler.environment import KernelFunction, SourceFunction
from skep.named_tuple import NamedTuple
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    Intention,
    Interval,
    PerfEvent,
    RawTracepoint,
    SyscallEnter,
    SyscallExit,
    TestRun,
    Tracepoint,
    Uprobe,
    Uretprobe,
    Usdt,
)


class Plan:
    """One of several ways in which a tool can see what it shows.

    A decorator of its probes, above that which makes the probe.  The plans of a tool
    are tried in the order in which their first probes stand in the module; the probes
    of one are attached together, or the next is tried.  `note` says what the plan does
    not see.
    """

    def __init__(self, name: str, note: str = "") -> None:
        self.name = name
        self.note = note

    def __call__(self, probe: Probe) -> Probe:
        """The probe as a part of this plan."""
        return probe._replace(plan=self)


class Probe(NamedTuple):
    """A handler and where it runs.

    `when` is an option that must be set for the probe to be attached at all, or an
    inline function that is asked before the handler runs, for every event.  A probe
    that belongs to no `plan` is always attached.
    """

    handler: KernelFunction
    intention: Intention
    when: object = None
    plan: Plan | None = None


Decorator = Callable[[SourceFunction], Probe]


def _probe(intention: Intention, when: object) -> Decorator:
    def decorate(handler: SourceFunction) -> Probe:
        return Probe(handler, intention, when)

    return decorate


def syscall_enter(*names: Any, when: object = None) -> Decorator:
    """At the start of system calls; parameters are those of their man pages.

    A handler for calls of any kind names them arg1 to arg6, and has 0 for what a call
    lacks.
    """
    return _probe(SyscallEnter(names), when)


def syscall_exit(
    *names: Any, absent: Mapping[str, int] = {}, when: object = None
) -> Decorator:
    """At the return of system calls; also `ret`, `elapsed_ns` and `number`.

    The number is that of the call in the native ABI, also for 32-bit tasks; compare it
    with `bpf.syscall_number("read")` where one handler is for several calls.  `absent`
    has parameters that not all of them have, and what those are in the others:
    `{"pos": -1}`.
    """
    return _probe(SyscallExit(names, absent=absent), when)


def syscall_failure(*names: Any, when: object = None) -> Decorator:
    """At the return of system calls, for handlers that leave if `ret` is not negative.

    Unlike at `syscall_exit`, the arguments of execve need not be saved at its start.
    """
    return _probe(SyscallExit(names, failed=True), when)


def tracepoint(name: Any, when: object = None) -> Decorator:
    """At a tracepoint "category:event"; parameters are the fields of its record.

    With "*" in the name, at all that match; their only parameter is `place`.
    """
    return _probe(Tracepoint(name), when)


def raw_tracepoint(
    name: str, prototype: str = "", module: str = "", when: object = None
) -> Decorator:
    """At a tracepoint; parameters are its arguments, the kernel's own structures.

    `prototype` ("struct request *rq, int error") is used where BTF has none.  `module`
    is where the tracepoint is, if not in the kernel itself.
    """
    return _probe(RawTracepoint(name, prototype, module), when)


def entry(
    *functions: Any,
    module: Any = "",
    prototype: str = "",
    optional: bool = False,
    when: object = None,
) -> Decorator:
    """At the entry of kernel functions; parameters are theirs, by name.

    "a|b" means the first of the two that the kernel has; with "*" in names one program
    is for all that match, and parameters are arg1, arg2 and so on, or those of the
    prototype; at the return of many only `ret`.  `module` is where they are,
    if not in the kernel itself; `prototype` ("int (struct inode *inode, struct file
    *file)") serves where BTF does not describe them, as in modules before 5.11.  With
    `optional`, those that the kernel lacks are left out.  What depends on options may
    be a function of them.
    """
    return _probe(FunctionEntry(functions, module, prototype, optional), when)


def exit(
    *functions: Any,
    module: Any = "",
    prototype: str = "",
    optional: bool = False,
    when: object = None,
) -> Decorator:
    """At the return of kernel functions: as `entry`, also `ret` and `elapsed_ns`.

    The arguments are those of the call.  What pointers lead to may have changed since.
    """
    return _probe(FunctionExit(functions, module, prototype, optional), when)


def fentry(function: str, module: str = "", when: object = None) -> Decorator:
    """As `entry`, by fentry and in no other way."""
    return _probe(FunctionEntry((function,), module, kinds=("fentry",)), when)


def fexit(function: str, module: str = "", when: object = None) -> Decorator:
    """As `exit`, by fexit and in no other way."""
    return _probe(FunctionExit((function,), module, kinds=("fexit",)), when)


def kprobe(
    function: str, module: str = "", prototype: str = "", when: object = None
) -> Decorator:
    """As `entry`, by a kprobe and in no other way."""
    kinds = ("kprobe",)
    return _probe(FunctionEntry((function,), module, prototype, kinds=kinds), when)


def kretprobe(
    function: str, module: str = "", prototype: str = "", when: object = None
) -> Decorator:
    """As `exit`, by a kretprobe and in no other way."""
    kinds = ("kretprobe",)
    return _probe(FunctionExit((function,), module, prototype, kinds=kinds), when)


def uprobe(
    library: Any,
    *functions: Any,
    pid: Any = None,
    offset: int = 0,
    prototype: str = "",
    optional: bool = False,
    copies: bool = False,
    when: object = None,
) -> Decorator:
    """At functions of a user library or program; parameters are those of `prototype`.

    The library is a path or a name ("c", "ssl", "python3"), a function a name or has
    "*" in it.  Without a prototype ("char *name, int flags") the arguments are arg1,
    arg2 and so on.  `pid` is the only process of interest.  With `optional`, functions
    that the library lacks are left out.  `copies` adds other files of that library that
    processes have mapped, those of containers.  Library, functions and pid may be
    options.
    """
    intention = Uprobe(library, functions, pid, offset, prototype, optional, copies)
    return _probe(intention, when)


def uretprobe(
    library: Any,
    *functions: Any,
    pid: Any = None,
    prototype: str = "",
    optional: bool = False,
    copies: bool = False,
    when: object = None,
) -> Decorator:
    """At the return of user functions: as `uprobe`, also `ret` and `elapsed_ns`.

    `prototype` may tell what is returned ("int (char *name, int flags)"), else it is a
    long.  The arguments are those that the call was made with.
    """
    intention = Uretprobe(library, functions, pid, prototype, optional, copies)
    return _probe(intention, when)


def usdt(
    library: Any,
    name: Any,
    pid: Any = None,
    prototype: str = "",
    when: object = None,
) -> Decorator:
    """At a USDT probe "provider:name"; parameters are arg1, arg2 and so on.

    `prototype` gives them names and types.  See `uprobe` for library and pid.
    """
    return _probe(Usdt(library, name, pid, prototype), when)


def interval(seconds: float, when: object = None) -> Decorator:
    """On a timer, on one CPU."""
    return _probe(Interval(round(seconds * 1e9)), when)


def perf_event(
    event: str,
    period: int | None = None,
    frequency: int | None = None,
    when: object = None,
) -> Decorator:
    """On samples of a hardware or software event ("cycles", "cpu-clock") on every CPU.

    Either every `period` events (nanoseconds for clocks) or `frequency` times a second.
    """
    return _probe(PerfEvent(event, period or 0, frequency or 0), when)


def test_run(prototype: str = "") -> Decorator:
    """Nowhere: the program runs when `Program.test_run` is called."""
    return _probe(TestRun(prototype), None)
