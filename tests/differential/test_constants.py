"""Python values in kernel-side code: collections that `in` asks, text in fields."""

from __future__ import annotations

import pytest

from skep.compiler.conditions import MOST_MEMBERS
from skep.errors import CompileError
from tests.differential import harness, world

WORDS = [0, 1, 2, 79, 80, 81, 443, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 64) - 1]

NUMBERS = {
    "none": (),
    "one": [80],
    "unsorted, one twice": (443, 80, 1, 80),
    "a range": range(1, 81),
    "a set": {0, 65535},
    "as many as there may be": tuple(range(0, 2 * MOST_MEMBERS, 2)),
}


def results(body: str, prototype: str, numbers: object = ()) -> list[int]:
    """What the program returns for all WORDS, from the interpreter and the kernel."""
    source = f"def program(a):\n    {body}\n"
    names = {**world.skep_names(), "numbers": numbers}
    compiled = harness.compile_source(source, prototype, names)
    contexts = [[word] for word in WORDS]
    found = harness.run_interpreter(compiled, contexts)
    assert harness.run_kernel(compiled, contexts) == found
    return found.results


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("bits", [16, 32, 64])
def test_membership(name: str, bits: int) -> None:
    numbers = NUMBERS[name]
    values = [word & (1 << bits) - 1 for word in WORDS]
    effect = "out.update(0, a)\n    return"
    inside = results(f"{effect} a in numbers", f"u{bits} a", numbers)
    assert inside == [int(value in numbers) for value in values]
    outside = results(f"{effect} a not in numbers", f"u{bits} a", numbers)
    assert outside == [1 - each for each in inside]


def test_negative_members() -> None:
    effect = "out.update(0, bpf.u64(a))\n    return"
    inside = results(f"{effect} a in numbers", "s32 a", (-1, 80))
    low = [word & (1 << 32) - 1 for word in WORDS]
    assert inside == [int(word in ((1 << 32) - 1, 80)) for word in low]


def test_a_list_in_the_source() -> None:
    source = "out.update(0, a)\n    return a in (80, 1 + 1) or a not in (0, 1, 2, 80)"
    assert results(source, "u64 a") == [int(w not in (0, 1)) for w in WORDS]


def test_membership_of_constants_is_known_when_compiling() -> None:
    source = "def program(a):\n    return 3 + (80 in numbers) + (81 in numbers) + a\n"
    names = {**world.skep_names(), "numbers": (80,)}
    compiled = harness.compile_source(source, "u32 a", names)
    assert harness.run_interpreter(compiled, [[0]]).results == [4]
    assert compiled.program is not None
    assert len(compiled.program.instructions) <= 5


def test_too_many_members() -> None:
    names = {**world.skep_names(), "numbers": range(MOST_MEMBERS + 1)}
    source = "def program(a):\n    return a in numbers\n"
    with pytest.raises(CompileError, match="1024 numbers at most, not 1025"):
        harness.compile_source(source, "u32 a", names)


@pytest.mark.parametrize("text", ["", "?", "seven b", "eleven byte", "é"])
def test_text_in_a_record(text: str) -> None:
    fields = f"a=1, b=2, c=3, d=4, text={text!r}"
    source = f"def program(a):\n    cells.update(3, Cell({fields}))\n    return a\n"
    compiled = harness.compile_source(source, "u32 a")
    found = harness.run_interpreter(compiled, [[5]])
    assert harness.run_kernel(compiled, [[5]]) == found
    cell = found.maps["cells"][(3).to_bytes(4, "little")]
    at = world.layout("Cell").members["text"].bit_offset // 8
    assert cell[at : at + 12] == text.encode().ljust(12, b"\0")


def test_text_in_the_value_of_a_map() -> None:
    source = (
        "def program(a):\n    cell = cells.lookup(1)\n    if cell is not None:\n"
        "        cell.text = 'new'\n    return a\n"
    )
    compiled = harness.compile_source(source, "u32 a")
    found = harness.run_interpreter(compiled, [[5]])
    assert harness.run_kernel(compiled, [[5]]) == found
    cell = found.maps["cells"][(1).to_bytes(4, "little")]
    at = world.layout("Cell").members["text"].bit_offset // 8
    assert cell[at : at + 12] == b"new".ljust(12, b"\0")
