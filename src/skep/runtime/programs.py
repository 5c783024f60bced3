"""Programs: loaded from a ProgramSpec, run for a test, asked for their counters."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Mapping, Sequence

from skep.asm import encode, slot_numbers
from skep.errors import InternalError, NotPermitted, SkepError
from skep.runtime.maps import Map, object_name
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf
from skep.runtime.syscall.libc import describe
from skep.runtime.types import load_source_types, module_types
from skep.spec import PLACE, ProgramSpec

# Program type and expected attach type of each kind of attachment; a test run gets its
# context as u64 arguments, which raw tracepoint programs take (5.10).
# Source: enum bpf_prog_type and bpf_attach_type, include/uapi/linux/bpf.h.
_TYPES = {
    "fentry": (26, bpf.BPF_TRACE_FENTRY),
    "fexit": (26, bpf.BPF_TRACE_FEXIT),
    "tp_btf": (26, bpf.BPF_TRACE_RAW_TP),
    "kprobe": (2, 0),
    "kretprobe": (2, 0),
    "kprobe_multi": (2, bpf.BPF_TRACE_KPROBE_MULTI),
    "kretprobe_multi": (2, bpf.BPF_TRACE_KPROBE_MULTI),
    "kprobe_session": (2, bpf.BPF_TRACE_KPROBE_SESSION),
    "kprobes": (2, 0),
    "kretprobes": (2, 0),
    "raw_tracepoint": (17, 0),
    "tracepoint": (5, 0),
    "tracepoints": (5, 0),
    "perf_event": (7, 0),
    "profile": (7, 0),
    "interval": (7, 0),
    "uprobe": (2, 0),
    "uretprobe": (2, 0),
    "uprobe_multi": (2, bpf.BPF_TRACE_UPROBE_MULTI),
    "uretprobe_multi": (2, bpf.BPF_TRACE_UPROBE_MULTI),
    "test_run": (17, 0),
}

_TRACING = 26

# BPF_LOG_LEVEL1 and BPF_LOG_LEVEL2, include/linux/bpf_verifier.h; at the first, nothing
# but statistics remains of the log of a program that is accepted.
_FAILED_PATH = 1
_ALL_PATHS = 2
_FIRST_LOG = 1 << 20
_LARGEST_LOG = (1 << 24) - 1  # what 5.10 allows, UINT_MAX >> 8


class Program:
    """A program in the kernel.

    `log` is the verifier's log when it was asked for, else empty.  `copies` makes those
    for other places of a program that refers to `PLACE`; `fd` is the first place's.
    """

    def __init__(
        self, spec: ProgramSpec, fd: int, log: str = "", copies: Copies | None = None
    ) -> None:
        self.spec = spec
        self.fd = fd
        self.log = log
        self._copies = copies

    @property
    def cookies(self) -> Sequence[int]:
        """The numbers that the program asks its links for, one for each place."""
        return () if self._copies else self.spec.attach.numbers

    def at(self, index: int) -> tuple[int, int]:
        """The program for its nth place: a file descriptor, which stays its own, and a
        cookie."""
        if self._copies is None or index == 0:
            return self.fd, self.cookies[index] if self.cookies else 0
        return self._copies.load(self.spec.attach.numbers[index]), 0

    @classmethod
    def load(
        cls, spec: ProgramSpec, maps: Mapping[str, Map], verbose: bool = False
    ) -> Program:
        """Load a program that refers to `maps` by name; `verbose` keeps the log.

        Raises VerifierRejection, NotPermitted or NotSupported.
        """
        if spec.attach.kind not in _TYPES:
            raise InternalError(f"cannot load programs for {spec.attach.kind!r}")
        prog_type, attach_type = _TYPES[spec.attach.kind]
        source = load_source_types(spec)
        types = module_types(spec.attach.module) if prog_type == _TRACING else 0
        number = spec.attach.numbers[0] if spec.attach.numbers else 0
        load = bpf.ProgLoad(
            prog_type,
            encode(
                spec.instructions,
                lambda name: number if name == PLACE else maps[name].fd,
            ),
            spec.license.encode() + b"\0",
            object_name(spec.name),
            attach_type,
            spec.attach.id if prog_type == _TRACING else 0,
            source.btf_fd,
            source.func_info,
            source.line_info,
            types,
        )
        try:
            fd, log = _load(spec, load, verbose)
            return cls(spec, fd, log, Copies.of(spec, load))
        finally:
            source.close()
            if types:
                os.close(types)

    def info(self) -> bpf.ProgramInfo:
        """The kernel's counters for this program."""
        try:
            return bpf.prog_info(self.fd)
        except OSError as error:
            raise refusal(error, f"read counters of {self.spec.name!r}") from error

    def runs(self) -> tuple[int, int]:
        """How often the program and its copies ran, and for how many nanoseconds in
        all: while statistics are enabled."""
        found = [self.info()]
        found += map(bpf.prog_info, self._copies.fds) if self._copies else ()
        return sum(x.run_count for x in found), sum(x.run_time_ns for x in found)

    def test_run(self, context: Sequence[int] = (), cpu: int | None = None) -> int:
        """Run the program once with the u64s of `context`, at most 12.

        Returns the low 32 bits of r0.  Only for "test_run" and "raw_tracepoint".
        """
        words = struct.pack(f"={len(context)}Q", *context)
        try:
            return bpf.prog_test_run(self.fd, words, cpu)
        except OSError as error:
            raise refusal(error, f"test-run the program {self.spec.name!r}") from error

    def close(self) -> None:
        """Let go of the program; the kernel frees it when nothing is attached."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        while self._copies and self._copies.fds:
            os.close(self._copies.fds.pop())


class Copies:
    """A program to be loaded once more for each place, with the place's number in it.

    What the verifier has seen once needs no source lines.  `fds` are those of the
    copies: their counters can be read only by them, once privileges are given up.
    """

    def __init__(self, load: bpf.ProgLoad, places: Sequence[int]) -> None:
        self._load = load._replace(btf_fd=0, func_info=b"", line_info=b"")
        self._places = places
        self.fds: list[int] = []

    @classmethod
    def of(cls, spec: ProgramSpec, load: bpf.ProgLoad) -> Copies | None:
        """None for a program that is the same at all places."""
        slots = slot_numbers(spec.instructions)
        places = [
            8 * slot + _IMMEDIATE
            for slot, instruction in zip(slots, spec.instructions)
            if instruction.ref == PLACE
        ]
        return cls(load, places) if places else None

    def load(self, number: int) -> int:
        """The file descriptor of the copy for a number."""
        code = bytearray(self._load.instructions)
        for place in self._places:
            struct.pack_into("=I", code, place, number)
        fd = bpf.prog_load(self._load._replace(instructions=bytes(code)))
        self.fds.append(fd)
        return fd


_IMMEDIATE = 4
"""Where in an instruction its immediate is (struct bpf_insn)."""


def _load(spec: ProgramSpec, load: bpf.ProgLoad, verbose: bool) -> tuple[int, str]:
    """File descriptor and log of a program.

    It is loaded once more for the log, which makes a load several times slower.
    """
    try:
        fd = bpf.prog_load(load)
    except OSError as error:
        raise _why(spec, _log_of(load, _FAILED_PATH), error) from error
    return fd, _log_of(load, _ALL_PATHS) if verbose else ""


def _log_of(load: bpf.ProgLoad, level: int) -> str:
    """What the verifier says to a program, up to 16 MiB of it."""
    size = _FIRST_LOG
    while True:
        buffer = bytearray(size)
        try:
            os.close(bpf.prog_load(load, level, buffer))
        except OSError as error:
            if error.errno == errno.ENOSPC and size < _LARGEST_LOG:
                size = min(size * 4, _LARGEST_LOG)
                continue
        return bytes(buffer).partition(b"\0")[0].decode(errors="replace")


def _why(spec: ProgramSpec, log: str, error: OSError) -> SkepError:
    """What was wrong; a log without a complaint means it was not the verifier."""
    from skep.runtime import verifier  # only ever needed on the way out
    from skep.runtime.privileges import LOCKED_DOWN
    from skep.target.host import HostFacts

    complaint = verifier.read_log(log, describe(error.errno or 0))
    if complaint is None:
        return refusal(error, f"load the program {spec.name!r} ({spec.attach.kind})")
    if "probe_read_kernel" in complaint.reason and HostFacts().hides_memory():
        return NotPermitted(f"not permitted to read kernel memory: {LOCKED_DOWN}")
    return verifier.rejection(spec, complaint, log)
