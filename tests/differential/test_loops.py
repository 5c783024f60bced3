"""Loops that the verifier must see the end of, on the kernel itself.

Nearly each was refused once as too complex. Standard library only, and Python 3.9:
these tests also run in guests.
"""

from __future__ import annotations

import unittest

from skep.compiler.loops import LEAST_WHILE_LIMIT, WHILE_LIMIT
from skep.errors import TooComplex
from skep.spec import LEDGER_CAUSES
from tests.differential import harness
from tests.differential.test_verifier_rules import compiled, run

COUNT = "n = bpf.u64(0)\nwhile n < a:\n    n += 1\n"
"""A `while` around lines with four spaces more."""

WHILES = {
    "logarithms and divisions": (
        "    n += bpf.log2(n) + bpf.u64(bpf.s64(b) // (bpf.s64(n) - 7))\n"
        "    if bpf.log2(n) > 20:\n        n += 7\n"
    ),
    "many conditions": "".join(
        f"    if n & {1 << i}:\n        counts.increment({i})\n" for i in range(20)
    ),
    "long": "".join(f"    b ^= n * {i + 3}\n" for i in range(400)),
    "maps": "    counts.update(n, b)\n    counts.increment(b)\n" * 4,
    "indexes": (
        "    p = rows.lookup(n & 1)\n    if p is not None:\n"
        "        b += p.words[n] + p.words[bpf.log2(b)]\n"
        "        if p.text[b] == 3:\n            b += 2\n"
    ),
    "a while": "    m = bpf.u64(0)\n    while m < b:\n        m += 1\n",
    "a while with logarithms": (
        "    m = bpf.u64(0)\n    while m < b:\n        m += 1\n"
        "        k = bpf.log2(m + n)\n        if k > 3:\n            n += k\n"
    ),
    "two whiles, one in the other": (
        "    m = bpf.u64(0)\n    while m < b:\n        m += 1\n"
        "        k = bpf.u64(0)\n        while k < b:\n            k += 1\n"
    ),
}


def limit_losses(outcome: harness.Outcome) -> int:
    """How often the ledger says that a loop reached its limit."""
    at = 8 * LEDGER_CAUSES.index("loop limit")
    ledgers = outcome.maps.get("ledger", {}).values()
    return sum(int.from_bytes(each[at : at + 8], "little") for each in ledgers)


class Loops(unittest.TestCase):
    def test_loads_and_agrees(self) -> None:
        for name, lines in WHILES.items():
            for words in ((LEAST_WHILE_LIMIT - 1, 9), (1 << 40, 1 << 40)):
                with self.subTest(name, words=words):
                    run(f"{COUNT}{lines}return n ^ b", *words)

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

    def test_too_complex_is_said(self) -> None:
        body = (
            "n = a\nfor i in range(9000):\n    if n == b:\n        n = a\n    n += i\n"
        )
        program = compiled(f"{body}return n")
        with self.assertRaises(TooComplex) as caught:
            harness.run_kernel(program, [[0] * 8])
        message = str(caught.exception)
        self.assertIn("is too complex for the kernel's verifier", message)
        self.assertIn("let the loop make fewer rounds", message)
        self.assertRegex(message, r"^<source>:[345]:")
