"""What a `Target` asks of the place that its facts come from."""

from __future__ import annotations

from typing import Iterable, Optional, Protocol

from skep.btf.table import Buffer
from skep.errors import SkepError


class Facts(Protocol):
    """The files of one kernel: this machine's, or saved ones."""

    release: str
    machine: str

    def btf(self, module: str) -> Optional[Buffer]:
        """The BTF of "vmlinux" or of a module."""

    def event_format(self, category: str, event: str) -> Optional[str]:
        """The text of a tracepoint's format file."""

    def tracefs_problem(self) -> Optional[SkepError]:
        """Why there are no tracepoint formats at all."""

    def symbols(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are symbols of the kernel."""

    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present."""
