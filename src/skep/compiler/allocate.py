"""Register allocation by colouring, with spilling to the stack.

Virtual registers that are live at the same time get different machine registers; those
that are live across a call get one of r6 to r9, which calls preserve.  Copies and call
arguments are hints: where possible both sides get the same register and the copy goes.
What finds no register is kept on the stack, and allocation starts again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skep.compiler import ir, spill_slots
from skep.compiler.ir import Block, CallHelper, Graph, Move, Slot
from skep.compiler.liveness import live_out
from skep.errors import CompileError, InternalError

CALL_CLOBBERED = frozenset(range(6))
CALL_SAVED = frozenset(range(6, 10))
ALL = tuple(range(10))
PREFERENCE = (1, 2, 3, 4, 5, 0, 6, 7, 8, 9)
"""Which registers to try first: those that calls destroy, to leave the others free."""

STACK_SIZE = 512
"""Bytes of stack of a BPF program (MAX_BPF_STACK in include/linux/filter.h)."""


class Colouring:
    """Interference, copies, wishes and weights of the virtual registers of one graph.

    Copies whose two sides do not conflict are coalesced: `alias` leads from a register
    to the one that stands for it.
    """

    def __init__(self, graph: Graph, blocks: Sequence[Block]) -> None:
        count = graph.registers
        self.conflicts = [0] * count
        self.across_calls = 0
        self.weights = [0.0] * count
        self.wishes: list[list[int]] = [[] for _ in range(count)]
        self.alias = list(range(count))
        self.used = 0
        self.context: int | None = None
        self._pinned = graph.pinned
        self._copies: list[tuple[float, int, int]] = []
        out = live_out(blocks)
        for block in blocks:
            self._scan(block, out[id(block)])
        self._make_symmetric()
        self._coalesce()

    def _scan(self, block: Block, live: int) -> None:
        weight = 10.0**block.depth * (0.1 if block.cold else 1)
        for instruction in reversed(block.instructions):
            defined = instruction.defines()
            if defined is not None:
                bit = 1 << defined
                self.used |= bit
                live &= ~bit
                others = live
                if isinstance(instruction, Move) and isinstance(instruction.src, int):
                    # Both sides of a copy may share a register; one that cuts is a
                    # copy only if nobody needs the source any more.
                    if instruction.wide:
                        others &= ~(1 << instruction.src)
                    self._copies.append((weight, defined, instruction.src))
                self.conflicts[defined] |= others
                self.weights[defined] += weight
            if isinstance(instruction, CallHelper):
                self.across_calls |= live
                self._wish(instruction)
            elif isinstance(instruction, ir.Context):
                self.wishes[instruction.dst].append(1)
                self.context = instruction.dst
            for register in instruction.uses():
                live |= 1 << register
                self.used |= 1 << register
                self.weights[register] += weight

    def _wish(self, call: CallHelper) -> None:
        """Arguments like to be where the call takes them, results where they come."""
        for number, argument in enumerate(call.arguments, 1):
            if isinstance(argument, int):
                self.wishes[argument].append(number)
        if call.dst is not None:
            self.wishes[call.dst].append(0)

    def _make_symmetric(self) -> None:
        for register, others in enumerate(list(self.conflicts)):
            bit = 1 << register
            for other in bits(others):
                self.conflicts[other] |= bit

    def find(self, register: int) -> int:
        """The register that stands for `register`."""
        while self.alias[register] != register:
            register = self.alias[register]
        return register

    def _coalesce(self) -> None:
        """Let one register stand for both sides of a copy, the most frequent first.

        Only where that leaves few enough neighbours that are live across calls, since
        these compete for four registers.
        """
        self._copies.sort(reverse=True)
        for _, a, b in self._copies:
            if a in self._pinned or b in self._pinned:
                continue
            a, b = self.find(a), self.find(b)
            if a == b or self.conflicts[a] >> b & 1:
                continue
            both = self.conflicts[a] | self.conflicts[b]
            crossing = (self.across_calls >> a | self.across_calls >> b) & 1
            if crossing and self._crowds(a, b, both & self.across_calls):
                continue
            self._merge(a, b, bool(crossing))

    def _crowds(self, a: int, b: int, rivals: int) -> bool:
        """Whether coalescing may make colouring harder (Briggs' and George's tests)."""
        if count_bits(rivals) < len(CALL_SAVED):
            return False
        return bool(rivals & ~self.conflicts[a]) and bool(rivals & ~self.conflicts[b])

    def _merge(self, kept: int, gone: int, crossing: bool) -> None:
        bit, gone_bit = 1 << kept, 1 << gone
        for other in bits(self.conflicts[gone]):
            self.conflicts[other] = self.conflicts[other] & ~gone_bit | bit
        self.conflicts[kept] |= self.conflicts[gone]
        self.conflicts[gone] = 0
        self.weights[kept] += self.weights[gone]
        self.wishes[kept] += self.wishes[gone]
        self.alias[gone] = kept
        self.used &= ~gone_bit
        self.across_calls &= ~gone_bit
        if crossing:
            self.across_calls |= bit


def bits(number: int) -> Iterator[int]:
    """The positions of the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def count_bits(number: int) -> int:
    """How many bits are set (int.bit_count needs Python 3.10)."""
    return bin(number).count("1")


