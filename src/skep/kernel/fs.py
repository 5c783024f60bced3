"""Files, directories and mounts."""

from skep.authoring.bpf import bpf
from skep.fields.files import READ_ONLY

AT_FDCWD = -100
"""Stands for the working directory (include/uapi/linux/fcntl.h)."""

DEEPEST = 31
"""Directories above a relative path that are looked up at most."""

S_IFMT, S_IFREG, S_IFDIR = 0o170000, 0o100000, 0o040000
"""Where the type of a file is in its mode, and the types of regular files and of
directories (inode(7))."""

FMODE_PATH = 1 << 14
"""In a file's mode: open for its place only (include/linux/fs.h)."""

O_ACCMODE = 3
"""The bits of open(2)'s flags that tell reading from writing."""

O_APPEND = 0o2000
"""That flag of open(2) (include/uapi/asm-generic/fcntl.h)."""


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


@bpf.inline
def file_of(fd):
    """The `struct file *` of a file descriptor of the current task, or None."""
    table = bpf.task().files.fdt
    if bpf.u32(fd) >= table.max_fds:
        return None
    return bpf.kernel(bpf.kernel(table.fd)[bpf.u32(fd)])


@bpf.inline
def begun_at(iocb, ret):
    """Where in its file a `struct kiocb` that is done has begun to read or write.

    `ret` is the result: the bytes by which the position has moved.
    """
    return iocb.ki_pos - (ret if ret > 0 else 0)


@bpf.inline
def is_regular(file):
    """Whether a file is open for use (not O_PATH), and neither directory nor device."""
    if file.f_mode & FMODE_PATH:
        return False
    return file.f_inode.i_mode & S_IFMT == S_IFREG


@bpf.inline
def is_directory(file):
    """Whether a file is an open directory."""
    return file.f_inode.i_mode & S_IFMT == S_IFDIR


@bpf.inline
def appends(file):
    """Whether a file was opened to be written at its end."""
    return file.f_flags & O_APPEND != 0


@bpf.inline
def position_of(pos_l, pos_h):
    """The offset that preadv(2) and its like get in two arguments.

    64-bit calls have it in the first (pos_from_hilo, fs/read_write.c).
    """
    if bpf.compat():
        return bpf.s64(bpf.u64(pos_h) << 32 | bpf.u32(pos_l))
    return bpf.s64(pos_l)
