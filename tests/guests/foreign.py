"""Lets this host run programs of another architecture, by QEMU's user emulation.

A root's packages have maintainer scripts, which run programs of that root. What
systemd-binfmt does at boot is done here where there is no systemd: see
Documentation/admin-guide/binfmt-misc.rst of the kernel.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.guests.architecture import Architecture

_REGISTRY = Path("/proc/sys/fs/binfmt_misc")


def enable(architecture: Architecture) -> None:
    """Registers the emulator of an architecture, unless this host has it already."""
    name = architecture.qemu.replace("-system-", "-")  # qemu-aarch64
    rule = Path("/usr/lib/binfmt.d", f"{name}.conf")
    if not rule.exists():
        return  # the host's own, or mmdebstrap will say what is missing
    if not (_REGISTRY / "register").exists():
        mount = ("mount", "-t", "binfmt_misc", "binfmt_misc", str(_REGISTRY))
        subprocess.run(mount, check=True)
    if not (_REGISTRY / name).exists():
        (_REGISTRY / "register").write_bytes(rule.read_bytes())
