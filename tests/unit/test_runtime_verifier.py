"""The verifier's complaint, found in logs of several kernels."""

import pytest

from skep.asm import exit_, load, load_imm64, mov_imm
from skep.errors import Span
from skep.runtime.verifier import Complaint, read_log, rejection, source_of
from skep.spec import AttachSpec, LineInfo, ProgramSpec

V6_18 = """\
0: R1=ctx() R10=fp0
; sk = args.sk @ tool.py:10
0: (62) *(u32 *)(r10 -4) = 0          ; R10=fp0 fp-8=0000????
3: (18) r1 = 0xffff8881043dc000       ; R1=map_ptr(map=counts,ks=4,vs=8)
5: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=counts,ks=4,vs=8)
; return sk.port @ tool.py:11
6: (79) r1 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0
"""

V5_10 = """\
Unrecognized arg#0 type PTR
; sk = args.sk
0: (79) r1 = *(u64 *)(r1 +0)
; return sk.port
1: (61) r0 = *(u32 *)(r1 +12)
R1 invalid mem access 'inv'
verification time 98 usec
stack depth 0
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0
"""

BRANCHES = """\
0: (b7) r0 = 0
1: (15) if r0 == 0x0 goto pc+2
from 1 to 4: R0=0 R1=ctx() R10=fp0
4: R0=0 R1=ctx() R10=fp0
4: (bf) r2 = r3
R3 !read_ok
processed 3 insns (limit 1000000)
"""


@pytest.mark.parametrize(
    "log, expected",
    [
        (V6_18, Complaint("R0 invalid mem access 'map_value_or_null'", 6)),
        (V5_10, Complaint("R1 invalid mem access 'inv'", 1)),
        (BRANCHES, Complaint("R3 !read_ok", 4)),
        ("unreachable insn 2\nprocessed 0 insns", Complaint("unreachable insn 2", 2)),
        (
            "jump out of range from insn 1 to 7\n",
            Complaint("jump out of range from insn 1 to 7", 1),
        ),
        (
            "last insn is not an exit or jmp\nprocessed 0 insns\n",
            Complaint("last insn is not an exit or jmp", None),
        ),
        ("processed 12 insns (limit 1000000)\n", None),
        ("0: (b7) r0 = 0\n1: (55) if r0 != 0xfff", Complaint("E2BIG", 1)),
        ("0: (b7) r0 = 0\n1: R0_rw=invP77 R1=ct", Complaint("E2BIG", 0)),
        ("0: (b7) r0 = 0\nR0_rw=invP77 R10=fp0\n", Complaint("E2BIG", 0)),
        ("", None),
    ],
)
def test_read_log(log, expected):
    assert read_log(log, "E2BIG") == expected


CODE = (mov_imm(0, 0), load_imm64(1, 1 << 40), load(0, 1, 0, 8), exit_())
LINES = (
    LineInfo(0, "tool.py", 10, 4, "    sk = ctx"),
    LineInfo(2, "tool.py", 11, 4, "    return sk.port"),
)
SPEC = ProgramSpec("opened", AttachSpec("test_run", ""), CODE, LINES)


@pytest.mark.parametrize("index, line", [(0, 10), (1, 10), (2, 11), (3, 11)])
def test_source_of(index, line):
    span = source_of(SPEC, index)
    assert span is not None and span.line == line


def test_source_of_an_instruction_with_a_span():
    span = Span("tool.py", 99, 0, 5, "while")
    code = (load(0, 1, 0, 8), exit_())
    code[0].span = span
    assert source_of(SPEC._replace(instructions=code), 0) is span


def test_rejection():
    # Slot 3 is the third instruction: the load immediate takes two.
    error = rejection(SPEC, Complaint("R1 invalid mem access 'scalar'", 3), "the log")
    assert str(error) == (
        "tool.py:11:5: the kernel's verifier refused the program 'opened':"
        " R1 invalid mem access 'scalar'\n"
        "  return sk.port\n"
        "  ^^^^^^^^^^^^^^\n"
        "  note: at instruction 3: r0 = *(u64 *)(r1 +0)\n"
        "  hint: this is a bug in skep, not in your tool; please report it with the"
        " log that --dump log prints"
    )
    assert error.log == "the log"


def test_rejection_at_no_place():
    error = rejection(SPEC, Complaint("out of luck", None), "")
    assert str(error).startswith("the kernel's verifier refused the program 'opened'")
