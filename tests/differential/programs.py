"""Random programs of raw instructions, valid by construction (kernel 6.15 or newer).

They compute with ten scalars from the context and eight words of stack, jump only
forward, and end by copying all registers and the stack words into the map "state".
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from hypothesis import strategies as st

from skep import asm
from skep.asm import Instruction, slot_numbers
from skep.asm import opcodes as op
from skep.spec import MapSpec

REGISTERS = range(10)  # all but the frame pointer
WORDS = 8  # of stack that programs compute with, at -8, -16, ... from r10
STATE = MapSpec("state", "array", 4, 8 * (len(REGISTERS) + WORDS), 1)

PLAIN = (op.BPF_ADD, op.BPF_SUB, op.BPF_MUL, op.BPF_OR, op.BPF_AND, op.BPF_XOR)
SHIFTS = (op.BPF_LSH, op.BPF_RSH, op.BPF_ARSH)
DIVISIONS = (op.BPF_DIV, op.BPF_MOD)
_ATOMICS = (op.BPF_ADD, op.BPF_OR, op.BPF_AND, op.BPF_XOR)
COMPARISONS = (
    *(op.BPF_JEQ, op.BPF_JNE, op.BPF_JSET),
    *(op.BPF_JGT, op.BPF_JGE, op.BPF_JLT, op.BPF_JLE),
    *(op.BPF_JSGT, op.BPF_JSGE, op.BPF_JSLT, op.BPF_JSLE),
)


class Step(NamedTuple):
    """Instructions, and over how many of the following steps the last one jumps."""

    instructions: list[Instruction]
    distance: int | None = None


def corner_cases(bits: int) -> st.SearchStrategy[int]:
    """Signed numbers, many of them where arithmetic overflows or changes sign."""
    half = 1 << (bits - 1)
    corners = {0, 1, -1, 2, -2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, -128, -129}
    corners |= {half - 1, -half, half // 2}
    if bits == 64:
        corners |= {(1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, -(1 << 31)}
    return st.sampled_from(sorted(corners)) | st.integers(-half, half - 1)


def _one_of(
    builders: list[Callable[..., Instruction]], *arguments: st.SearchStrategy[object]
) -> st.SearchStrategy[Instruction]:
    return st.one_of([st.builds(builder, *arguments) for builder in builders])


_register = st.sampled_from(REGISTERS)
_immediate = corner_cases(32)


def _places(*sizes: int) -> st.SearchStrategy[tuple[int, int]]:
    """Aligned offsets from r10 within the stack words, with their size."""
    return st.sampled_from(
        [(off, size) for size in sizes for off in range(-8 * WORDS, 0, size)]
    )


_arithmetic = st.one_of(
    _one_of(
        [asm.alu, asm.alu32], st.sampled_from(PLAIN + SHIFTS), _register, _register
    ),
    _one_of(
        [asm.alu_imm, asm.alu32_imm], st.sampled_from(PLAIN), _register, _immediate
    ),
    # The verifier refuses constant shifts beyond the width and divisions by zero.
    st.builds(asm.alu_imm, st.sampled_from(SHIFTS), _register, st.integers(0, 63)),
    st.builds(asm.alu32_imm, st.sampled_from(SHIFTS), _register, st.integers(0, 31)),
)
_division = st.one_of(
    _one_of(
        [asm.alu, asm.alu32],
        st.sampled_from(DIVISIONS),
        _register,
        _register,
        st.booleans(),
    ),
    _one_of(
        [asm.alu_imm, asm.alu32_imm],
        st.sampled_from(DIVISIONS),
        _register,
        _immediate.filter(bool),
        st.booleans(),
    ),
)
_move = st.one_of(
    _one_of([asm.mov, asm.mov32], _register, _register),
    _one_of([asm.mov_imm, asm.mov32_imm], _register, _immediate),
    st.builds(asm.movsx, _register, _register, st.sampled_from([8, 16, 32])),
    st.builds(asm.movsx32, _register, _register, st.sampled_from([8, 16])),
    st.builds(asm.load_imm64, _register, corner_cases(64)),
    _one_of([asm.neg, asm.neg32], _register),
    _one_of(
        [asm.to_le, asm.to_be, asm.bswap], _register, st.sampled_from([16, 32, 64])
    ),
)


@st.composite
def _load(draw: st.DrawFn) -> Instruction:
    off, size = draw(_places(1, 2, 4, 8))
    builders = [asm.load, asm.load_acquire]
    if size < 8:
        builders.append(asm.ldsx)
    return draw(st.sampled_from(builders))(draw(_register), op.R10, off, size)


@st.composite
def _store(draw: st.DrawFn) -> Instruction:
    off, size = draw(_places(1, 2, 4, 8))
    if draw(st.booleans()):
        return asm.store_imm(op.R10, off, draw(_immediate), size)
    builder = draw(st.sampled_from([asm.store, asm.store_release]))
    return builder(op.R10, off, draw(_register), size)


@st.composite
def _atomic(draw: st.DrawFn) -> Instruction:
    off, size = draw(_places(4, 8))
    operation, fetch = draw(st.sampled_from(_ATOMICS)), draw(st.booleans())
    return asm.atomic(operation, op.R10, off, draw(_register), size, fetch)


@st.composite
def _exchange(draw: st.DrawFn) -> Instruction:
    off, size = draw(_places(4, 8))
    return asm.atomic_xchg(op.R10, off, draw(_register), size)


@st.composite
def _compare_exchange(draw: st.DrawFn) -> Step:
    off, size = draw(_places(4, 8))
    exchange = asm.atomic_cmpxchg(op.R10, off, draw(_register), size)
    # 6.18 can lose the zero-extension of r0 (see `atomic_cmpxchg`).
    return Step([exchange] if size == 8 else [exchange, asm.mov32(op.R0, op.R0)])


_comparison = st.sampled_from(COMPARISONS)
_condition = st.one_of(
    _one_of(
        [asm.jump_if, asm.jump32_if], _comparison, _register, _register, st.just(1)
    ),
    _one_of(
        [asm.jump_if_imm, asm.jump32_if_imm],
        _comparison,
        _register,
        _immediate,
        st.just(1),
    ),
)
_goto = _one_of([asm.jump, asm.jump_long], st.just(0))
_distance = st.integers(0, 6)

_KINDS: list[st.SearchStrategy[Step]] = [
    *[
        kind.map(lambda insn: Step([insn]))
        for kind in (
            _arithmetic,
            _division,
            _move,
            _load(),
            _store(),
            _atomic(),
            _exchange(),
        )
    ],
    _compare_exchange(),
    st.builds(lambda insn, far: Step([insn], far), _condition, _distance),
    # A condition over an unconditional jump, so that no code is unreachable.
    st.builds(
        lambda test, insn, far: Step([test, insn], far), _condition, _goto, _distance
    ),
    st.builds(lambda far: Step([asm.may_goto(0)], far), _distance),
]
# Not one_of, which would favour the kinds that have most alternatives.
_step = st.sampled_from(_KINDS).flatmap(lambda kind: kind)


def _link(steps: list[Step]) -> list[Instruction]:
    """The steps in a row, with their jumps' offsets filled in."""
    body = [insn for step in steps for insn in step.instructions]
    starts = [0]
    for step in steps:
        starts.append(starts[-1] + len(step.instructions))
    slots = slot_numbers([*body, asm.exit_()])
    for number, step in enumerate(steps):
        if step.distance is not None:
            target = starts[min(number + 1 + step.distance, len(steps))]
            off = slots[target] - slots[starts[number + 1] - 1] - 1
            _set_offset(step.instructions[-1], off)
    return body


