"""Perf events that carry a program."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from skep.runtime.syscall import bpf, perf


def attach_event(event: int, prog_fd: int, enable: bool = False) -> list[int]:
    """Hang a program on a perf event, by a link where the kernel has them (5.15).

    The link keeps the event; without one, the program belongs to the event and goes
    with it.
    """
    holder = event
    try:
        try:
            holder = bpf.link_create(prog_fd, event, bpf.BPF_PERF_EVENT)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            perf.set_bpf(event, prog_fd)
        if enable:
            perf.enable(event)
    except BaseException:
        close_all({holder, event})
        raise
    close_all({event} - {holder})
    return [holder]


def close_all(fds: Iterable[int]) -> None:
    """Close file descriptors."""
    for fd in fds:
        os.close(fd)
