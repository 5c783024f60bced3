"""Files, directories and mounts."""

from skep.authoring.bpf import bpf
from skep.fields.files import READ_ONLY

AT_FDCWD = -100
"""Stands for the working directory (include/uapi/linux/fcntl.h)."""

DEEPEST = 31
"""Directories above a relative path that are looked up at most."""

O_ACCMODE = 3
"""The bits of open(2)'s flags that tell reading from writing."""


@bpf.inline
def has_flag(flags, wanted):
    """Whether flags of open(2) have one of those wanted, as `OpenFlags` parses them."""
    if wanted & READ_ONLY and flags & O_ACCMODE == 0:
        return True
    return flags & (wanted & ~READ_ONLY) != 0


@bpf.inline
def append_directory(row, dfd, path):
    """Append to a row the names of the directories above a relative user path.

    `dfd` is the directory's file descriptor or AT_FDCWD.  From the innermost outwards,
    mounts are crossed, up to the root of all mounts (struct mount, fs/mount.h).
    """
    if path[0] == 47:
        return
    directory = bpf.kernel(directory_of(dfd))
    dentry = bpf.kernel(directory.dentry)
    mount = bpf.container_of(directory.mnt, "struct mount", "mnt")
    for _ in range(DEEPEST):
        if dentry == mount.mnt.mnt_root:
            if mount == mount.mnt_parent:
                break
            dentry = mount.mnt_mountpoint
            mount = mount.mnt_parent
        else:
            row.append(bpf.kernel(dentry.d_name.name))
            dentry = dentry.d_parent


@bpf.inline
def directory_of(dfd):
    """The `struct path` of a directory file descriptor of the current task."""
    task = bpf.kernel(bpf.task())
    if dfd == AT_FDCWD:
        return bpf.kernel(task.fs.pwd)
    return bpf.kernel(task.files.fdt.fd[bpf.u32(dfd)].f_path)
