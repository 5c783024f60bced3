"""What file systems call the functions through which files are used.

Each is looked for in the kernel and in the file system's module; of "a|b" the first
that is there.  Functions that file systems share are told apart by the file's own.
"""

from __future__ import annotations

from skep.named_tuple import NamedTuple

_READ_WRITE = "ssize_t (struct kiocb *iocb, struct iov_iter *iter)"
_OPEN = "int (struct inode *inode, struct file *filp)"
PROTOTYPES = {
    "read": _READ_WRITE,
    "write": _READ_WRITE,
    "open": _OPEN,
    "open4": _OPEN,
    "sync": "int (struct file *filp, loff_t start, loff_t end, int datasync)",
    "getattr": "int (struct path *path, struct kstat *stat, u32 mask, unsigned flags)",
}
"""Of each kind, for modules without BTF (before 5.11, or built outside of the kernel).

Since 5.12 (549c7297717c) nfs_getattr has another argument in front, as BTF tells.
"""


class FileSystem(NamedTuple):
    """A file system: its name in messages, and its functions.

    `magic` is what statfs(2) calls f_type (include/uapi/linux/magic.h).  `open4` is
    NFS version 4's own, in the module nfsv4.  `open4`, `sync` and `getattr` are ""
    where calls of them are not shown.  `syncs_directories` tells whether `sync` is for
    directories, too.
    """

    title: str
    module: str
    magic: int
    read: str
    write: str
    open: str
    open4: str = ""
    sync: str = ""
    getattr: str = ""
    syncs_directories: bool = False


FILE_SYSTEMS = {
    "btrfs": FileSystem(
        "btrfs",
        "btrfs",
        0x9123683E,
        # It had none of its own for reading before 5.10 (f85781fb505e), for opening
        # before 4.14.
        "btrfs_file_read_iter|generic_file_read_iter",
        "btrfs_file_write_iter",
        "btrfs_file_open|generic_file_open",
        sync="btrfs_sync_file",
        syncs_directories=True,
    ),
    "ext4": FileSystem(
        "ext4",
        "ext4",
        0xEF53,
        "ext4_file_read_iter",
        "ext4_file_write_iter",
        "ext4_file_open",
        sync="ext4_sync_file",
        syncs_directories=True,
    ),
    "f2fs": FileSystem(
        "f2fs",
        "f2fs",
        0xF2F52010,
        # Its own since 5.16 (a1e09b03e6f5).
        "f2fs_file_read_iter|generic_file_read_iter",
        "f2fs_file_write_iter",
        "f2fs_file_open",
        sync="f2fs_sync_file",
        syncs_directories=True,
    ),
    "nfs": FileSystem(
        "NFS",
        "nfs",
        0x6969,
        "nfs_file_read",
        "nfs_file_write",
        "nfs_file_open",
        "nfs4_file_open",
        getattr="nfs_getattr",
    ),
    "xfs": FileSystem(
        "XFS",
        "xfs",
        0x58465342,
        "xfs_file_read_iter",
        "xfs_file_write_iter",
        "xfs_file_open",
        sync="xfs_file_fsync",
    ),
    "zfs": FileSystem(
        "ZFS",
        "zfs",
        0x2FC12FC1,
        "zpl_iter_read|zpl_aio_read",
        "zpl_iter_write|zpl_aio_write",
        "zpl_open",
        sync="zpl_fsync",
        syncs_directories=True,
    ),
}
"""By the name that mount(8) knows them by."""
