"""The user programs and libraries of the running machine."""

from __future__ import annotations

from collections.abc import Sequence

from skep.arch import arch_of
from skep.errors import SkepError
from skep.symbols import functions, indirect, library, processes, usdt, usdt_arguments
from skep.symbols.elf import Elf
from skep.symbols.functions import Function
from skep.target.user import UserFile


class UserFiles:
    """Finds functions and USDT probes, and keeps open the files that it found them in.

    A file of a container can only be opened by way of a process, which may be gone when
    the probe is attached; by its descriptor it stays within reach.
    """

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self._open: list[Elf] = []

    def functions(
        self, name: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """See `Target.user_functions`."""
        files = self._files(name, pid)
        found = [_functions_of(elf, path, patterns) for elf, path in files]
        if copies and not pid:
            found += self._copies(name, patterns, [elf for elf, _ in files])
        return found

    def _files(self, name: str, pid: int) -> list[tuple[Elf, str]]:
        """The files that a name means, each with a path that opens it."""
        if pid:
            files = library.open_of_process(name, self._machine, pid)
        else:
            files = [library.open_named(name, self._machine)]
        self._open += files
        for elf in files:
            if elf.machine != self._machine:
                raise elf.error(f"it is for {elf.machine}")
        return [(elf, _descriptor(elf) if pid else elf.path) for elf in files]

    def _copies(
        self, name: str, patterns: Sequence[str], known: Sequence[Elf]
    ) -> list[UserFile]:
        """Other files of a library that processes have mapped."""
        found = []
        identities = {processes.identity(elf.fd) for elf in known}
        for mapping in processes.every_mapping(library.name_pattern(name)):
            if mapping.file in identities:
                continue
            shown = f"{mapping.path} of process {mapping.pid}"
            try:
                elf = library.open_mapped(mapping)
                self._open.append(elf)
                found.append(_functions_of(elf, _descriptor(elf), patterns, shown))
            except OSError:
                continue  # the process has ended
            except SkepError as error:
                problem = error.diagnostic.message
                found.append(UserFile("", shown, problem=problem))
        return found

    def probes(self, name: str, provider: str, probe: str, pid: int) -> list[UserFile]:
        """See `Target.usdt_probes`."""
        found = []
        for elf, path in self._files(name, pid):
            every = list(usdt.probes(elf))
            chosen = [
                each
                for each in every
                if each.name == probe and provider in ("", each.provider)
            ]
            arch = arch_of(self._machine)
            names: set[str] = set()
            for each in chosen:
                names |= usdt_arguments.symbols(each.arguments, arch)
            addresses = functions.addresses(elf, names) if names else {}
            file = UserFile(path, elf.path, {}, chosen, addresses)
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
    return UserFile(path, shown or elf.path, chosen)


def _chosen(elf: Elf, function: Function) -> Function:
    """What an indirect function stands for on this machine, where that is known."""
    if not function.indirect:
        return function
    return indirect.chosen(elf, function) or function


def _descriptor(elf: Elf) -> str:
    return f"/proc/self/fd/{elf.fd}"


def _name(probe: usdt.UsdtProbe) -> str:
    return f"{probe.provider}:{probe.name}"