def allocate(graph: Graph) -> dict[int, int]:
    """Give every virtual register a machine register, spilling where needed.

    The graph is changed where something is spilled.  Raises CompileError when the stack
    does not suffice.
    """
    temporary = set(graph.pinned)
    while True:
        blocks = graph.blocks()
        colouring = Colouring(graph, blocks)
        colours, failed = _colour(colouring, temporary)
        if not failed:
            return {
                register: colours[colouring.find(register)]
                for register in range(len(colouring.alias))
                if colouring.find(register) in colours
            }
        for each in failed:
            _spill(graph, blocks, _members(colouring, each), temporary)


def _members(colouring: Colouring, representative: int) -> set[int]:
    """All registers for which one stands."""
    return {
        register
        for register in range(len(colouring.alias))
        if colouring.find(register) == representative
    }


def _colour(
    colouring: Colouring, temporary: set[int]
) -> tuple[dict[int, int], list[int]]:
    """Colours for all registers, or those that must be spilled.

    Registers are taken away in an order in which each has few neighbours left, then
    coloured in the opposite order (Briggs: optimistically).
    """
    colours: dict[int, int] = {}
    failed: list[int] = []
    members = [0] * len(ALL)
    for register in reversed(_elimination_order(colouring, temporary)):
        conflicts = colouring.conflicts[register]
        taken = {colour for colour in ALL if members[colour] & conflicts}
        if colouring.across_calls >> register & 1:
            taken.update(CALL_CLOBBERED)
        colour = _choose([*colouring.wishes[register], *PREFERENCE], taken)
        if colour is None and register in temporary:
            # It lives shortly: what is in its way goes, and all start again.
            rival = _cheapest_rival(register, colouring, colours, temporary)
            return colours, [*failed, rival]
        if colour is None:
            failed.append(register)
            continue
        colours[register] = colour
        members[colour] |= 1 << register
    return colours, failed


def _elimination_order(colouring: Colouring, temporary: set[int]) -> list[int]:
    """Registers with room for a colour first, then the cheapest to spill."""
    across, conflicts = colouring.across_calls, colouring.conflicts
    left = colouring.used
    order: list[int] = []

    def crowded(register: int) -> bool:
        if across >> register & 1:
            return count_bits(conflicts[register] & across & left) >= len(CALL_SAVED)
        return count_bits(conflicts[register] & left) >= len(ALL)

    # The context is in r1 at the start: it chooses first, and stays where it is.
    context = [] if colouring.context is None else [colouring.find(colouring.context)]
    waiting = [register for register in bits(left) if register not in context]
    while waiting:
        kept = []
        for register in waiting:
            if crowded(register):
                kept.append(register)
            else:
                order.append(register)
                left &= ~(1 << register)
        if len(kept) == len(waiting):
            cheapest = min(
                kept,
                key=lambda r: (
                    r in temporary,
                    colouring.weights[r] / (1 + count_bits(conflicts[r] & left)),
                ),
            )
            kept.remove(cheapest)
            order.append(cheapest)
            left &= ~(1 << cheapest)
        waiting = kept
    return order + context


def _choose(wanted: Sequence[int], taken: set[int]) -> int | None:
    """The first machine register that is free."""
    for colour in wanted:
        if colour not in taken:
            return colour
    return None


def _cheapest_rival(
    register: int, colouring: Colouring, colours: dict[int, int], temporary: set[int]
) -> int:
    """Which register to spill so that `register` finds a place."""
    rivals = [
        other
        for other in colours
        if colouring.conflicts[register] >> other & 1 and other not in temporary
    ]
    if not rivals:
        raise InternalError("register allocation found nothing to spill")
    return min(rivals, key=lambda other: colouring.weights[other])


