"""What this kernel lets this process do, learnt by doing it once.

Presence is not permission: a kernel can have a facility in its BTF and refuse it, so
everything here is tried with a program that does nothing.
"""

from __future__ import annotations

import functools
import mmap
import os
from collections.abc import Callable

from skep.asm import alu_imm, call, encode, exit_, mov, mov_imm
from skep.asm.opcodes import BPF_ADD
from skep.btf import Btf
from skep.errors import NotSupported, ProbeNotFound, SkepError
from skep.named_tuple import NamedTuple
from skep.runtime.collection import Collection
from skep.runtime.maps import Map
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec, CollectionSpec, MapSpec, ProgramSpec, UserPlace
from skep.symbols.elf import Elf
from skep.target import Target

_EVENT = "sched_process_exec"  # in every kernel, and seldom hit

_FUNCTION = "bpf_fentry_test1"
"""It exists to be traced by tests (net/bpf/test_run.c)."""

_BPF_PROG_TYPE_KPROBE = 2
_BPF_PROG_TYPE_PERF_EVENT = 7
_BPF_PROG_TYPE_TRACING = 26
_BPF_TRACE_FENTRY = 24


class Verdict(NamedTuple):
    """Whether something works and, if not, why, in a sentence."""

    ok: bool
    reason: str = ""


def survey(target: Target) -> list[tuple[str, Verdict]]:
    """Everything below, by name, for `skep doctor`."""
    return [
        ("maps", maps()),
        ("ring buffer", ring_buffer()),
        ("task storage", task_storage()),
        ("typed raw tracepoints", tp_btf(target)),
        ("raw tracepoints", raw_tracepoint()),
        ("tracepoints", tracepoint(target)),
        ("perf events: cpu-clock", perf_event("cpu-clock")),
        ("perf events: cycles", perf_event("cycles")),
        ("perf event links", perf_link()),
        ("reads of kernel memory", kernel_memory()),
        ("fentry and fexit", fentry(target)),
        ("kprobes", kprobe()),
        ("uprobes", uprobe()),
        ("uprobe_multi", uprobe_multi()),
    ]


def _try(attempt: Callable[[], object]) -> Verdict:
    try:
        attempt()
    except SkepError as error:
        diagnostic = error.diagnostic
        return Verdict(False, "; ".join((diagnostic.message, *diagnostic.notes)))
    return Verdict(True)


def _attach(where: AttachSpec) -> None:
    """Load a program that does nothing, attach it, and take it away."""
    program = ProgramSpec("nothing", where, (mov_imm(0, 0), exit_()))
    Collection.load(CollectionSpec((), (program,))).close()


def _create(spec: MapSpec) -> None:
    Map.create(spec).close()


@functools.cache
def maps() -> Verdict:
    """Whether maps can be created at all."""
    return _try(lambda: _create(MapSpec("nothing", "array", 4, 8, 1)))


@functools.cache
def ring_buffer() -> Verdict:
    """Ring buffer maps (5.8)."""
    return _try(lambda: _create(MapSpec("nothing", "ringbuf", 0, 0, mmap.PAGESIZE)))


@functools.cache
def task_storage() -> Verdict:
    """Values that live with a task (5.11)."""
    flags = bpf.BPF_F_NO_PREALLOC
    return _try(lambda: _create(MapSpec("nothing", "task_storage", 4, 8, 0, flags)))


@functools.cache
def raw_tracepoint() -> Verdict:
    """Raw tracepoints without types."""
    return _try(lambda: _attach(AttachSpec("raw_tracepoint", _EVENT)))


@functools.cache
def tp_btf(target: Target) -> Verdict:
    """Raw tracepoints with typed arguments (5.5)."""

    def attempt() -> None:
        trace_id = target.btf_trace_id(_EVENT)
        if trace_id is None:
            raise ProbeNotFound(f"this kernel's BTF has no tracepoint {_EVENT}")
        _attach(AttachSpec("tp_btf", _EVENT, trace_id))

    return _try(attempt)


@functools.cache
def tracepoint(target: Target) -> Verdict:
    """Classic tracepoints, by a perf event; their ids come from tracefs."""

    def attempt() -> None:
        event = target.tracepoint("sched", _EVENT)
        if event is None:
            raise target.tracefs_problem or ProbeNotFound(
                f"this kernel has no tracepoint sched:{_EVENT}"
            )
        _attach(AttachSpec("tracepoint", f"sched:{_EVENT}", event.id))

    return _try(attempt)


