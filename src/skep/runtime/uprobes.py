"""Programs at instructions of user programs: by perf events, or by one link a file."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from skep.errors import NotSupported
from skep.runtime import cpus
from skep.runtime.events import attach_event, close_all
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec

_DEVICE = "/sys/bus/event_source/devices/uprobe"


class _Device(NamedTuple):
    """How perf_event_open(2) takes uprobes: its type, and the first bits in `config` of
    what makes it a return probe and of the semaphore's offset."""

    kind: int
    at_return: int
    semaphore: int


def open_links(prog_fd: int, spec: AttachSpec) -> list[int]:
    """A link for each file, with all places in it (uprobe_multi, 6.6)."""
    files: dict[str, list[tuple[int, int]]] = {}
    for path, offset, semaphore in spec.places:
        files.setdefault(path, []).append((offset, semaphore))
    fds: list[int] = []
    try:
        for path, places in files.items():
            link = bpf.uprobe_multi_link(
                prog_fd, path, places, _at_return(spec), spec.pid
            )
            fds.append(link)
    except BaseException:
        close_all(fds)
        raise
    return fds


def open_events(prog_fd: int, spec: AttachSpec) -> list[int]:
    """A perf event for each place."""
    device = _device()
    config = 1 << device.at_return if _at_return(spec) else 0
    fds: list[int] = []
    try:
        for path, offset, semaphore in spec.places:
            event = perf.uprobe_open(
                device.kind,
                config | semaphore << device.semaphore,
                path,
                offset,
                spec.pid,
                cpus.online()[0],
            )
            fds += attach_event(event, prog_fd)
    except BaseException:
        close_all(fds)
        raise
    return fds


def _at_return(spec: AttachSpec) -> bool:
    return spec.kind.startswith("uretprobe")


@functools.cache
def _device() -> _Device:
    try:
        return _Device(
            int(_read("type")),
            _first_bit(_read("format/retprobe")),
            _first_bit(_read("format/ref_ctr_offset")),  # 4.20
        )
    except OSError as error:
        raise NotSupported("this kernel was built without uprobes") from error


def _read(name: str) -> str:
    with open(f"{_DEVICE}/{name}") as file:
        return file.read()


def _first_bit(text: str) -> int:
    """32 of "config:32-63"."""
    match = re.match(r"config:(\d+)", text)
    if match is None:
        raise NotSupported(f"perf events of uprobes take {text.strip()}")
    return int(match[1])
