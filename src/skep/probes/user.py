"""What probes in user programs have in common: registers, arguments, candidates."""

from __future__ import annotations

from collections.abc import Sequence

from skep.arch.description import RegisterPart
from skep.errors import NotSupported, TargetError
from skep.probes.candidate import (
    Candidate,
    CtxField,
    Fetch,
    Frame,
    Site,
    UserMemory,
)
from skep.spec import UserPlace
from skep.target import Target

MOST_EVENTS = 1000
"""Places that are probed one by one: each takes a file descriptor and, at its end, some
20 ms."""

MOST_NUMBERS = 64
"""Functions of one probe that are told apart by a number."""

_ADDRESS_BITS = 58  # x86_64 has 57 at most, arm64 52

_SINGLE = "a perf event for each place: attaches and detaches more slowly"


class Registers:
    """The context of a user probe: struct pt_regs, loaded from directly."""

    def __init__(self, target: Target) -> None:
        self._btf = target.btf
        self._arch = target.arch
        struct_id = self._btf.find("struct", "pt_regs")
        if struct_id is None:
            raise TargetError("the kernel's BTF has no struct pt_regs")
        self._struct = struct_id

    def member(self, path: str) -> CtxField:
        """A whole register, by its path in struct pt_regs."""
        return self.part(RegisterPart(path, 0, 8))

    def part(self, part: RegisterPart, size: int = 8, signed: bool = False) -> CtxField:
        """At most `size` bytes of a part of a register."""
        place = self._btf.member(self._struct, part.path)
        if place is None:
            raise TargetError(f"the kernel's struct pt_regs has no {part.path}")
        offset = place.bit_offset // 8 + part.byte
        return CtxField(offset, min(size, part.size), signed)

    @property
    def instruction_pointer(self) -> CtxField:
        """Where the probe is, in the memory of the process."""
        return self.member(self._arch.instruction_pointer)

    def argument(self, index: int) -> Fetch:
        """An argument at the entry of a function, counted from 0."""
        in_registers = self._arch.function_args
        if index < len(in_registers):
            return self.member(in_registers[index])
        on_stack = 8 * (index - len(in_registers)) + self._arch.return_address_size
        return UserMemory(self.member(self._arch.stack_pointer), on_stack, 8)

    @property
    def returned(self) -> CtxField:
        """What a function returns."""
        return self.member(self._arch.return_value)

    def frame(self, at_return: bool, by_address: bool, number: int = 0) -> Frame:
        """What a call has to itself: the stack pointer of its caller, and the function.

        The return of x86_64 takes the return address from the stack.  The function is
        told by its address or by a `number` below 64, which user addresses leave room
        for.
        """
        pointer = self.member(self._arch.stack_pointer)
        moved = -self._arch.return_address_size if at_return else 0
        add = moved + (number << _ADDRESS_BITS)
        return Frame(pointer, add, by_address, abandoned=True)


def has_links(target: Target) -> bool:
    """Whether one link can have many places.

    Since the same release bpf_get_func_ip works in user probes.
    """
    return target.has_enumerator("BPF_TRACE_UPROBE_MULTI")


def candidates(
    sites: Sequence[Site], places: Sequence[UserPlace], note: str, target: Target
) -> list[Candidate]:
    """The sites, made for perf events, also as one link for each file (6.6)."""
    found = []
    if has_links(target):
        found.append(Candidate(tuple(_as_multi(site) for site in sites), note))
    if len(places) > MOST_EVENTS and not found:
        raise NotSupported(
            f"{len(places)} places are more than the {MOST_EVENTS} that this kernel can"
            " probe one by one",
            hint="one link for all came with Linux 6.6; name fewer functions",
        )
    if len(places) <= MOST_EVENTS:
        notes = "; ".join(filter(None, (note, _SINGLE if len(places) > 1 else "")))
        found.append(Candidate(tuple(sites), notes))
    return found


def _as_multi(site: Site) -> Site:
    attach = site.attach._replace(kind=f"{site.attach.kind}_multi")
    entry = None if site.entry is None else _as_multi(site.entry)
    return site._replace(attach=attach, entry=entry)
