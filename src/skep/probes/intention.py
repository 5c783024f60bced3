"""What a tool asks to trace, before anything is known of the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from skep.named_tuple import NamedTuple


class SyscallEnter(NamedTuple):
    """The start of system calls, by the names of their man pages."""

    names: tuple[str, ...]


class SyscallExit(NamedTuple):
    """The return of system calls, by the names of their man pages.

    The handler may name the arguments of the call, `ret` and `elapsed_ns`.  With
    `failed` it only cares for calls that failed; the arguments of execve, too, can then
    be read at its return.  A call that lacks a parameter
    named in `absent` has the number there instead.
    """

    names: tuple[str, ...]
    failed: bool = False
    absent: Mapping[str, int] = {}


class Tracepoint(NamedTuple):
    """A classic tracepoint, "category:event"; handlers name fields of its record."""

    name: str


class RawTracepoint(NamedTuple):
    """A tracepoint by its name alone; the handler names its arguments.

    `prototype` ("struct kiocb *iocb, struct iov_iter *iter") serves where BTF does not
    describe the tracepoint: in kernel modules before 5.11.  A tracepoint of a `module`
    may be built in all the same.
    """

    name: str
    prototype: str = ""
    module: str = ""


class FunctionEntry(NamedTuple):
    """The entry of kernel functions; the handler names their parameters.

    Of a name "a|b" the first is meant that the kernel has; "*" in a name stands for any
    characters, and one program is for all that match.  Functions of a `module` are
    looked for in vmlinux, too, as they may be built in.  `prototype` ("int (struct
    inode *inode, struct file *file)") serves where BTF does not describe the function.
    Where functions are `optional`, those that the kernel lacks are left out.  `kinds`
    are the ways to attach, best first.  With an `offset`, in bytes, only a kprobe can:
    the arguments are then what the registers have there.
    """

    names: tuple[str, ...]
    module: str = ""
    prototype: str = ""
    optional: bool = False
    kinds: tuple[str, ...] = ("fentry", "kprobe")
    offset: int = 0


class FunctionExit(NamedTuple):
    """The return of kernel functions; as `FunctionEntry`.

    The handler may also name `ret` and `elapsed_ns`.
    """

    names: tuple[str, ...]
    module: str = ""
    prototype: str = ""
    optional: bool = False
    kinds: tuple[str, ...] = ("fexit", "kretprobe")


class Interval(NamedTuple):
    """A timer on one CPU."""

    period_ns: int


class PerfEvent(NamedTuple):
    """Samples of a hardware or software event on every CPU.

    Either `period`, the events from sample to sample (nanoseconds for clocks), or
    `frequency`, the samples per second; the other is 0.
    """

    event: str
    period: int = 0
    frequency: int = 0


class Uprobe(NamedTuple):
    """The start of functions of a user library or program.

    A function is a name, with "@VERSION" or without, or has "*" for any characters.
    `offset` is in bytes from its start.  `pid` is the only process of interest, 0 for
    all; the library is then the one that this process has.  With `copies` also every
    other file of the library that a process has mapped: those of containers.

    `prototype` ("char *name, int flags") names the arguments; without one they are
    arg1, arg2 and so on, of 8 bytes each.  If the functions are `optional`, those that
    the library lacks are left out.
    """

    library: str
    functions: tuple[str, ...]
    pid: int | None = None
    offset: int = 0
    prototype: str = ""
    optional: bool = False
    copies: bool = False


class Uretprobe(NamedTuple):
    """The return of functions of a user library or program; see `Uprobe`.

    The handler may name the arguments, `ret` and `elapsed_ns`.  `prototype` may say
    what is returned, too ("int (char *name, int flags)").
    """

    library: str
    functions: tuple[str, ...]
    pid: int | None = None
    prototype: str = ""
    optional: bool = False
    copies: bool = False


class Usdt(NamedTuple):
    """A USDT probe, "provider:name" or just its name.

    The handler may name arg1, arg2 and so on, or what `prototype` calls them.
    """

    library: str
    name: str
    pid: int | None = None
    prototype: str = ""


class TestRun(NamedTuple):
    """No attachment: a program for BPF_PROG_TEST_RUN.

    `prototype` ("u64 a, int b") names its arguments, each a u64 of the context.
    """

    prototype: str = ""


Intention = Union[
    SyscallEnter,
    SyscallExit,
    Tracepoint,
    RawTracepoint,
    FunctionEntry,
    FunctionExit,
    Interval,
    PerfEvent,
    Uprobe,
    Uretprobe,
    Usdt,
    TestRun,
]
