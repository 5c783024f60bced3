"""Programs at kernel functions: by a perf event each, or by one link for many."""

from __future__ import annotations

import errno

from skep.errors import NotSupported
from skep.runtime.events import attach_at, attach_event, close_all, room_for
from skep.runtime.programs import Program
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec

# What the kernel answers where a function cannot be probed: its first instruction is
# unsuitable, it is on the blacklist, or there are several of that name.
_UNSUITABLE = (errno.EINVAL, errno.ENOENT, errno.EADDRNOTAVAIL, errno.EILSEQ)


def open_event(program: Program) -> list[int]:
    """One function, by a perf event (4.17)."""
    spec = program.spec.attach
    return attach_event(_event(spec, spec.name), program.fd)


def open_link(program: Program) -> list[int]:
    """Many functions, by one link (kprobe_multi, 5.18)."""
    return _open_link(program, bpf.BPF_TRACE_KPROBE_MULTI)


def open_session(program: Program) -> list[int]:
    """Entry and return of many functions, by one link (kprobe_session, 6.10)."""
    return _open_link(program, bpf.BPF_TRACE_KPROBE_SESSION)


def _open_link(program: Program, attach_type: int) -> list[int]:
    spec = program.spec.attach
    link = bpf.kprobe_multi_link(
        program.fd, attach_type, spec.symbols, _at_return(spec), program.cookies
    )
    return [link]


def open_events(program: Program) -> list[int]:
    """Many functions, one after the other; those that cannot be probed are left out."""
    spec = program.spec.attach
    room_for(len(spec.symbols))
    fds: list[int] = []
    try:
        for index, symbol in enumerate(spec.symbols):
            try:
                event = _event(spec, symbol)
                fds += attach_at(program, index, event)
            except OSError as error:
                if error.errno not in _UNSUITABLE:
                    raise
        if not fds:
            raise OSError(errno.ENOENT, "no function can be probed")
    except BaseException:
        close_all(fds)
        raise
    return fds


def _event(spec: AttachSpec, symbol: str) -> int:
    try:
        return perf.kprobe_open(symbol, spec.offset, _at_return(spec))
    except FileNotFoundError as error:
        if error.filename:
            raise NotSupported("this kernel was built without kprobes") from None
        raise


def _at_return(spec: AttachSpec) -> bool:
    return spec.kind.startswith("kretprobe")
