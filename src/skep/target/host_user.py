"""The user programs and libraries of the running machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skep.arch import arch_of
from skep.errors import SkepError
from skep.symbols import functions, indirect, library, processes
from skep.symbols.elf import Elf
from skep.symbols.functions import Function
from skep.symbols.instructions import can_be_probed
from skep.symbols.name_pattern import matcher
from skep.target.user import UserFile

if TYPE_CHECKING:
    from skep.symbols.usdt import UsdtProbe


class UserFiles:
    """Finds functions and USDT probes, and keeps open the files that it found them in.

    A file of a container can only be opened by way of a process, which may be gone when
    the probe is attached; by its descriptor it stays within reach.
    """

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self._open: list[Elf] = []
        self._known: dict[tuple[str, int], list[Elf]] = {}
        self._copies: dict[str, list[tuple[str, Elf | SkepError]]] = {}

    def functions(
        self, name: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """See `Target.user_functions`."""
        found = [
            _functions_of(elf, _path(elf, pid), patterns)
            for elf in self._files(name, pid)
        ]
        for shown, copy in self._copies_of(name) if copies and not pid else ():
            try:
                if isinstance(copy, SkepError):
                    raise copy
                found.append(_functions_of(copy, _path(copy, -1), patterns, shown))
            except SkepError as error:
                problem = error.diagnostic.message
                found.append(UserFile("", shown, problem=problem))
        return found

    def _files(self, name: str, pid: int) -> list[Elf]:
        """The files that a name means."""
        if (name, pid) not in self._known:
            if not name:
                files = library.open_all_of_process(pid)
            elif pid:
                files = library.open_of_process(name, self._machine, pid)
            else:
                files = [library.open_named(name, self._machine)]
            self._open += files
            for elf in files:
                if elf.machine != self._machine:
                    raise elf.error(f"it is for {elf.machine}")
            self._known[name, pid] = files
        return self._known[name, pid]

    def _copies_of(self, name: str) -> list[tuple[str, Elf | SkepError]]:
        """Other files of a library that processes have mapped, or what is wrong."""
        if name in self._copies:
            return self._copies[name]
        known = {processes.identity(elf.fd) for elf in self._files(name, 0)}
        copies: list[tuple[str, Elf | SkepError]] = []
        for mapping in processes.every_mapping(library.name_pattern(name)):
            if mapping.file in known:
                continue
            shown = f"{mapping.path} of process {mapping.pid}"
            try:
                elf = library.open_mapped(mapping)
                self._open.append(elf)
                copies.append((shown, elf))
            except OSError:
                continue  # the process has ended
            except SkepError as error:
                copies.append((shown, error))
        self._copies[name] = copies
        return copies

    def probes(self, name: str, provider: str, probe: str, pid: int) -> list[UserFile]:
        """See `Target.usdt_probes`."""
        from skep.symbols import usdt, usdt_arguments

        found = []
        wanted = matcher(probe)
        for elf in self._files(name, pid):
            every = list(usdt.probes(elf))
            chosen = [
                each
                for each in every
                if wanted.fullmatch(each.name) and provider in ("", each.provider)
            ]
            arch = arch_of(self._machine)
            names: set[str] = set()
            for each in chosen:
                names |= usdt_arguments.symbols(each.arguments, arch)
            addresses = functions.addresses(elf, names) if names else {}
            file = UserFile(_path(elf, pid), elf.path, {}, chosen, addresses)
            found.append(file._replace(others=sorted({_name(p) for p in every})))
        return found

    def close(self) -> None:
        """Let go of the files."""
        while self._open:
            self._open.pop().close()

    def __del__(self) -> None:
        self.close()


def _functions_of(
    elf: Elf, path: str, patterns: Sequence[str], shown: str = ""
) -> UserFile:
    found = functions.find(elf, patterns)
    chosen = {
        pattern: [_chosen(elf, each) for each in matching]
        for pattern, matching in found.items()
    }
    return UserFile(path, shown or elf.path, chosen, is_go=elf.is_go)


def _chosen(elf: Elf, function: Function) -> Function:
    """A function with what an indirect one stands for, where that is known."""
    if function.indirect:
        function = indirect.chosen(elf, function) or function
    refused = not can_be_probed(elf, function.offset)
    return function._replace(refused=refused)


def _path(elf: Elf, pid: int) -> str:
    """What opens a file for the kernel: what is a process's own, by its descriptor."""
    return f"/proc/self/fd/{elf.fd}" if pid else elf.path


def _name(probe: UsdtProbe) -> str:
    return f"{probe.provider}:{probe.name}"
