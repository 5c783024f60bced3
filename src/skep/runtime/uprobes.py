"""Programs at instructions of user programs: by perf events, or by one link a file."""

from __future__ import annotations

from skep.errors import NotSupported
from skep.runtime.events import attach_event, close_all
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec


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
    try:
        kind = perf.device_type("uprobe")
        config = perf.return_flag("uprobe") if _at_return(spec) else 0
        shift = perf.first_bit("uprobe", "ref_ctr_offset")  # 4.20
    except FileNotFoundError:
        raise NotSupported("this kernel was built without uprobes") from None
    fds: list[int] = []
    try:
        for path, offset, semaphore in spec.places:
            bits = config | semaphore << shift
            event = perf.uprobe_open(kind, bits, path, offset, spec.pid)
            fds += attach_event(event, prog_fd)
    except BaseException:
        close_all(fds)
        raise
    return fds


def _at_return(spec: AttachSpec) -> bool:
    return spec.kind.startswith("uretprobe")
