"""Programs that see every system call: find the calls they are for.

The number is compared first, as most calls are of no interest.  Only then is the task
asked whether it is in a 32-bit call, for which the same numbers mean other calls.  Each
case loads its parameters into the same registers and goes on to the handler's body,
which exists once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from skep.compiler import ir, saved, tree
from skep.compiler.arithmetic import convert
from skep.compiler.body import Handler, walk_body
from skep.compiler.environment import Globals
from skep.compiler.fetch import Fetcher
from skep.compiler.intrinsics.task import current_task
from skep.compiler.ir import Imm
from skep.compiler.scope import Frame
from skep.compiler.types import Int, Struct
from skep.compiler.values import Const, Register, Value
from skep.errors import CompileError, InternalError
from skep.named_tuple import NamedTuple
from skep.probes.candidate import Number, Param, Site, SyscallCase

if TYPE_CHECKING:
    from skep.compiler.walker import Walker


class Arm(NamedTuple):
    """A case and the body that it leads to."""

    case: SyscallCase
    body: int


def walk_handlers(walker: Walker, handlers: Sequence[tuple[Handler, Site]]) -> None:
    """Walk all handlers of a program that sees every system call."""
    span = walker.environment.tree_of(handlers[0][0].function).span
    fetcher = Fetcher(walker, handlers[0][1].program_type == "tracing", span)
    walker.builder.span = span
    bodies = [_Body(walker, handler, site) for handler, site in handlers]
    _refuse_sharing(handlers, bodies)
    _walk_matches(walker, [site for _, site in handlers], bodies, fetcher)


def _refuse_sharing(
    handlers: Sequence[tuple[Handler, Site]], bodies: Sequence[_Body]
) -> None:
    """Each call leads to one body; a second handler would never run."""
    owners: dict[tuple[int, bool], _Body] = {}
    for (_, site), body in zip(handlers, bodies):
        for case in site.match.cases if site.match else ():
            first = owners.setdefault((case.number, case.compat), body)
            if first is not body:
                raise CompileError(
                    f"{first.called.name}() is for the system call {case.name}, too",
                    body.called.span,
                    hint="let one function do both",
                )


def walk_entries(walker: Walker, entries: Sequence[tuple[tree.Function, Site]]) -> None:
    """Walk a program at the start of calls, which saves what each entry says for the
    handler at the return."""
    called, first = entries[0]
    fetcher = Fetcher(walker, first.program_type == "tracing", called.span)
    walker.builder.span = called.span
    walker.frame = Frame(called, Globals({}, {}), None)
    savers = [_Saver(walker, handler.name, entry) for handler, entry in entries]
    if first.match is not None:
        _walk_matches(walker, [entry for _, entry in entries], savers, fetcher)
        return
    for saver, (_, entry) in zip(savers, entries):
        saver.save(entry.params, Imm(0), fetcher)
    walker.builder.exit()


def _walk_matches(
    walker: Walker,
    sites: Sequence[Site],
    bodies: Sequence[_Body | _Saver],
    fetcher: Fetcher,
) -> None:
    builder = walker.builder
    matches = [site.match for site in sites if site.match is not None]
    number = fetcher.number(matches[0].number)
    arms = [
        Arm(case, index) for index, match in enumerate(matches) for case in match.cases
    ]
    _match_number(walker, number, sorted({arm.case.number for arm in arms}))
    native, compat = builder.new_block(), builder.new_block()
    _branch_compat(walker, native, compat, any(arm.case.compat for arm in arms))
    before = walker.flow
    for start, is_compat in ((native, False), (compat, True)):
        walker.flow = before.copy()
        if builder.start(start):
            chosen = [arm for arm in arms if arm.case.compat is is_compat]
            _select(walker, number, chosen, bodies, fetcher)
    for body in bodies:
        walker.flow = before.copy()
        body.walk(fetcher)


def _match_number(walker: Walker, number: int, wanted: Sequence[int]) -> None:
    """Leave the program unless the number is one of the wanted ones."""
    builder = walker.builder
    matched = builder.new_block()
    for value in wanted:
        following = builder.new_block()
        builder.finish(ir.Branch("==", number, Imm(value), False, matched, following))
        builder.start(following)
    builder.exit()
    builder.start(matched)


def _branch_compat(
    walker: Walker, native: ir.Block, compat: ir.Block, any_compat: bool
) -> None:
    """Go to `compat` if the task is in a 32-bit system call."""
    builder = walker.builder
    abi = walker.target.arch.compat
    span = builder.span
    task = current_task(walker)
    place = walker.place_of(task, span) if span else None
    assert place is not None and isinstance(place.type, Struct)
    member = place.type.member(abi.task_member)
    if member is None:
        # A kernel without 32-bit support has no such flags to tell them by.
        builder.jump(native)
        return
    assert isinstance(member.type, Int)
    offset = member.bit_offset // 8
    status = walker.access.load_bytes(place.base, offset, member.type.size, place.space)
    wide = member.type.size == 8
    builder.finish(ir.Branch("&", status, Imm(abi.task_mask), wide, compat, native))


def _select(
    walker: Walker,
    number: int,
    arms: Sequence[Arm],
    bodies: Sequence[_Body | _Saver],
    fetcher: Fetcher,
) -> None:
    """Load the parameters of the case that the number stands for."""
    builder = walker.builder
    before = walker.flow
    for arm in arms:
        here, following = builder.new_block(), builder.new_block()
        builder.finish(
            ir.Branch("==", number, Imm(arm.case.number), False, here, following)
        )
        builder.start(here)
        walker.flow = before.copy()
        bodies[arm.body].enter(arm.case, number, fetcher)
        builder.start(following)
    walker.flow = before
    builder.exit()


class _Body:
    """A handler's body with the registers that its parameters arrive in.

    Cases with the same parameters meet before they load them.  Paired ones then go to
    where what was saved at the start of the call is looked for.
    """

    def __init__(self, walker: Walker, handler: Handler, site: Site) -> None:
        self.walker = walker
        self.handler = handler
        self.site = site
        self.pairing = walker.builder.new_block()
        self.block = walker.builder.new_block()
        self.called = walker.environment.tree_of(handler.function)
        self.values: dict[str, Register] = {}
        self.own = _numbered(site)
        self.carried: dict[str, Param] = {}
        self.loading: dict[object, ir.Block] = {}
        self.call = walker.builder.register()

    def enter(self, case: SyscallCase, number: int, fetcher: Fetcher) -> None:
        """Load the parameters for one case and go to the body."""
        params = [p for p in case.params if p.name in self.called.parameters]
        own = [p for p in params if p.name in self.own]
        self._deliver(own, fetcher)
        builder = self.walker.builder
        if case.paired and self.site.entry is not None:
            call = saved.call_of(self.site.entry, case, number)
            if call == number:
                self.call = number
            else:
                builder.move(call, self.call)
        shared = [p for p in params if p not in own and not saved.is_saved(p)]
        self.carried.update((p.name, p) for p in params if saved.is_saved(p))
        key = (case.paired, *((type(param.fetch), param) for param in shared))
        loading = self.loading.get(key)
        if loading is not None:
            builder.jump(loading)
            return
        self.loading[key] = loading = builder.new_block()
        builder.jump(loading)
        builder.start(loading)
        self._deliver(shared, fetcher)
        builder.jump(self.pairing if case.paired else self.block)

    def _deliver(self, params: Iterable[Param], fetcher: Fetcher) -> None:
        """Put parameters where the body expects them."""
        for param in params:
            self._put(param.name, fetcher.parameter(param))

    def _put(self, name: str, value: Value) -> None:
        """Put a parameter where the body expects it: as the first case has it."""
        if not isinstance(value, (Register, Const)):
            raise InternalError(f"parameter {name} is {value}")
        builder = self.walker.builder
        known = self.values.get(name)
        if known is None:
            assert value.type is not None
            known = Register(builder.register(), value.type)
            self.values[name] = known
        if isinstance(known.type, Int):
            value = convert(builder, value, known.type)
        builder.move(self.walker.number_operand(value), known.register)

    def walk(self, fetcher: Fetcher) -> None:
        """Walk the body, if any case leads to it."""
        walker = self.walker
        before = walker.flow
        if walker.builder.start(self.pairing):
            walker.flow = before.copy()
            self._pair(fetcher)
            walker.flow = before
        if not walker.builder.start(self.block):
            return
        walker.parameters = {
            name: partial(self.values.__getitem__, name) for name in self.values
        }
        walk_body(walker, self.handler, self.called)

    def _pair(self, fetcher: Fetcher) -> None:
        """Load what was saved, or leave if that is nothing."""
        spec = saved.find(self.walker, self.called.name, self.site, self.call, fetcher)
        self._deliver(self.carried.values(), fetcher)
        saved.forget(spec, self.site, fetcher)
        self.walker.builder.jump(self.block)


def _numbered(site: Site) -> set[str]:
    """The parameters that are another known number in each case."""
    values: dict[str, set[int]] = {}
    for case in site.match.cases if site.match else ():
        for param in case.params:
            if isinstance(param.fetch, Number):
                values.setdefault(param.name, set()).add(param.fetch.value)
    return {name for name, numbers in values.items() if len(numbers) > 1}


class _Saver:
    """What the program at the start does for each case.

    Cases that save nothing but the time, which is the same for all, go on to one block.
    """

    def __init__(self, walker: Walker, name: str, entry: Site) -> None:
        self.walker = walker
        self.name = name
        self.entry = entry
        self.common: tuple[SyscallCase, ir.Operand] | None = None
        self.block = walker.builder.new_block()

    def enter(self, case: SyscallCase, number: int, fetcher: Fetcher) -> None:
        """Save the parameters of one case and leave."""
        call = saved.call_of(self.entry, case, number)
        if call == number:
            self.common = case, call
            self.walker.builder.jump(self.block)
            return
        self.save(case.params, call, fetcher)
        self.walker.builder.exit()

    def save(self, params: Sequence[Param], call: ir.Operand, fetcher: Fetcher) -> None:
        """Save the parameters of one case."""
        saved.save(self.walker, self.name, self.entry, params, call, fetcher)

    def walk(self, fetcher: Fetcher) -> None:
        """Save what is common to several cases."""
        if self.common is not None and self.walker.builder.start(self.block):
            case, call = self.common
            self.save(case.params, call, fetcher)
            self.walker.builder.exit()
