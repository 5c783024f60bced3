"""What the verifier's log says, in one sentence and one place.

The log of a refused program ends with the path that failed: instructions as
"12: (79) r1 = *(u64 *)(r6 +0)", register states, source lines after ";", then the
complaint and statistics (kernel/bpf/verifier.c, kernel/bpf/log.c).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skep.asm import Instruction, slot_numbers
from skep.asm.disasm import notation
from skep.errors import Span, TooComplex, VerifierRejection
from skep.named_tuple import NamedTuple
from skep.runtime.complexity import is_too_complex, loop_around
from skep.spec import ProgramSpec

_INSTRUCTION = re.compile(r"(\d+): \([0-9a-f]{2}\) ")
_NAMED = re.compile(r"\binsn (\d+)")
_NOISE = re.compile(
    r"processed \d+ insns|verification time|stack depth|;|\d+: |from \d+ to "
    r"|mark_precise|last_idx|regs=|parent |func#\d+ @|Live regs|propagating|caller"
    r"|returning from|frame|R\d+(_\w+)?="
)


class Complaint(NamedTuple):
    """Why a program was refused, and at which slot if the log tells."""

    reason: str
    slot: int | None


def read_log(log: str, answer: str) -> Complaint | None:
    """The verifier's complaint; None when it never looked at the program.

    `answer` is the error number in words, the reason where the log was cut: before 6.4
    the end was lost.
    """
    reason = ""
    slot = None
    for line in log.splitlines():
        text = line.strip()
        instruction = _INSTRUCTION.match(text)
        if instruction:
            slot = int(instruction.group(1))
        if text and not _NOISE.match(text):
            reason = text
    if not reason:
        return None if slot is None else Complaint(answer, slot)
    if slot is None:
        # Refused before the walk over the program: bad jumps, unreachable code, loops.
        named = _NAMED.search(reason)
        slot = int(named.group(1)) if named else None
    return Complaint(reason, slot)


def rejection(spec: ProgramSpec, complaint: Complaint, log: str) -> VerifierRejection:
    """The error for a program that the verifier refused; its `log` is the whole log."""
    if is_too_complex(complaint.reason):
        return _too_complex(spec, complaint, log)
    index = _index_of(spec.instructions, complaint.slot)
    notes = []
    if index is not None:
        text = notation(spec.instructions[index])
        notes.append(f"at instruction {complaint.slot}: {text}")
    error = VerifierRejection(
        f"the kernel's verifier refused the program {spec.name!r}: {complaint.reason}",
        None if index is None else source_of(spec, index),
        notes,
        "this is a bug in skep, not in your tool; please report it with the log that"
        " --dump log prints",
    )
    error.log = log
    return error


def _too_complex(spec: ProgramSpec, complaint: Complaint, log: str) -> TooComplex:
    """The error for a program that the verifier gave up on."""
    index = _index_of(spec.instructions, complaint.slot)
    loop = None if index is None else loop_around(spec.instructions, index)
    place = index if loop is None else loop
    error = TooComplex(
        f"the program {spec.name!r} is too complex for the kernel's verifier,"
        f" which walks all its paths: {complaint.reason}",
        None if place is None else source_of(spec, place),
        [f"the program has {len(spec.instructions)} instructions"],
        "do less in it: fewer conditions, fewer calls of inline functions"
        if loop is None
        else "let the loop make fewer rounds, or do less in each: every round counts",
    )
    error.log = log
    return error


def _index_of(instructions: Sequence[Instruction], slot: int | None) -> int | None:
    """The instruction that a slot belongs to."""
    if slot is None:
        return None
    starts = [at for at in slot_numbers(instructions) if at <= slot]
    return len(starts) - 1 if starts else None


def source_of(spec: ProgramSpec, index: int) -> Span | None:
    """The source line of the instruction at `index`, if it is known."""
    span = spec.instructions[index].span
    if span is not None:
        return span
    before = [line for line in spec.lines if line.at <= index]
    if not before:
        return None
    line = before[-1]
    return Span(line.file, line.line, line.column, len(line.text), line.text)
