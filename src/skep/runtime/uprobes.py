"""Programs at instructions of user programs: by perf events, or by one link a file."""

from __future__ import annotations

from skep.errors import NotSupported
from skep.runtime.events import attach_at, close_all, room_for
from skep.runtime.programs import Program
from skep.runtime.syscall import bpf, perf
from skep.spec import AttachSpec


def open_links(program: Program) -> list[int]:
    """A link for each file, with all places in it (uprobe_multi, 6.6)."""
    spec = program.spec.attach
    files: dict[str, list[int]] = {}
    for index, place in enumerate(spec.places):
        files.setdefault(place.path, []).append(index)
    fds: list[int] = []
    try:
        for path, indexes in files.items():
            places = [spec.places[index] for index in indexes]
            link = bpf.uprobe_multi_link(
                program.fd,
                path,
                [(place.offset, place.semaphore) for place in places],
                _at_return(spec),
                spec.pid,
                [program.cookies[index] for index in indexes if program.cookies],
            )
            fds.append(link)
    except BaseException:
        close_all(fds)
        raise
    return fds


def open_events(program: Program) -> list[int]:
    """A perf event for each place."""
    spec = program.spec.attach
    try:
        kind = perf.device_type("uprobe")
        config = perf.return_flag("uprobe") if _at_return(spec) else 0
        shift = perf.first_bit("uprobe", "ref_ctr_offset")  # 4.20
    except FileNotFoundError:
        raise NotSupported("this kernel was built without uprobes") from None
    room_for(len(spec.places))
    fds: list[int] = []
    try:
        for index, (path, offset, semaphore) in enumerate(spec.places):
            bits = config | semaphore << shift
            event = perf.uprobe_open(kind, bits, path, offset, spec.pid)
            fds += attach_at(program, index, event)
    except BaseException:
        close_all(fds)
        raise
    return fds


def _at_return(spec: AttachSpec) -> bool:
    return spec.kind.startswith("uretprobe")
