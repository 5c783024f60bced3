"""Carrying arguments from the start of a call to its return.

A program at the start saves what the program at the return needs, in a map keyed by the
task's address: a thread that executes a program changes its id, but stays that task.
Where calls can nest, the call's frame on the stack is the other half of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skep.compiler import ir
from skep.compiler.arithmetic import convert
from skep.compiler.fetch import Fetcher, SavedRecord
from skep.compiler.intrinsics.task import current_task
from skep.compiler.ir import Address, Imm
from skep.compiler.types import U64, Layout, Pointer, lay_out
from skep.compiler.values import Const, Register
from skep.errors import InternalError
from skep.probes.candidate import (
    Clock,
    Elapsed,
    Param,
    Saved,
    SessionCell,
    Site,
    SyscallCase,
)
from skep.spec import MapSpec

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

ENTRIES = 10240
"""Calls that may be under way at the same time."""

CALL = " call"
"""The member of a saved record that tells which system call it is from."""


def is_saved(param: Param) -> bool:
    """Whether a parameter comes from the program at the start of the call."""
    return isinstance(param.fetch, (Saved, Elapsed))


def _params(entry: Site) -> list[str]:
    """The names of what a program at the start saves."""
    cases = entry.match.cases if entry.match else ()
    found = {param.name for case in cases for param in case.params}
    return sorted(found | {param.name for param in entry.params})


def _calls(entry: Site) -> list[str]:
    cases = entry.match.cases if entry.match else ()
    return sorted({case.name for case in cases})


def layout_of(entry: Site) -> Layout:
    """The saved record: 8 bytes for each value."""
    names = [CALL, *_params(entry)]
    return lay_out("saved arguments", [(name, U64) for name in names])


def map_of(name: str, entry: Site) -> MapSpec:
    """The map between the programs at the start and at the return.

    What calls that never return have left in it must make room in the end.  Kernel
    functions have one each: one that ends by jumping to another lends it its frame.
    """
    if entry.frame and not entry.frame.abandoned:
        name = f"{name}_{entry.attach.name}"
    kind = "lru_hash" if entry.frame and entry.frame.abandoned else "hash"
    key = 16 if entry.frame else 8
    return MapSpec(f"{name}_entry", kind, key, layout_of(entry).size, ENTRIES)


def in_cell(entry: Site) -> bool:
    """Whether the one thing that is saved fits into what the kernel keeps of a call."""
    session = entry.frame is not None and isinstance(entry.frame.fetch, SessionCell)
    return session and len(entry.params) == 1


def call_of(entry: Site, case: SyscallCase, number: int) -> ir.Operand:
    """What stands for a call in the saved record: the register with its number.

    Unless arguments are saved, for execve and execveat: they may return with another.
    """
    if _is_timed(entry):
        return number
    return Imm(_calls(entry).index(case.name))


def _is_timed(entry: Site) -> bool:
    """Whether nothing but the time of calls is saved."""
    cases = entry.match.cases if entry.match else ()
    return all(isinstance(each.fetch, Clock) for case in cases for each in case.params)


def save(
    walker: Walker,
    name: str,
    entry: Site,
    params: Sequence[Param],
    call: ir.Operand,
    fetcher: Fetcher,
) -> None:
    """At the start of a call: keep the values of its parameters for its return."""
    b = walker.builder
    if in_cell(entry):
        from skep.compiler.sessions import session_cell

        (param,) = params
        b.store(session_cell(walker), 0, _word(walker, fetcher, param), 8)
        return
    spec, layout = map_of(name, entry), layout_of(entry)
    slot = b.shared_slot(layout.size, "saved arguments")
    values = {param.name: _word(walker, fetcher, param) for param in params}
    values[CALL] = call
    for member_name, member in layout.members.items():
        b.store(slot, member.bit_offset // 8, values.get(member_name, Imm(0)), 8)
    key = _key(entry, fetcher)
    result = b.call("map_update_elem", b.map(spec), key, Address(slot), Imm(0))
    b.count_loss("map full", "!=", result)


def _word(walker: Walker, fetcher: Fetcher, param: Param) -> ir.Operand:
    value = fetcher.parameter(param)
    if isinstance(value, Register) and isinstance(value.type, Pointer):
        return value.register
    if not isinstance(value, (Register, Const)):
        raise InternalError(f"{param.name} cannot be saved")
    return walker.builder.operand(convert(walker.builder, value, U64), True)


def _key(site: Site, fetcher: Fetcher) -> Address:
    """The key of a call: its task and, where calls can nest, its frame."""
    b = fetcher.builder
    slot = b.shared_slot(16 if site.frame else 8, "call key")
    b.store(slot, 0, current_task(fetcher.walker).register, 8)
    if site.frame is not None:
        b.store(slot, 8, fetcher.frame(site.frame), 8)
    return Address(slot)


def find(
    walker: Walker, name: str, site: Site, call: ir.Operand, fetcher: Fetcher
) -> MapSpec | None:
    """At the return: find what was saved; leave the program if that is nothing.

    Or if it is from another call, which has never returned.
    """
    assert site.entry is not None
    b = walker.builder
    if in_cell(site.entry):
        from skep.compiler.sessions import session_cell

        (param,) = site.entry.params
        layout = lay_out("saved argument", [(param.name, U64)])
        fetcher.saved = SavedRecord(session_cell(walker), layout)
        return None
    spec = map_of(name, site.entry)
    found = b.call("map_lookup_elem", b.map(spec), _key(site, fetcher))
    missing, present = b.new_block(), b.new_block()
    b.finish(ir.Branch("==", found, Imm(0), True, missing, present))
    b.start(missing)
    if site.frame and site.frame.abandoned:
        # The entry is attached first, so it was there and had to make room.
        b.add_to_ledger("unpaired")
    b.exit()
    b.start(present)
    layout = layout_of(site.entry)
    if len(_calls(site.entry)) > 1:
        other, same = b.new_block(), b.new_block()
        member = layout.members[CALL]
        which = b.load(found, member.bit_offset // 8, 8)
        b.finish(ir.Branch("==", which, call, True, same, other))
        b.start(other)
        b.exit()
        b.start(same)
    fetcher.saved = SavedRecord(found, layout)
    return spec


def forget(spec: MapSpec | None, site: Site, fetcher: Fetcher) -> None:
    """At the return, when all values are in registers: free the saved record."""
    if spec is None:
        return
    b = fetcher.builder
    b.call("map_delete_elem", b.map(spec), _key(site, fetcher))
