"""Perf events that carry a program."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from skep.runtime.syscall import bpf, perf

if TYPE_CHECKING:
    from skep.runtime.programs import Program


def attach_event(
    event: int, prog_fd: int, enable: bool = False, cookie: int = 0
) -> list[int]:
    """Hang a program on a perf event, by a link where the kernel has them (5.15).

    The link keeps the event; without one, the program belongs to the event and goes
    with it, and there are no cookies.
    """
    holder = event
    try:
        try:
            holder = bpf.link_create(prog_fd, event, bpf.BPF_PERF_EVENT, cookie)
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


def attach_at(program: Program, index: int, event: int) -> list[int]:
    """Hang a program on the event of its nth place."""
    fd, cookie = program.at(index)
    return attach_event(event, fd, cookie=cookie)


_SPARE = 64
"""File descriptors for everything else."""


def room_for(number: int) -> None:
    """Raise the soft limit of open files, as far as the hard limit goes, if programs at
    so many places would not fit: with one each, where there are no cookies."""
    if number < _SPARE:
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = len(os.listdir("/proc/self/fd")) + 2 * number + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            pass  # opening tells


def close_all(fds: Iterable[int]) -> None:
    """Close file descriptors."""
    for fd in fds:
        os.close(fd)
