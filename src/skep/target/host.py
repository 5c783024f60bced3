"""The facts of the running kernel."""

from __future__ import annotations

import errno
import mmap
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from skep.btf.table import Buffer
from skep.errors import NotPermitted, SkepError, TargetError, refusal

if TYPE_CHECKING:
    from skep.target.host_user import UserFiles
    from skep.target.user import UserFile

_BTF = "/sys/kernel/btf"
# debugfs mounts tracefs below itself when its directory is looked at.
_TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_LOCKDOWN = "/sys/kernel/security/lockdown"
_POSSIBLE = "/sys/devices/system/cpu/possible"


class HostFacts:
    """Facts read from /sys and /proc, see `skep.target.facts.Facts`."""

    def __init__(self) -> None:
        uname = os.uname()
        self.release = uname.release
        self.machine = uname.machine
        self._user: UserFiles | None = None

    def btf(self, module: str) -> Buffer | None:
        """The BTF of vmlinux or of a loaded module."""
        try:
            descriptor = os.open(f"{_BTF}/{module}", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return _map_or_read(descriptor)
        finally:
            os.close(descriptor)

    def has_module(self, name: str) -> bool:
        """Whether a module is loaded; those that are built in have no state."""
        return os.path.exists(f"/sys/module/{name}/initstate")

    def event_format(self, category: str, event: str) -> str | None:
        """The text of a tracepoint's format file in tracefs."""
        for root in _TRACEFS:
            try:
                with open(f"{root}/events/{category}/{event}/format") as file:
                    return file.read()
            except OSError:
                continue  # `tracefs_problem` tells why
        return None

    def event_names(self) -> list[str]:
        """The lines of tracefs's list of events."""
        for root in _TRACEFS:
            try:
                with open(f"{root}/available_events") as file:
                    return file.read().split()
            except PermissionError:
                names = _event_directories(f"{root}/events")
                if names:
                    return names
            except OSError:
                continue  # `tracefs_problem` tells why
        return []

    def tracefs_problem(self) -> SkepError | None:
        """Why tracefs cannot be read."""
        refused = None
        for root in _TRACEFS:
            try:
                os.scandir(f"{root}/events").close()
                return None
            except PermissionError as error:
                refused = error
            except OSError:
                continue
        if refused:
            return NotPermitted(
                f"no permission to read tracefs in {refused.filename}",
                hint="tracefs is for root only; run as root or with"
                " CAP_DAC_READ_SEARCH",
            )
        return TargetError(
            "tracepoint formats cannot be read: tracefs is not mounted",
            hint=f"mount -t tracefs tracefs {_TRACEFS[0]}",
        )

    def symbols(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are in /proc/kallsyms."""
        wanted = {name.encode("utf-8", "surrogateescape") for name in names}
        pattern = re.compile(rb" (%b)[\t\n]" % b"|".join(map(re.escape, wanted)))
        found: set[bytes] = set()
        for text in _kallsyms():
            found.update(pattern.findall(text))
            if found == wanted:
                break
        return {name.decode() for name in found}

    def function_symbols(self, name: str) -> list[tuple[str, str]]:
        """Functions called `name` or `name.SUFFIX` in /proc/kallsyms."""
        escaped = re.escape(name.encode("utf-8", "surrogateescape"))
        line = rb" [tTwW] (%b(?:\.[^\t\n]*)?)(?:\t\[(.*)\])?\n" % escaped
        pattern = re.compile(line)
        found = {each for text in _kallsyms() for each in pattern.findall(text)}
        texts = (
            tuple(text.decode(errors="replace") for text in each) for each in found
        )
        return sorted((symbol, module) for symbol, module in texts)

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """Functions in the files of this machine."""
        return self._user_files.functions(library, patterns, pid, copies)

    def usdt_probes(
        self, library: str, provider: str, probe: str, pid: int
    ) -> list[UserFile]:
        """USDT probes in the files of this machine."""
        return self._user_files.probes(library, provider, probe, pid)

    @property
    def _user_files(self) -> UserFiles:
        """Imported for the tools that trace user programs."""
        if self._user is None:
            from skep.target.host_user import UserFiles

            self._user = UserFiles(self.machine)
        return self._user

    def traceable_functions(self) -> list[str]:
        """The lines of available_filter_functions; raises NotPermitted and the like."""
        refused = ""
        for root in _TRACEFS:
            try:
                with open(f"{root}/available_filter_functions") as file:
                    return file.read().splitlines()
            except PermissionError as error:
                refused = refused or error.filename
            except OSError:
                continue
        problem = self.tracefs_problem()
        if refused and not problem:
            raise NotPermitted(
                "functions of this kernel cannot be traced by pattern: not permitted to"
                " list them",
                notes=[
                    f"{refused} cannot be opened, as where the kernel is locked down"
                    " (confidentiality)"
                ],
            )
        raise problem or TargetError(
            "functions of this kernel cannot be traced: it was built without"
            " CONFIG_FUNCTION_TRACER"
        )

    def hides_memory(self) -> bool:
        """Whether lockdown takes the helpers away that read kernel memory.

        bpf_tracing_func_proto, kernel/trace/bpf_trace.c: LOCKDOWN_BPF_READ_KERNEL.
        """
        return lockdown() == "confidentiality"

    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present."""
        with open(_POSSIBLE) as file:
            return count_cpus(file.read())


def lockdown() -> str:
    """The kernel's lockdown level, or "" when it cannot be read."""
    try:
        with open(_LOCKDOWN) as file:
            return file.read().partition("[")[2].partition("]")[0]
    except OSError:
        return ""


def _event_directories(root: str) -> list[str]:
    """The tracepoints by their directories, which can be looked at where lockdown
    (confidentiality) closes the list of events."""
    try:
        categories = [entry.name for entry in os.scandir(root) if entry.is_dir()]
        return [
            f"{category}:{entry.name}"
            for category in categories
            if category != "ftrace"  # the formats of the tracers' own records
            for entry in os.scandir(f"{root}/{category}")
            if entry.is_dir()
        ]
    except OSError:
        return []


def _kallsyms() -> Iterator[bytes]:
    """/proc/kallsyms in pieces of whole lines."""
    from skep.symbols.kallsyms import whole_lines  # few runs need it

    try:
        yield from whole_lines()
    except OSError as error:
        raise refusal(error) from error


def count_cpus(text: str) -> int:
    """The number of CPUs in a list as sysfs writes it: "0-3,8-11"."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count


def _map_or_read(descriptor: int) -> Buffer:
    """All of a file, mapped where the kernel can (vmlinux BTF since 6.16).

    A mapping costs neither time nor resident memory.  Elsewhere one read(2) returns at
    most a page (PAGE_SIZE buffer of sysfs), so a buffer of the full size is filled:
    3 ms for vmlinux, against 23 ms for a growing one.
    """
    size = os.fstat(descriptor).st_size
    try:
        return mmap.mmap(descriptor, size, mmap.MAP_PRIVATE, mmap.PROT_READ)
    except OSError as error:
        if error.errno not in (errno.ENODEV, errno.EIO):
            raise
    buffer = bytearray(size)
    view = memoryview(buffer)
    position = 0
    while position < size:
        count = os.readv(descriptor, [view[position:]])
        if not count:
            raise TargetError("the kernel's BTF is shorter than it says")
        position += count
    return buffer
