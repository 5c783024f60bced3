"""One ELF file for which addresses are looked up, with all the symbols there are."""

from __future__ import annotations

from mmap import PAGESIZE

from skep.errors import SkepError
from skep.symbols import debug_files, symbol_table
from skep.symbols.demangle import demangle
from skep.symbols.elf import PF_X, Elf, Segment
from skep.symbols.symbol_table import SymbolTable

_MOST_KNOWN = 4096
"""Addresses whose functions are kept."""


class ObjectFile:
    """The functions of a file; read at once, after which the file is not needed.

    The symbols are those of .symtab, else those of a separate debug file, else those of
    .gnu_debugdata and .dynsym.  `problem` tells why there are none.
    """

    def __init__(self, elf: Elf, root: str = "/") -> None:
        self.problem = ""
        self._segments = [each for each in elf.segments if each.flags & PF_X]
        self._tables: list[SymbolTable] = []
        self._known: dict[int, tuple[str | None, int]] = {}
        try:
            self._load(elf, root)
        except SkepError as error:
            self.problem = error.diagnostic.message
        if not self._tables and not self.problem:
            self.problem = f"{elf.path} has no symbols: it is stripped"

    def _load(self, elf: Elf, root: str) -> None:
        section = symbol_table.full(elf)
        if section is not None:
            self._tables.append(SymbolTable(elf, section))
            return
        exported = symbol_table.dynamic(elf)
        if exported is not None:
            self._tables.append(SymbolTable(elf, exported))
        debug = debug_files.separate(elf, root) or debug_files.compressed(elf)
        if debug is not None:
            with debug:
                section = symbol_table.full(debug)
                if section is not None:
                    # Prelink moves programs, and leaves their debug files alone.
                    shift = _base(elf) - _base(debug)
                    self._tables.insert(0, SymbolTable(debug, section, shift))

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 4096 + sum(table.size for table in self._tables)

    def address_of(self, offset: int) -> int:
        """The address that the file itself has for an offset in it.

        What is mapped begins and ends at pages, so the segment may begin later.
        """
        for segment in self._segments:
            if _first_page(segment) <= offset < segment.offset + segment.file_size:
                return segment.address + offset - segment.offset
        return offset

    def lookup(self, address: int) -> tuple[str | None, int]:
        """The function at an address of the file, and how far into it that is.

        None, and the address itself, where no function is.
        """
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[address] = self._lookup(address)
        return known

    def _lookup(self, address: int) -> tuple[str | None, int]:
        found = [table.lookup(address) for table in self._tables]
        innermost = max(filter(None, found), key=lambda each: each.start, default=None)
        if innermost is None:
            return None, address
        return demangle(innermost.name), address - innermost.start


def _first_page(segment: Segment) -> int:
    return segment.offset - segment.offset % PAGESIZE


def _base(elf: Elf) -> int:
    """The lowest address of a file that is loaded."""
    return min((s.address for s in elf.segments), default=0)
