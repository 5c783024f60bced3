"""The distribution kernels that the live tests run on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kernel:
    """A kernel release series and the Debian suite that ships it."""

    version: str
    suite: str


# The oldest supported kernel, the two stable releases since, and the newest.
# Each brings its suite's own user land: Python 3.9, 3.11, 3.13 and 3.14.
KERNELS = (
    Kernel("5.10", "bullseye"),
    Kernel("6.1", "bookworm"),
    Kernel("6.12", "trixie"),
    Kernel("7.2", "sid"),
)

VERSIONS = tuple(kernel.version for kernel in KERNELS)


def by_version(version: str) -> Kernel:
    """Returns the kernel of a release series, such as "6.12"."""
    return KERNELS[VERSIONS.index(version)]
