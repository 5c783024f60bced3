"""Programs that the compiler once got wrong, three ways each.

Standard library only, and Python 3.9: these tests also run in guests.
"""

from __future__ import annotations

import unittest

from skep.probes.parameters import parse_prototype
from tests.differential import harness
from tests.differential.model import TYPES

TOP = 1 << 63

CASES = {
    "a test whose outcomes meet again": (
        "u8 a",
        "if a and a:\n        v = bpf.u8(1)\n    return a",
    ),
    "a parameter assigned on one path": (
        "s32 a, s32 b",
        "if a < b:\n        a = b\n    return a",
    ),
    "a parameter assigned in a loop": (
        "s32 a",
        "for i in range(3):\n        a += i\n    return a",
    ),
    "writing the one value of a map": (
        "u8 a",
        "p = narrow.lookup(3)\n    if p:\n        p.value = 9\n"
        "    narrow.update(3, a)\n    return 7",
    ),
    "a number and its lower half, both used": (
        "u64 a, u64 b",
        "narrow.update(1, bpf.u32(a) == bpf.u32(b))\n    out.update(0, a)\n"
        "    return bpf.u32(a)",
    ),
    "modulo by a constant zero": ("u32 a", "return a % bpf.u8(0)"),
    "division by a constant zero": ("u32 a", "return (a // bpf.u8(0)) + 5"),
    "log2 of a negative constant": ("u8 a", "return bpf.log2(bpf.s16(-1)) + a"),
    "a constant and a register of the same number": (
        "u64 a, u64 b",
        "return (bpf.u64(1) if b > 3 else a) + (bpf.u64(2) if b > 3 else a)",
    ),
    "a constant truth value negated": (
        "u8 a",
        "out.update(0, -(not bpf.u16(0)))\n    return a - (not bpf.u16(0))",
    ),
    "a truth value in a map": (
        "u8 a",
        "v = a > 3\n    v = a\n    return v",
    ),
    "a counter that has a type already": (
        "u8 a",
        "i = bpf.u8(a)\n    for i in range(250, 260):\n        a += i\n    return i",
    ),
    "signs of dividend and divisor": (
        "s64 a, s16 b",
        "out.update(0, a // b)\n    out.update(1, a % b)\n    return a",
    ),
}


FUNCTION = """
@bpf.inline
def counted(x) -> 'u64':
    counts.increment(x)
    return x + 1

"""


def agree(source: str, prototype: str) -> None:
    types = [TYPES[each.type] for each in parse_prototype(prototype)]
    words = [[5, 7], [TOP + 9, 4], [0, 0], [(1 << 64) - 7, (1 << 64) - 2], [2, 2]]
    compiled = harness.compile_source(source, prototype)
    expected = harness.run_model(source, types, words)
    assert harness.run_interpreter(compiled, words) == expected
    assert harness.run_kernel(compiled, words) == expected


class Regressions(unittest.TestCase):
    def test_agrees(self) -> None:
        for name, (prototype, body) in CASES.items():
            names = ", ".join(each.name for each in parse_prototype(prototype))
            with self.subTest(name):
                agree(f"def program({names}) -> 's64':\n    {body}\n", prototype)

    def test_key_survives_a_value_that_uses_the_map(self) -> None:
        body = "    counts.update(a & 1, counted(b & 1))\n    return a\n"
        agree(f"{FUNCTION}def program(a, b) -> 'u64':\n{body}", "u64 a, u64 b")
