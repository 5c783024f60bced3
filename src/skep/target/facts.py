"""What a `Target` asks of the place that its facts come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from skep.btf.table import Buffer
from skep.errors import SkepError

if TYPE_CHECKING:
    from skep.target.user import UserFile


class Facts(Protocol):
    """The files of one kernel: this machine's, or saved ones."""

    release: str
    machine: str

    def btf(self, module: str) -> Buffer | None:
        """The BTF of "vmlinux" or of a module."""

    def has_module(self, name: str) -> bool:
        """Whether a module is loaded."""

    def event_format(self, category: str, event: str) -> str | None:
        """The text of a tracepoint's format file."""

    def event_names(self) -> Iterable[str]:
        """All classic tracepoints, "category:event"."""

    def tracefs_problem(self) -> SkepError | None:
        """Why there are no tracepoint formats at all."""

    def symbols(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are symbols of the kernel."""

    def function_symbols(self, name: str) -> list[tuple[str, str]]:
        """Functions called `name` or `name.SUFFIX`, each with its module or ""."""

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> Sequence[UserFile]:
        """Functions of user programs and libraries."""

    def usdt_probes(
        self, library: str, provider: str, probe: str, pid: int
    ) -> Sequence[UserFile]:
        """USDT probes of user programs and libraries."""

    def traceable_functions(self) -> Iterable[str]:
        """Lines of tracefs's list of functions: a name, or a name and "[MODULE]"."""

    def hides_memory(self) -> bool:
        """Whether the kernel's memory is closed to the helpers that read it."""

    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present."""
