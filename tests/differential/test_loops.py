"""Loops that the verifier must see the end of, on the kernel itself.

Nearly each was refused once as too complex. Standard library only, and Python 3.9:
these tests also run in guests.
"""

from __future__ import annotations

import unittest

from skep.compiler.loops import LEAST_WHILE_LIMIT, WHILE_LIMIT
from skep.spec import LEDGER_CAUSES
from tests.differential import harness
from tests.differential.test_verifier_rules import compiled, run

COUNT = "n = bpf.u64(0)\nwhile n < a:\n    n += 1\n"
"""A `while` that lines with four spaces more can follow."""


def limit_losses(outcome: harness.Outcome) -> int:
    """How often the ledger says that a loop reached its limit."""
    at = 8 * LEDGER_CAUSES.index("loop limit")
    ledgers = outcome.maps.get("ledger", {}).values()
    return sum(int.from_bytes(each[at : at + 8], "little") for each in ledgers)


class LongWhiles(unittest.TestCase):
    """A `while` with much in it, left by its test and by its limit."""

    def agree(self, lines: str) -> None:
        program = compiled(f"{COUNT}{lines}return n ^ b")
        words = [[few, 9] + [0] * 6 for few in (LEAST_WHILE_LIMIT - 1, 1 << 40)]
        outcome = harness.run_kernel(program, words)
        self.assertEqual(harness.run_interpreter(program, words), outcome)

    def test_logarithms_and_divisions(self) -> None:
        self.agree(
            "    n += bpf.log2(n) + bpf.u64(bpf.s64(b) // (bpf.s64(n) - 7))\n"
            "    if bpf.log2(n) > 20:\n        n += 7\n"
        )

    def test_many_conditions(self) -> None:
        tests = [
            f"    if n & {1 << i}:\n        counts.increment({i})\n" for i in range(20)
        ]
        self.agree("".join(tests))

    def test_many_lines(self) -> None:
        self.agree("".join(f"    b ^= n * {i + 3}\n" for i in range(400)))

    def test_maps(self) -> None:
        self.agree("    counts.update(n, b)\n    counts.increment(b)\n" * 4)

    def test_indexes(self) -> None:
        self.agree(
            "    p = rows.lookup(n & 1)\n    if p is not None:\n"
            "        b += p.words[n] + p.words[bpf.log2(b)]\n"
            "        if p.text[b] == 3:\n            b += 2\n"
        )

    def test_a_while(self) -> None:
        self.agree("    m = bpf.u64(0)\n    while m < b:\n        m += 1\n")

    def test_a_while_with_logarithms(self) -> None:
        self.agree(
            "    m = bpf.u64(0)\n    while m < b:\n        m += 1\n"
            "        k = bpf.log2(m + n)\n        if k > 3:\n            n += k\n"
        )

    def test_two_whiles_one_in_the_other(self) -> None:
        self.agree(
            "    m = bpf.u64(0)\n    while m < b:\n        m += 1\n"
            "        k = bpf.u64(0)\n        while k < b:\n            k += 1\n"
        )


class Loops(unittest.TestCase):
    def test_limit_is_the_same_for_short_loops(self) -> None:
        outcome = run(f"{COUNT}return n", WHILE_LIMIT + 1)
        self.assertEqual(outcome.results, [WHILE_LIMIT])
        self.assertEqual(limit_losses(outcome), 1)

    def test_one_after_the_other(self) -> None:
        loop = (
            "m = bpf.u64(0)\nwhile m < a:\n    m += 1\n    if m & b:\n        n += m\n"
        )
        outcome = run(f"n = bpf.u64(0)\n{loop * 8}return n", 16, 1)
        self.assertEqual(outcome.results, [8 * 64])

    def test_while_in_for(self) -> None:
        for rounds in (2, 3, 5, 8, 13, 20, 50):
            body = (
                f"n = bpf.u64(0)\nfor i in range({rounds}):\n    m = bpf.u64(0)\n"
                "    while m < b:\n        m += 1\n    n += m\nreturn n"
            )
            with self.subTest(rounds=rounds):
                outcome = run(body, 0, LEAST_WHILE_LIMIT)
                self.assertEqual(outcome.results, [rounds * LEAST_WHILE_LIMIT])
