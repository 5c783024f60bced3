"""The architectures that skep runs on."""

from __future__ import annotations

from skep.arch.arm64 import ARM64
from skep.arch.description import Arch, Compat
from skep.arch.x86_64 import X86_64
from skep.errors import NotSupported

__all__ = ["ARCHES", "ARM64", "X86_64", "Arch", "Compat", "arch_of"]

ARCHES = (X86_64, ARM64)


def arch_of(machine: str) -> Arch:
    """The architecture that uname(2) calls `machine`; `NotSupported` for others."""
    for arch in ARCHES:
        if arch.machine == machine:
            return arch
    known = ", ".join(arch.machine for arch in ARCHES)
    raise NotSupported(f"machine type {machine} is not supported (only {known})")
