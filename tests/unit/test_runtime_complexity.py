"""Programs that are too complex: told apart, and blamed on their loop."""

import pytest

from skep import asm
from skep.asm import opcodes as op
from skep.errors import TooComplex
from skep.runtime.complexity import is_too_complex, loop_around
from skep.runtime.verifier import Complaint, rejection
from skep.spec import AttachSpec, LineInfo, ProgramSpec

LOOPS = (
    asm.mov_imm(0, 0),  # 0
    asm.load_imm64(1, 1 << 40),  # 1, two slots
    asm.alu_imm(op.BPF_ADD, 0, 1),  # 2: the outer loop
    asm.alu_imm(op.BPF_ADD, 2, 1),  # 3: the inner loop
    asm.jump_if_imm(op.BPF_JLT, 2, 9, -2),  # 4: to 3
    asm.jump_if_imm(op.BPF_JLT, 0, 9, 2),  # 5: to 8
    asm.exit_(),  # 6
    asm.mov_imm(3, 0),  # 7, never reached
    asm.jump(-7),  # 8: to 2, from the end of the program
)


@pytest.mark.parametrize(
    "index, head",
    [(0, None), (1, None), (2, 2), (3, 2), (4, 2), (5, 2), (6, None), (8, 2)],
)
def test_loop_around(index, head):
    assert loop_around(LOOPS, index) == head


def test_a_jump_back_is_not_always_a_loop():
    code = (
        asm.jump_if_imm(op.BPF_JEQ, 1, 0, 2),
        asm.mov_imm(0, 0),
        asm.exit_(),
        asm.mov_imm(2, 1),
        asm.jump(-4),
    )
    assert [loop_around(code, index) for index in range(5)] == [None] * 5


@pytest.mark.parametrize(
    "reason, expected",
    [
        ("BPF program is too large. Processed 1000001 insn", True),
        ("The sequence of 8193 jumps is too complex.", True),
        ("E2BIG, Argument list too long", True),
        ("EFAULT, Bad address", True),
        ("R1 invalid mem access 'scalar'", False),
        ("EACCES, Permission denied", False),
    ],
)
def test_is_too_complex(reason, expected):
    assert is_too_complex(reason) is expected


def test_the_loop_is_named():
    lines = (
        LineInfo(0, "tool.py", 10, 4, "    n = 0"),
        LineInfo(2, "tool.py", 11, 4, "    while n < 9:"),
        LineInfo(3, "tool.py", 12, 8, "        m += 1"),
    )
    spec = ProgramSpec("opened", AttachSpec("test_run", ""), LOOPS, lines)
    reason = "BPF program is too large. Processed 1000001 insn"
    error = rejection(spec, Complaint(reason, 5), "the log")
    assert isinstance(error, TooComplex)
    assert str(error) == (
        "tool.py:11:5: the program 'opened' is too complex for the kernel's verifier,"
        " which walks all its paths: BPF program is too large. Processed 1000001 insn\n"
        "  while n < 9:\n"
        "  ^^^^^^^^^^^^\n"
        "  note: the program has 9 instructions\n"
        "  hint: let the loop make fewer rounds, or do less in each: every round counts"
    )
    assert error.log == "the log"


def test_without_a_loop():
    spec = ProgramSpec("opened", AttachSpec("test_run", ""), LOOPS)
    error = rejection(spec, Complaint("E2BIG, Argument list too long", None), "")
    assert isinstance(error, TooComplex)
    assert "fewer conditions" in str(error)
    assert "bug" not in str(error)
