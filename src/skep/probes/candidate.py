"""What an intention becomes: candidates, and where a handler's parameters come from.

The data is plain; the compiler turns each kind of fetch into instructions.  Fetches are
told apart by their class: as tuples `CtxWord(1)` and `ProbedWord(1)` are equal.
"""

from __future__ import annotations

from typing import Union

from skep.named_tuple import NamedTuple
from skep.spec import AttachSpec


class CtxWord(NamedTuple):
    """The 8-byte word `word` of the context, counted from 0.

    A shorter type is in the low bytes of the word; the kernel zeroes the others, also
    for negative numbers (__CAST_TO_U64, include/trace/bpf_probe.h).
    """

    word: int


class ProbedWord(NamedTuple):
    """As `CtxWord`, but copied from the context by probe_read_kernel.

    The verifier then takes the value for a number of which it knows nothing: it
    neither refuses the access nor concludes that a pointer cannot be null.
    """

    word: int


class CtxField(NamedTuple):
    """`size` bytes at `offset` of the context, a classic tracepoint's record."""

    offset: int
    size: int
    signed: bool


class DataLoc(NamedTuple):
    """Data of variable length in a classic tracepoint's record.

    The u32 at `offset` of the record has the length of the data in its upper half and
    in its lower half where the data starts: counted from the start of the record or,
    when `relative` (__rel_loc, 5.17), from the end of the u32.
    """

    offset: int
    relative: bool = False


class RegsMember(NamedTuple):
    """The low `size` bytes, zero-extended, of a member of struct pt_regs.

    `path` is as in `skep.arch.Arch`; word 0 of the context points to the struct.
    """

    path: str
    size: int = 8


class RegsPair(NamedTuple):
    """A 64-bit value whose halves are the low 4 bytes of two members of pt_regs."""

    low: str
    high: str


class Number(NamedTuple):
    """A number that is known."""

    value: int


class UserMemory(NamedTuple):
    """`size` bytes, zero-extended, of user memory at base + scaled * scale + offset.

    `base` and `scaled` are registers, members of struct pt_regs, which is the context.
    """

    base: CtxField | None
    offset: int
    size: int
    scaled: CtxField | None = None
    scale: int = 1


class UserAddress(NamedTuple):
    """An address in user memory: base + offset."""

    base: CtxField
    offset: int


class Saved(NamedTuple):
    """What the program of `Site.entry` saved under this name."""

    name: str


class Clock(NamedTuple):
    """The time now: ktime_get_ns."""


class Cookie(NamedTuple):
    """The number that the link of this place has: get_attach_cookie (5.15)."""


class PlaceNumber(NamedTuple):
    """The number of this place, in a program of its own for each."""


class Elapsed(NamedTuple):
    """The time since the one that the program of `Site.entry` saved under this name."""

    name: str


Fetch = Union[
    CtxWord,
    ProbedWord,
    CtxField,
    DataLoc,
    RegsMember,
    RegsPair,
    Number,
    UserMemory,
    UserAddress,
    Saved,
    Clock,
    Cookie,
    PlaceNumber,
    Elapsed,
]


class Param(NamedTuple):
    """A value that a handler may name.

    `type` is a C type without __user; `user` says that it points to user memory.
    What `fetch` yields is converted to the type.  A `nullable` pointer must be compared
    with None before use.  A `trusted` one may be loaded from directly; kernel memory
    behind any other pointer is read by probe_read_kernel.
    """

    name: str
    type: str
    fetch: Fetch
    user: bool = False
    nullable: bool = False
    trusted: bool = False


class CtxAddress(NamedTuple):
    """The low 4 bytes of the context's address.

    Programs at the entry and the exit of a function run with the same context, which
    lies in the frame of the trampoline around the call (arch_prepare_bpf_trampoline).
    """


class SessionCell(NamedTuple):
    """The address of 8 bytes that the kernel keeps for the call, from its entry to its
    return (bpf_session_cookie, 6.10)."""


class Frame(NamedTuple):
    """What tells the calls apart that a task is in at the same time: a number that is
    the same at the entry and the return of one call.

    It is what `fetch` yields, plus `add`.  A function that ends in a call of
    another may leave its frame to that one; `by_address` then tells them apart: the low
    half of the function's address is added to the upper half; or the number of its
    `place` is.  Calls may be
    `abandoned`: a process can die in a function of its own, and a function of the
    kernel always returns.
    """

    fetch: CtxField | CtxAddress | SessionCell
    add: int = 0
    by_address: bool = False
    abandoned: bool = False
    place: Cookie | PlaceNumber | None = None


class SyscallCase(NamedTuple):
    """One number by which a program recognises a system call.

    `compat` numbers belong to 32-bit calls.  A `paired` case applies only if the
    program of `Site.entry` saved something for the task, which is thereby used up.
    """

    number: int
    compat: bool
    name: str
    params: tuple[Param, ...]
    paired: bool = False


class SyscallMatch(NamedTuple):
    """How a program that sees every system call finds those it is for.

    `number` fetches the number (4 bytes are significant).  It must be compared before
    the task is asked for its ABI (`Arch`), as most calls are of no interest.
    """

    number: CtxWord | RegsMember
    cases: tuple[SyscallCase, ...]


class Site(NamedTuple):
    """A place where one program attaches, and what that program can see there.

    `params` are what the handler may name.  With a `match` they depend on the call and
    are in its cases.  `entry` is the site of another program that runs before, in the
    same task, and saves what the `Saved` and `Elapsed` parameters of this one need: its
    own parameters, all of them, under their names.  The task's address is the key: a
    thread that executes a program changes its id.  A task can be in several calls of a
    function, one within the other: then both sites have a `frame`, which completes the
    key.
    """

    attach: AttachSpec
    params: tuple[Param, ...] = ()
    match: SyscallMatch | None = None
    entry: Site | None = None
    frame: Frame | None = None

    @property
    def program_type(self) -> str:
        """The kernel's program type, without BPF_PROG_TYPE_ and in lower case."""
        return _PROGRAM_TYPES[self.attach.kind]


class Candidate(NamedTuple):
    """One way to get what an intention asks for.

    All `sites` are attached, or the next candidate is tried; each runs the handler.
    `note` says what is given up, for the receipt; it is empty if nothing is.
    """

    sites: tuple[Site, ...]
    note: str = ""


_PROGRAM_TYPES = {
    "fentry": "tracing",
    "fexit": "tracing",
    "kprobe": "kprobe",
    "kretprobe": "kprobe",
    "kprobe_multi": "kprobe",
    "kretprobe_multi": "kprobe",
    "kprobe_session": "kprobe",
    "kprobes": "kprobe",
    "kretprobes": "kprobe",
    "uprobe": "kprobe",
    "uretprobe": "kprobe",
    "uprobe_multi": "kprobe",
    "uretprobe_multi": "kprobe",
    "tp_btf": "tracing",
    "raw_tracepoint": "raw_tracepoint",
    "tracepoint": "tracepoint",
    "tracepoints": "tracepoint",
    "perf_event": "perf_event",
    "profile": "perf_event",
    "interval": "perf_event",
    "test_run": "raw_tracepoint",
}
