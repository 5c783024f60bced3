"""Writes cpio archives in the "newc" format, the one the kernel unpacks.

The format is described in Documentation/driver-api/early-userspace/buffer-format.rst
of the kernel. Python's standard library has tar and zip but not cpio.
"""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path
from typing import BinaryIO

_TAR_TYPES = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.AREGTYPE: stat.S_IFREG,
    tarfile.LNKTYPE: stat.S_IFREG,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}


class Writer:
    """Appends entries to an archive; `close` ends it.

    Several archives may follow one another in one file: the kernel unpacks them
    in order, and a later entry replaces an earlier one of the same name.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inode = 0

    def add(
        self,
        name: str,
        mode: int,
        data: bytes = b"",
        *,
        owner: tuple[int, int] = (0, 0),
        mtime: int = 0,
        device: tuple[int, int] = (0, 0),
    ) -> None:
        """Appends one entry; `mode` includes the file type, `name` has no root.

        The data of a symbolic link is its target.
        """
        self._inode += 1
        path = os.fsencode(name) + b"\0"
        fields = (
            *(self._inode, mode, *owner, 1, mtime, len(data)),
            *(0, 0, *device, len(path), 0),
        )
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._write_padded(header + path)
        self._write_padded(data)

    def add_directory(self, name: str) -> None:
        """Appends a directory that root owns and all may read."""
        self.add(name, stat.S_IFDIR | 0o755)

    def add_tree(self, path: Path, ignore: frozenset[str] = frozenset()) -> None:
        """Appends a file or directory under its own absolute path.

        Entries whose name is in `ignore` are left out, with all below them.
        """
        for parent in reversed(path.parents[:-1]):
            self.add_directory(_relative(parent))
        pending = [path]
        while pending:
            entry = pending.pop()
            if entry.name in ignore:
                continue
            self._add_path(entry)
            if entry.is_dir() and not entry.is_symlink():
                pending.extend(sorted(entry.iterdir(), reverse=True))

    def add_tar_member(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Appends a member of a tar archive; a hard link becomes a copy."""
        data = b""
        if member.issym():
            data = os.fsencode(member.linkname)
        elif member.isreg() or member.islnk():
            content = tar.extractfile(member)
            assert content is not None, member.name
            data = content.read()
        self.add(
            member.name.removeprefix("./"),
            _TAR_TYPES[member.type] | member.mode,
            data,
            owner=(member.uid, member.gid),
            mtime=int(member.mtime),
            device=(member.devmajor, member.devminor),
        )

    def close(self) -> None:
        """Appends the trailer; the stream stays open."""
        self.add("TRAILER!!!", 0)

    def _add_path(self, path: Path) -> None:
        status = path.lstat()
        data = b""
        if stat.S_ISLNK(status.st_mode):
            data = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            data = path.read_bytes()
        self.add(_relative(path), status.st_mode, data, mtime=int(status.st_mtime))

    def _write_padded(self, data: bytes) -> None:
        self._stream.write(data)
        self._stream.write(bytes(-len(data) % 4))


def _relative(path: Path) -> str:
    return str(path.relative_to("/"))
