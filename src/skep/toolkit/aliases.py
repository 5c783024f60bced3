"""Tools that are another tool with an option set, by name."""

from __future__ import annotations

from typing import Any

from skep.named_tuple import NamedTuple


class Alias(NamedTuple):
    """Another name of a tool, under which some of its options are given."""

    tool: str
    preset: dict[str, Any]
    summary: str


_FILE_SYSTEMS = {
    "btrfs": "btrfs",
    "ext4": "ext4",
    "f2fs": "F2FS",
    "nfs": "NFS",
    "xfs": "XFS",
    "zfs": "ZFS",
}

ALIASES = {
    f"{kind}slower": Alias(
        "fsslower", {"type": kind}, f"Trace slow operations of {title} files"
    )
    for kind, title in _FILE_SYSTEMS.items()
}
"""Tools that are one module with an option set."""