def _spill(
    graph: Graph, blocks: Sequence[Block], spilled: set[int], temporary: set[int]
) -> None:
    """Keep registers that stand for each other in one slot of the stack."""
    slot = Slot(8, 8, spill_slots.SPILLED)
    for block in blocks:
        rewriter = _SpillRewriter(graph, spilled, temporary, slot)
        for instruction in block.instructions:
            if not _copies_itself(instruction, spilled):
                rewriter.rewrite(instruction)
        block.instructions = rewriter.rewritten


class _SpillRewriter:
    """Loads a spilled value before each use and stores it after each definition.

    Instructions that follow each other share the register that has the value.
    """

    def __init__(
        self, graph: Graph, spilled: set[int], temporary: set[int], slot: Slot
    ) -> None:
        self.graph = graph
        self.spilled = spilled
        self.temporary = temporary
        self.slot = slot
        self.rewritten: list[ir.Instruction] = []
        self.holder: int | None = None

    def rewrite(self, instruction: ir.Instruction) -> None:
        """Append an instruction with its loads and stores."""
        reads = not self.spilled.isdisjoint(instruction.uses())
        writes = instruction.defines() in self.spilled
        is_call = isinstance(instruction, CallHelper)
        if not (reads or writes):
            self.rewritten.append(instruction)
            self.holder = None
            return
        holder = None if is_call and writes else self.holder
        if holder is None:
            holder = self._new_holder(instruction if reads else None)
        elif writes and self._has_just_stored():
            self.rewritten.pop()  # the value is replaced before anyone reads it

        def replace(register: int) -> int:
            return holder if register in self.spilled else register

        instruction.rename(replace, replace)
        self.rewritten.append(instruction)
        if writes:
            store = ir.Store(self.slot, 0, holder, 8)
            store.span = instruction.span
            self.rewritten.append(store)
        # No register that calls destroy would hold the value across one.
        self.holder = None if is_call and not writes else holder

    def _has_just_stored(self) -> bool:
        last = self.rewritten[-1]
        return isinstance(last, ir.Store) and last.base is self.slot

    def _new_holder(self, reader: ir.Instruction | None) -> int:
        """A register for the value, loaded if there is a reader."""
        holder = self.graph.new_register()
        self.temporary.add(holder)
        if reader is not None:
            load = ir.Load(holder, self.slot, 0, 8)
            load.span = reader.span
            self.rewritten.append(load)
        return holder


def _copies_itself(instruction: ir.Instruction, spilled: set[int]) -> bool:
    return (
        isinstance(instruction, Move)
        and instruction.wide
        and instruction.dst in spilled
        and isinstance(instruction.src, int)
        and instruction.src in spilled
    )


def place_slots(blocks: Sequence[Block]) -> int:
    """Give the stack slots their offsets from the frame pointer; the stack used.

    Raises CompileError, naming the largest slots, when they do not fit.
    """
    shared = spill_slots.share(blocks)
    every: dict[int, Slot] = {}
    for block in blocks:
        for instruction in block.instructions:
            for slot in _slots_of(instruction):
                every[id(slot)] = slot
    slots = {key: slot for key, slot in every.items() if shared.get(key, slot) is slot}
    depth = 0
    for slot in sorted(slots.values(), key=lambda slot: slot.size):
        depth += slot.size
        depth = -(-depth // slot.align) * slot.align
        slot.offset = -depth
    for key, owner in shared.items():
        every[key].offset = owner.offset
    if depth > STACK_SIZE:
        largest = sorted(slots.values(), key=lambda slot: -slot.size)[:4]
        raise CompileError(
            f"the program needs {depth} bytes of stack; it has {STACK_SIZE}",
            notes=[f"{slot.what}: {slot.size} bytes" for slot in largest],
            hint="make records and keys smaller",
        )
    return depth


def _slots_of(instruction: ir.Instruction) -> list[Slot]:
    if isinstance(instruction, (ir.Load, ir.Store)):
        return [instruction.base] if isinstance(instruction.base, Slot) else []
    if isinstance(instruction, ir.Lea) and isinstance(instruction.src, ir.Address):
        return [instruction.src.slot]
    if isinstance(instruction, CallHelper):
        return [a.slot for a in instruction.arguments if isinstance(a, ir.Address)]
    return []
