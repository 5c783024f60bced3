"""The facts of a kernel from an archive, for tests on any machine."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Sequence

from skep.errors import SkepError, TargetError
from skep.symbols.functions import Function
from skep.symbols.name_pattern import matcher
from skep.symbols.usdt import UsdtProbe
from skep.target.user import UserFile


class FixtureFacts:
    """Facts saved in a tar archive, see `skep.target.facts.Facts`.

    Its members: "release", "machine", "cpus_possible" (a number), "symbols" (one name
    per line), "btf/vmlinux", "btf/MODULE" and "events/CATEGORY/EVENT/format".
    Functions and USDT probes of user programs are in "user.txt" beside the archive.
    """

    def __init__(self, path: str) -> None:
        self._files = _read_archive(path)
        self._user = os.path.join(os.path.dirname(path), "user.txt")
        self.release = self._text("release")
        self.machine = self._text("machine")
        self._symbols = frozenset(self._text("symbols").split())

    def btf(self, module: str) -> bytes | None:
        """The BTF of vmlinux or of a module."""
        return self._files.get(f"btf/{module}")

    def has_module(self, name: str) -> bool:
        """Whether the BTF of a module was saved."""
        return f"btf/{name}" in self._files

    def event_format(self, category: str, event: str) -> str | None:
        """The text of a tracepoint's format file."""
        content = self._files.get(f"events/{category}/{event}/format")
        return None if content is None else content.decode()

    def event_names(self) -> list[str]:
        """The tracepoints whose formats were saved."""
        paths = [name.split("/") for name in self._files if name.startswith("events/")]
        return [f"{category}:{event}" for _, category, event, _ in paths]

    def tracefs_problem(self) -> SkepError | None:
        """Why there are no formats."""
        if any(name.startswith("events/") for name in self._files):
            return None
        return TargetError("no tracepoint formats were saved")

    def symbols(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are symbols of the kernel."""
        return set(names) & self._symbols

    def function_symbols(self, name: str) -> list[tuple[str, str]]:
        """Functions called `name` or `name.SUFFIX`; their modules were not saved."""
        found = (s for s in self._symbols if s.partition(".")[0] == name)
        return [(symbol, "") for symbol in sorted(found)]

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """The functions of a library."""
        saved = []
        for name, offset, size in self._lines("function", library):
            saved.append(Function(name, "", int(offset), int(offset), int(size)))
        found = {
            pattern: [each for each in saved if matcher(pattern).fullmatch(each.name)]
            for pattern in patterns
        }
        return [UserFile(library, library, found)]

    def usdt_probes(
        self, library: str, provider: str, probe: str, pid: int
    ) -> list[UserFile]:
        """The places of a USDT probe."""
        found = []
        for full, offset, semaphore, *arguments in self._lines("usdt", library):
            group, _, name = full.partition(":")
            if matcher(probe).fullmatch(name) and provider in ("", group):
                place = int(offset)
                text = " ".join(arguments)
                found.append(UsdtProbe(group, name, place, place, int(semaphore), text))
        return [UserFile(library, library, {}, found)]

    def _lines(self, kind: str, library: str) -> list[list[str]]:
        """The rest of the lines about a library."""
        with open(self._user) as file:
            lines = [line.split() for line in file]
        return [words[2:] for words in lines if words[:2] == [kind, library]]

    def traceable_functions(self) -> list[str]:
        """The saved symbols."""
        return sorted(self._symbols)

    def hides_memory(self) -> bool:
        """Not in a saved kernel."""
        return False

    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present."""
        return int(self._text("cpus_possible"))

    def _text(self, name: str) -> str:
        content = self._files.get(name)
        if content is None:
            raise TargetError(f'the saved target has no file "{name}"')
        return content.decode().strip()


def _read_archive(path: str) -> dict[str, bytes]:
    files = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content:
                    files[member.name] = content.read()
    except (OSError, tarfile.TarError) as error:
        raise TargetError(f"cannot read the saved target {path}: {error}") from error
    return files
