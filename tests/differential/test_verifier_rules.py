"""The verifier's rules that generated code must keep, each on the kernel itself.

Standard library only, and Python 3.9: these tests also run in guests.
"""

from __future__ import annotations

import unittest

from skep.asm import Instruction
from skep.asm import opcodes as op
from skep.authoring.bpf import bpf
from skep.compiler.environment import EmittedField, MapObject, StreamObject
from skep.compiler.program import Compiled
from skep.compiler.types import S16, U8, U32, U64, Array, lay_out
from skep.errors import CompileError
from skep.spec import FieldLayout, MapSpec, RecordLayout
from tests.differential import harness

KEY = lay_out("Key", [("a", U8), ("b", U32), ("c", S16)])
CELL = lay_out("Cell", [("words", Array(U64, 8)), ("text", Array(U8, 12))])
BIG = lay_out("Big", [("bytes", Array(U8, 304))])
RING = MapSpec("ring", "ringbuf", 0, 0, 4096)
LARGE = RecordLayout("Large", 1, [FieldLayout("text", "400s", 4, 400)], 404)
KEY_AND_VALUE = 16
"""Bytes of stack of a program that uses `counts` and spills nothing."""
NAMES = {
    "bpf": bpf,
    "Key": KEY,
    "Big": BIG,
    "counts": MapObject(MapSpec("counts", "hash", 8, 8, 64), "u64", "u64"),
    "by_key": MapObject(MapSpec("by_key", "hash", KEY.size, 8, 64), KEY, "u64"),
    "rows": MapObject(MapSpec("rows", "array", 4, CELL.size, 2), "u32", CELL),
    "bigs": MapObject(MapSpec("bigs", "array", 4, BIG.size, 2), "u32", BIG),
    "big_keys": MapObject(MapSpec("big_keys", "hash", 304, 304, 2), BIG, BIG),
    "large": StreamObject(RING, LARGE, [EmittedField("text", "char[400]", None)], []),
}


def compiled(body: str, prototype: str = "u64 a, u64 b") -> Compiled:
    names = ", ".join(part.split()[-1].lstrip("*") for part in prototype.split(", "))
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"def program({names}):\n{lines}"
    return harness.compile_source(source, prototype, NAMES)


def run(body: str, *words: int, prototype: str = "u64 a, u64 b") -> harness.Outcome:
    """What the kernel and the interpreter agree on."""
    program = compiled(body, prototype)
    contexts = [[*words, *[0] * (8 - len(words))]]
    outcome = harness.run_kernel(program, contexts)
    assert harness.run_interpreter(program, contexts) == outcome
    return outcome


def instructions(program: Compiled) -> list[Instruction]:
    assert program.program is not None
    return list(program.program.instructions)


