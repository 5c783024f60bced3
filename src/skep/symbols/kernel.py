"""What addresses of the kernel are called, by /proc/kallsyms.

It has the kernel's own functions, those of modules, BPF programs, and the trampolines
of ftrace and kprobes.  It has no sizes: a function ends where the next symbol is.

Source: kernel/kallsyms.c, kernel/module/procfs.c.
"""

from __future__ import annotations

from array import array
from binascii import unhexlify
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from operator import le

from skep.symbols.kallsyms import KALLSYMS, whole_lines
from skep.symbols.symbol import Symbol

MODULES = "/proc/modules"
VMLINUX = "kernel"
"""The module of what is part of the kernel itself."""
_BPF = "bpf"
"""The module of BPF programs, of which nothing says where they end."""

_CODE = b"tTwW"
_MARK = b"$"
_ENDS = (b"_etext", b"_einittext", b"_end", b"__end_of_kernel_reserve")
_LARGEST = 1 << 20
"""No function has as many bytes; nothing else says where the last one ends."""

_MOST_KNOWN = 100_000
"""Addresses whose names are kept: any number can be shown as one."""


class KernelSymbols:
    """The symbols of the running kernel, read when the first address is looked up.

    122,000 lines take 60 ms, most of it in the kernel.  They are read again when an
    address has no name in them and modules were loaded since; what else is new is
    unknown until `refresh`.
    """

    def __init__(self, kallsyms: str = KALLSYMS, modules: str = MODULES) -> None:
        self._kallsyms = kallsyms
        self._modules = modules
        self._is_read = False
        self.refresh()

    def refresh(self) -> None:
        """Read the symbols again when they are needed."""
        self._known: dict[int, Symbol] = {}
        self._is_read = False
        self._problem = ""

    @property
    def has_been_asked(self) -> bool:
        """Whether any address has been looked up."""
        return self._is_read

    @property
    def problem(self) -> str:
        """Why addresses are unknown, "" if there is no reason."""
        self._read()
        return self._problem

    def lookup(self, address: int) -> Symbol:
        """What an address is called; its offset counts from there."""
        known = self._known.get(address)
        if known is None:
            self._read()
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._lookup(address)
            if known.name is None or known.module == _BPF:
                # Modules, with room for which BPF programs live, come and go.
                known = self._lookup_again(address) or known
            self._known[address] = known
        return known

    def _lookup_again(self, address: int) -> Symbol | None:
        """The same, if there are other modules now than when the symbols were read."""
        modules = dict(_module_ends(self._modules))
        if not modules or modules == self._module_ends:
            return None
        self.refresh()
        self._read()
        return self._lookup(address)

    def _lookup(self, address: int) -> Symbol:
        index = self._index(address)
        if index < 0:
            return Symbol(None, address)
        start = self._addresses[index]
        kind, name, module = self._line(index)
        beyond = address - start >= _LARGEST or (
            module in self._module_ends and address >= self._module_ends[module]
        )
        if kind not in _CODE or name in _ENDS or beyond:
            return Symbol(None, address)
        return Symbol(_text(name), address - start, _text(module) or VMLINUX)

    def _index(self, address: int) -> int:
        """Which symbol is nearest before an address or at it; -1 if none is.

        As the kernel does, the first one of several at the same place, and none of
        those that tell code from data in modules of arm64 (include/linux/
        module_symbol.h).
        """
        end = bisect_right(self._addresses, address)
        while end:
            first = bisect_left(self._addresses, self._addresses[end - 1])
            for index in range(first, end):
                if not self._line(index)[1].startswith(_MARK):
                    return index
            end = first
        return -1

    def _line(self, index: int) -> tuple[bytes, bytes, bytes]:
        """Type, name and module of a symbol."""
        start = self._places[self._order[index]] if self._order else self._places[index]
        line = bytes(self._lines[start : self._lines.find(b"\n", start)])
        name, _, module = line[19:].partition(b"\t")
        return line[17:18], name, module.strip(b"[]")

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        addresses, lengths, content = array("Q"), array("I"), bytearray()
        try:
            for chunk in whole_lines(self._kallsyms):
                lines = chunk.splitlines(True)
                numbers = array("Q")
                numbers.frombytes(unhexlify(b"".join([line[:16] for line in lines])))
                numbers.byteswap()
                addresses += numbers
                lengths.extend(map(len, lines))
                content += chunk
        except OSError as error:
            self._problem = f"cannot read {self._kallsyms}: {error.strerror}"
        self._places = array("I", accumulate(lengths, initial=0))
        self._lines = content
        if addresses and not any(addresses):
            self._problem = (
                "the kernel hides the addresses of its functions: it shows them with"
                " CAP_SYSLOG, if kernel.kptr_restrict is not 2"
            )
            addresses = array("Q")
        self._sort(addresses)
        self._module_ends = dict(_module_ends(self._modules))

    def _sort(self, addresses: array[int]) -> None:
        """The order by address: the kernel's own symbols mostly have it already."""
        self._order: array[int] = array("I")
        if not all(map(le, addresses, addresses[1:])):
            order = sorted(range(len(addresses)), key=addresses.__getitem__)
            self._order = array("I", order)
            addresses = array("Q", map(addresses.__getitem__, order))
        self._addresses = addresses


def _module_ends(path: str) -> Iterator[tuple[bytes, int]]:
    """Where the memory of each module ends at most.

    Since 6.4 its parts have places of their own: code starts at the address that is
    said, and the size is that of all parts.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return  # a kernel without modules
    for line in lines:
        # xfs 2023424 1 - Live 0xffffffffc0a00000 (E)
        words = line.split()
        if len(words) >= 6 and words[1].isdigit():
            address = int(words[5], 16)
            if address:
                yield words[0], address + int(words[1])


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
