"""What a `Target` asks of the place that its facts come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from skep.btf.table import Buffer
from skep.errors import SkepError


class Facts(Protocol):
    """The files of one kernel: this machine's, or saved ones."""

    release: str
    machine: str

    def btf(self, module: str) -> Buffer | None:
        """The BTF of "vmlinux" or of a module."""

    def event_format(self, category: str, event: str) -> str | None:
        """The text of a tracepoint's format file."""

    def tracefs_problem(self) -> SkepError | None:
        """Why there are no tracepoint formats at all."""

    def symbols(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are symbols of the kernel."""

    def function_symbols(self, name: str) -> list[tuple[str, str]]:
        """Functions called `name` or `name.SUFFIX`, each with its module or ""."""

    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present."""