def _set_offset(insn: Instruction, off: int) -> None:
    if insn.opcode == op.BPF_JMP32 | op.BPF_JA:
        insn.imm = off
    else:
        insn.off = off


def _prologue() -> list[Instruction]:
    """All registers from the context, and the stack words from the registers."""
    others = [register for register in REGISTERS if register != op.R6]
    loads = [asm.load(reg, op.R6, 8 * reg, 8) for reg in [*others, op.R6]]
    stores = [asm.store(op.R10, -8 * (word + 1), word, 8) for word in range(WORDS)]
    return [asm.mov(op.R6, op.R1), *loads, *stores]


def _epilogue() -> list[Instruction]:
    """Registers below the stack words, all of that into the map; r0 is returned."""
    state = -STATE.value_size
    key = state - 8
    return [
        *[asm.store(op.R10, state + 8 * reg, reg, 8) for reg in REGISTERS],
        asm.store_imm(op.R10, key, 0, 8),
        asm.load_map(op.R1, STATE.name),
        asm.mov(op.R2, op.R10),
        asm.alu_imm(op.BPF_ADD, op.R2, key),
        asm.mov(op.R3, op.R10),
        asm.alu_imm(op.BPF_ADD, op.R3, state),
        asm.mov_imm(op.R4, 0),
        asm.call("map_update_elem"),
        asm.load(op.R0, op.R10, state, 8),
        asm.exit_(),
    ]


def surround(body: list[Instruction]) -> list[Instruction]:
    """The body as a program: before it r0 to r9 are words 0 to 9 of the context."""
    return [*_prologue(), *body, *_epilogue()]


programs = st.lists(_step, min_size=6, max_size=30).map(
    lambda steps: surround(_link(steps))
)
"""Programs for a context of ten words, which need the map STATE."""

contexts = st.lists(
    corner_cases(64).map(lambda word: word & (1 << 64) - 1),
    min_size=len(REGISTERS),
    max_size=len(REGISTERS),
)