@functools.cache
def perf_event(name: str) -> Verdict:
    """Sampling by the perf event `name`: "cpu-clock", or "cycles" for hardware."""
    return _try(lambda: _attach(AttachSpec("profile", name, 1)))


@functools.cache
def perf_link() -> Verdict:
    """BPF links for perf events (5.15); without them an ioctl does."""
    return _try(_link_perf_event)


def _link_perf_event() -> None:
    fds = []
    try:
        clock = perf.PERF_TYPE_SOFTWARE, perf.PERF_COUNT_SW_CPU_CLOCK
        fds.append(perf.event_open(*clock, cpu=0, sample=1_000_000_000))
        fds.append(bpf.prog_load(bpf.ProgLoad(_BPF_PROG_TYPE_PERF_EVENT, _nothing())))
        fds.append(bpf.link_create(fds[1], fds[0], bpf.BPF_PERF_EVENT))
    except OSError as error:
        raise refusal(error, "link a program to a perf event") from error
    finally:
        for fd in reversed(fds):
            os.close(fd)


@functools.cache
def fentry(target: Target) -> Verdict:
    """Programs at the entry and exit of kernel functions (5.5)."""
    return _try(lambda: _load_fentry(target.btf))


def _load_fentry(btf: Btf) -> None:
    function = btf.find("func", _FUNCTION)
    if function is None:
        raise NotSupported(f"this kernel's BTF has no function {_FUNCTION}")
    _load(
        "fentry",
        bpf.ProgLoad(
            _BPF_PROG_TYPE_TRACING,
            _nothing(),
            expected_attach_type=_BPF_TRACE_FENTRY,
            attach_btf_id=function,
        ),
    )


@functools.cache
def kernel_memory() -> Verdict:
    """The helper that reads memory of the kernel to which the verifier knows no way:
    not where the kernel is locked down to confidentiality."""
    copy = (
        mov_imm(3, 0),
        mov_imm(2, 8),
        mov(1, 10),
        alu_imm(BPF_ADD, 1, -8),
        call("probe_read_kernel"),
        mov_imm(0, 0),
        exit_(),
    )
    program = ProgramSpec("nothing", AttachSpec("raw_tracepoint", _EVENT), copy)
    return _try(lambda: Collection.load(CollectionSpec((), (program,))).close())


@functools.cache
def kprobe() -> Verdict:
    """Programs at any instruction of the kernel."""
    return _try(_attach_kprobe)


def _attach_kprobe() -> None:
    _require_device("kprobe")
    _attach(AttachSpec("kprobe", _FUNCTION))


@functools.cache
def uprobe() -> Verdict:
    """Programs at any instruction of a user program."""
    return _try(_load_uprobe)


@functools.cache
def uprobe_multi() -> Verdict:
    """Many places of user programs by one link (6.6)."""
    return _try(_link_uprobes)


def _link_uprobes() -> None:
    """Attach to the start of this process's own program, where it is long past."""
    with Elf("/proc/self/exe") as program:
        start = program.file_offset(program.entry)
        if start is None:
            raise program.error("its entry is in no segment")
        place = UserPlace("/proc/self/exe", start)
    where = AttachSpec("uprobe_multi", "entry", places=(place,), pid=os.getpid())
    _attach(where)


def _load_uprobe() -> None:
    _require_device("uprobe")
    _load("uprobe", bpf.ProgLoad(_BPF_PROG_TYPE_KPROBE, _nothing()))


def _require_device(device: str) -> None:
    if not os.path.isdir(f"/sys/bus/event_source/devices/{device}"):
        raise NotSupported(f"this kernel was built without {device}s")


def _load(kind: str, load: bpf.ProgLoad) -> None:
    try:
        os.close(bpf.prog_load(load))
    except OSError as error:
        raise refusal(error, f"load {kind} programs") from error


def _nothing() -> bytes:
    return encode((mov_imm(0, 0), exit_()))


def counts_perf_misses(btf: Btf) -> bool:
    """Whether tracepoint programs that the kernel skips are counted (6.7).

    "bpf: Count missed stats in trace_call_bpf" left no trace in BTF, but came in one
    series with this member of struct bpf_link_info.
    """
    info = btf.find("struct", "bpf_link_info")
    return info is not None and btf.member(info, "kprobe_multi.missed") is not None
