"""ELF files that are in memory: the vdso, compressed symbols."""

from __future__ import annotations

from skep.symbols.elf import Elf


class ElfImage(Elf):
    """An ELF file as bytes, called `path` in messages.  Raises `BinaryError`."""

    def __init__(self, content: bytes, path: str) -> None:
        self.path = path
        self.fd = -1
        self.device = self.inode = 0
        self._content = content
        self._size = len(content)
        self._read_header()

    def read(self, offset: int, size: int) -> bytes:
        """A part of it; `BinaryError` if it does not have all of that."""
        if offset + size > self._size:
            raise self.error(f"{size} bytes at {offset} are beyond its end")
        return self._content[offset : offset + size]
