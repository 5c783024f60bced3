"""Programs that the verifier gave up on: how to tell, and which loop is to blame.

It walks at most a million instructions along all paths together, and keeps at most 8192
branches in mind whose other side is still to be walked (BPF_COMPLEXITY_LIMIT_INSNS and
BPF_COMPLEXITY_LIMIT_JMP_SEQ, kernel/bpf/verifier.c).  Each round of a loop counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skep.asm import Instruction, slot_numbers
from skep.asm import opcodes as op

_GAVE_UP = re.compile(r"too (large|complex)\b|^(E2BIG|EFAULT)\b")


def is_too_complex(reason: str) -> bool:
    """Whether a complaint says that there was too much to verify.

    Where the log was cut, the reason is the error number: E2BIG for too many
    instructions, EFAULT for too many branches, and for nothing else that it finds.
    """
    return bool(_GAVE_UP.search(reason))


def loop_around(instructions: Sequence[Instruction], index: int) -> int | None:
    """Where the outermost loop begins that has the instruction at `index`."""
    following = _following(instructions)
    first = None
    for head in _heads(following):
        if _is_reached(following, head, index) and _is_reached(following, index, head):
            first = head if first is None else min(first, head)
    return first


def _following(instructions: Sequence[Instruction]) -> list[list[int]]:
    """Which instructions may come after each one."""
    slots = slot_numbers(instructions)
    at = {slot: index for index, slot in enumerate(slots)}
    following = []
    for index, instruction in enumerate(instructions):
        code, kind = instruction.opcode, instruction.opcode & 0xF0
        steps = [] if kind in (op.BPF_EXIT, op.BPF_JA) else [index + 1]
        if code & 7 not in (op.BPF_JMP, op.BPF_JMP32):
            steps = [index + 1]
        elif kind not in (op.BPF_EXIT, op.BPF_CALL):
            long = code == op.BPF_JMP32 | op.BPF_JA
            distance = instruction.imm if long else instruction.off
            steps.append(at[slots[index] + 1 + distance])
        following.append([step for step in steps if step < len(instructions)])
    return following


def _heads(following: Sequence[Sequence[int]]) -> set[int]:
    """Where the loops begin: what is jumped to from behind it on the way there."""
    heads: set[int] = set()
    seen: set[int] = set()
    path: set[int] = set()
    work = [(0, False)]
    while work:
        index, left = work.pop()
        if left:
            path.discard(index)
            continue
        if index in path:
            heads.add(index)
        if index in seen:
            continue
        seen.add(index)
        path.add(index)
        work.append((index, True))
        work += [(step, False) for step in following[index]]
    return heads


def _is_reached(following: Sequence[Sequence[int]], start: int, end: int) -> bool:
    """Whether one instruction can come some time after another, or is the same."""
    seen = {start}
    work = [start]
    while work:
        index = work.pop()
        if index == end:
            return True
        new = [step for step in following[index] if step not in seen]
        seen.update(new)
        work += new
    return False