class VerifierRules(unittest.TestCase):
    def test_null_check_and_use_share_a_register(self) -> None:
        body = "p = counts.lookup(a)\nif p is None:\n    return 7\nreturn p.value + 1"
        code = instructions(compiled(body))
        checked = [i.dst for i in code if i.opcode == op.BPF_JMP | op.BPF_JEQ]
        loads = [i for i in code if i.opcode & 7 == op.BPF_LDX]
        assert checked and loads[-1].src == checked[-1]
        assert run(body, 1).results == [7]

    def test_checked_pointer_stays_checked_across_calls(self) -> None:
        body = (
            "counts.update(a, b)\n"
            "p = counts.lookup(a)\n"
            "if not p:\n    return 0\n"
            "counts.increment(5)\n"
            "counts.increment(6)\n"
            "return p.value"
        )
        assert run(body, 1, 9).results == [9]

    def test_checked_pointer_survives_spilling(self) -> None:
        many = [f"v{n} = a + {n}" for n in range(12)]
        calls = [f"counts.update({n}, v{n})" for n in range(12)]
        total = " + ".join(f"v{n}" for n in range(12))
        body = "\n".join(
            [
                "counts.update(40, b)",
                *many,
                "p = counts.lookup(40)",
                "if p is None:\n    return 0",
                *calls,
                f"return p.value + {total}",
            ]
        )
        assert run(body, 100, 9).results == [9 + 1200 + 66]
        assert compiled(body).stack > KEY_AND_VALUE

    def test_context_is_still_known_after_calls_and_under_pressure(self) -> None:
        body = "\n".join(
            [
                *[f"v{n} = a * {n + 3}" for n in range(10)],
                *[f"counts.increment(v{n})" for n in range(10)],
                "return b + " + " + ".join(f"v{n}" for n in range(10)),
            ]
        )
        assert run(body, 1, 5).results == [5 + sum(range(3, 13))]

    def test_padding_of_keys_is_zero(self) -> None:
        """The interpreter's stack is full of 0xa5; the kernel refuses unset bytes."""
        body = "by_key.increment(Key(a=a, b=b, c=3))\nreturn 0"
        (key,) = run(body, 1, 2).maps["by_key"]
        assert key == bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])

    def test_padding_of_a_key_in_a_loop_stays_zero(self) -> None:
        body = (
            "for i in range(3):\n    k = Key(a=i, b=b, c=3)\n    by_key.update(k, a)\n"
            "return 0"
        )
        keys = run(body, 1, 2).maps["by_key"]
        assert [key[:4] for key in keys] == [bytes([n, 0, 0, 0]) for n in range(3)]

    def test_variable_index_is_bounded(self) -> None:
        body = (
            "p = rows.lookup(1)\nif p is None:\n    return 1\n"
            "return p.words[a] + p.text[a] + 2"
        )
        for index in (0, 7, 8, (1 << 64) - 1):
            assert run(body, index).results == [2]

    def test_variable_index_is_bounded_where_registers_are_scarce(self) -> None:
        many = [f"v{n} = b + {n}" for n in range(12)]
        total = " + ".join(f"v{n}" for n in range(12))
        body = "\n".join(
            [
                *many,
                "p = rows.lookup(0)",
                "if p is None:\n    return 0",
                "x = p.words[a]\ncounts.increment(x)\ny = p.words[a + 1]",
                f"v0 = {total}",
                "return x + y + p.text[a] + v0",
            ]
        )
        assert run(body, 3, 1).results == [12 + 66]

    def test_signed_index_below_zero_is_outside(self) -> None:
        body = "p = rows.lookup(0)\nif p is None:\n    return 0\nreturn p.words[a] + 3"
        prototype = "s32 a"
        assert run(body, (1 << 32) - 1, prototype=prototype).results == [3]

    def test_large_records_are_not_on_the_stack(self) -> None:
        program = compiled("large.emit(text=bpf.cast(a, 'char *'))\nreturn 0")
        assert program.stack < 100
        assert any(spec.kind == "percpu_array" for spec in program.maps.values())
        assert len(harness.run_kernel(program, [[0] * 8]).records) == 1

    def test_stack_that_does_not_suffice(self) -> None:
        body = (
            "p = bigs.lookup(0)\nif p is None:\n    return 0\n"
            "big_keys.update(Big(bytes=p.bytes), Big(bytes=p.bytes))\nreturn 0"
        )
        with self.assertRaisesRegex(
            CompileError, "616 bytes of stack; it has"
        ) as caught:
            compiled(body)
        assert caught.exception.diagnostic.notes[0] == "record Big: 304 bytes"

    def test_while_ends_on_every_kernel(self) -> None:
        body = "n = bpf.u64(0)\nwhile n < a:\n    n += 1\nreturn n"
        outcome = run(body, 5000)
        assert outcome.results == [1024]
        (losses,) = outcome.maps["ledger"].values()
        assert losses[40:48] == (1).to_bytes(8, "little")
        assert run(body, 1000).results == [1000]

    def test_loops_with_a_long_range(self) -> None:
        body = (
            "n = a\nfor i in range(500):\n    n += i\n"
            "    if n == b:\n        break\nreturn n"
        )
        assert run(body, 0, 1 << 40).results == [sum(range(500))]

    def test_many_values_across_calls_are_spilled(self) -> None:
        values = [f"v{n} = a + b * {n}" for n in range(20)]
        calls = [f"counts.update({n}, v{n})" for n in range(20)]
        body = "\n".join(
            [*values, *calls, "return " + " ^ ".join(f"v{n}" for n in range(20))]
        )
        expected = 0
        for n in range(20):
            expected ^= 1000 + 77 * n
        assert compiled(body).stack > KEY_AND_VALUE
        outcome = run(body, 1000, 77)
        assert outcome.results == [expected]
        assert len(outcome.maps["counts"]) == 20

    def test_calls_have_their_own_arguments(self) -> None:
        """Values that calls take in each other's places."""
        body = (
            "x = bpf.u64(a)\ny = bpf.u64(b)\n"
            "for i in range(3):\n    counts.update(x, y)\n    counts.update(y, x)\n"
            "    z = x\n    x = y\n    y = z\n"
            "return x * 16 + y"
        )
        assert run(body, 1, 2).results == [33]
