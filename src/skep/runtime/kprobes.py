"""Programs at kernel functions: by a perf event each, or by one link for many."""

from __future__ import annotations

import errno

from skep.errors import NotSupported
from skep.runtime.events import attach_event, close_all
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec

# What the kernel answers where a function cannot be probed: its first instruction is
# unsuitable, it is on the blacklist, or there are several of that name.
_UNSUITABLE = (errno.EINVAL, errno.ENOENT, errno.EADDRNOTAVAIL, errno.EILSEQ)


def open_event(prog_fd: int, spec: AttachSpec) -> list[int]:
    """One function, by a perf event (4.17)."""
    try:
        event = perf.kprobe_open(spec.name, spec.offset, _at_return(spec))
    except FileNotFoundError as error:
        if error.filename:
            raise NotSupported("this kernel was built without kprobes") from None
        raise
    return attach_event(event, prog_fd)


def open_link(prog_fd: int, spec: AttachSpec) -> list[int]:
    """Many functions, by one link (kprobe_multi, 5.18)."""
    return [bpf.kprobe_multi_link(prog_fd, spec.symbols, _at_return(spec))]


def open_events(prog_fd: int, spec: AttachSpec) -> list[int]:
    """Many functions, one after the other; those that cannot be probed are left out."""
    fds: list[int] = []
    try:
        for symbol in spec.symbols:
            try:
                fds += open_event(prog_fd, spec._replace(name=symbol))
            except OSError as error:
                if error.errno not in _UNSUITABLE:
                    raise
        if not fds:
            raise OSError(errno.ENOENT, "no function can be probed")
    except BaseException:
        close_all(fds)
        raise
    return fds


def _at_return(spec: AttachSpec) -> bool:
    return spec.kind.startswith("kretprobe")
