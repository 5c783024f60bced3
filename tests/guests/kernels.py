"""The distribution kernels that the live tests run on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.guests.architecture import AMD64, ARM64, Architecture


@dataclass(frozen=True)
class Kernel:
    """A kernel release series and the Debian suite that ships it."""

    version: str
    suite: str
    architecture: Architecture = AMD64
    has_zfs: bool = False
    has_bcc: bool = False
    has_ssh: bool = False

    @property
    def name(self) -> str:
        """What a kernel is called here, such as "6.12" or "6.12-arm64"."""
        foreign = "" if self.architecture is AMD64 else f"-{self.architecture.debian}"
        return self.version + foreign + "-zfs" * self.has_zfs + "-bcc" * self.has_bcc

    @property
    def tests(self) -> str:
        """A part of the names of the live tests that run; "" for all."""
        return "test_zfs" if self.has_zfs else ""


# The oldest supported kernel, the two stable releases since, and the newest.
# Each brings its suite's own user land: Python 3.9, 3.11, 3.13 and 3.14. One has ssh:
# the oldest, where most of what comes over it could fail.
KERNELS = (
    Kernel("5.10", "bullseye", has_ssh=True),
    Kernel("6.1", "bookworm"),
    Kernel("6.12", "trixie"),
    Kernel("7.2", "sid"),
)

# Of the other architecture one, in runs of its own.
ARM64_KERNELS = (Kernel("6.12", "trixie", ARM64),)

# One with OpenZFS, which is built for it from source: in runs of its own, for ZFS only.
ZFS_KERNELS = (Kernel("6.12", "trixie", has_zfs=True),)

ALL = {kernel.name: kernel for kernel in (*KERNELS, *ARM64_KERNELS, *ZFS_KERNELS)}

# One with bcc and what that compiles against: for benchmarks, no tests run there.
BCC_KERNEL = Kernel("6.12", "trixie", has_bcc=True)


def names(kernels: Iterable[Kernel]) -> tuple[str, ...]:
    """The names of kernels, in their order."""
    return tuple(kernel.name for kernel in kernels)
