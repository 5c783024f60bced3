"""Which function of an ELF file an address is in, by one of its symbol tables.

Symbols say how long functions are, but for some that are written in assembly language:
those end where the next symbol or their section does.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from skep.named_tuple import NamedTuple
from skep.symbols.elf import SHT_DYNSYM, SHT_SYMTAB, Elf, Section
from skep.symbols.intervals import ordered

_SIZE = 24  # of a symbol, three words: name, info, section; address; size
_MOST = 1 << 21
"""Symbols that are read at most: they take 200 bytes each while they are put in order,
and 40 afterwards."""
_SHF_EXECINSTR = 4

_STT_NOTYPE = 0
_FUNCTIONS = (2, 10)  # STT_FUNC, STT_GNU_IFUNC
_BINDINGS = {1: 2, 2: 1}  # STB_GLOBAL before STB_WEAK before STB_LOCAL


class Found(NamedTuple):
    """A function that has an address, by its name in the file and where it starts."""

    name: bytes
    start: int


class SymbolTable:
    """The code symbols of one table; 35,000 of them take 30 ms to load.

    Names are decoded when they are asked for.
    """

    def __init__(self, elf: Elf, section: Section, shift: int = 0) -> None:
        if section.entry_size != _SIZE:
            raise elf.error(f"symbols of {section.entry_size} bytes")
        if section.size > _MOST * _SIZE:
            raise elf.error(f"{section.size // _SIZE} symbols are too many to read")
        content = elf.content(section)
        words = array("Q")
        words.frombytes(content[: len(content) // _SIZE * _SIZE])
        self._strings = elf.linked(section.link)
        heads, starts, sizes = words[0::3], words[1::3], words[2::3]
        chosen = list(self._code(elf, heads))
        self._shift = shift
        order, self._places = ordered(
            [starts[each] for each in chosen],
            _ends(elf, heads, starts, sizes, chosen),
        )
        self._heads = array("Q", [heads[chosen[each]] for each in order])

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return len(self._strings) + 36 * len(self)

    def _code(self, elf: Elf, heads: Sequence[int]) -> Iterable[int]:
        """The numbers of the symbols that are of code that the file has itself."""
        code = {
            number
            for number, section in enumerate(elf.sections)
            if section.flags & _SHF_EXECINSTR and number
        }
        for number, head in enumerate(heads):
            kind = head >> 32 & 0xF
            if kind in _FUNCTIONS:
                if head >> 48 in code:
                    yield number
            elif kind == _STT_NOTYPE and head >> 48 in code and self._is_label(head):
                yield number

    def _is_label(self, head: int) -> bool:
        """Whether a symbol is not one of those that tell code from data on arm64."""
        place = head & 0xFFFFFFFF
        return self._strings[place : place + 1] not in (b"$", b"\0", b"")

    def lookup(self, address: int) -> Found | None:
        """The function that an address is in, the innermost one if several are.

        Of several names for the same piece it is the best known: of full length,
        global, with the fewest underscores in front, as perf has it.
        """
        best: tuple[int, ...] | None = None
        found = None
        address -= self._shift
        for index in self._places.having(address):
            start = self._places.starts[index]
            if found and start != found.start:
                break
            head = self._heads[index]
            name = self._name(head)
            rank = (
                self._places.ends[index],
                _BINDINGS.get(head >> 36 & 0xF, 0),
                len(name.lstrip(b"_")) - len(name),
                -index,
            )
            if name and (best is None or rank > best):
                best, found = rank, Found(name, start)
        return found and found._replace(start=found.start + self._shift)

    def _name(self, head: int) -> bytes:
        place = head & 0xFFFFFFFF
        end = self._strings.find(b"\0", place)
        # .symtab has the version in the name, "memcpy@@GLIBC_2.14".
        return self._strings[place:end].partition(b"@")[0] if end >= 0 else b""


def _ends(
    elf: Elf,
    heads: Sequence[int],
    starts: Sequence[int],
    sizes: Sequence[int],
    chosen: Sequence[int],
) -> Sequence[int]:
    """Where each of the symbols ends."""
    largest = (1 << 64) - 1
    ends = [min(starts[each] + sizes[each], largest) for each in chosen]
    unsized = [place for place, each in enumerate(chosen) if not sizes[each]]
    if unsized:
        from bisect import bisect_right

        known = sorted({starts[each] for each in chosen})
        for place in unsized:
            each = chosen[place]
            section = elf.sections[heads[each] >> 48]
            following = bisect_right(known, starts[each])
            end = section.address + section.size
            if following < len(known):
                end = min(end, known[following])
            ends[place] = min(max(end, starts[each]), largest)
    return ends


def full(elf: Elf) -> Section | None:
    """The table of all symbols (.symtab), which stripped files do not have."""
    return _first(elf, SHT_SYMTAB)


def dynamic(elf: Elf) -> Section | None:
    """The table of what the dynamic linker needs (.dynsym)."""
    return _first(elf, SHT_DYNSYM)


def _first(elf: Elf, kind: int) -> Section | None:
    """A table that has more than the first symbol, which is none."""
    return next((s for s in elf.sections if s.kind == kind and s.size > _SIZE), None)
