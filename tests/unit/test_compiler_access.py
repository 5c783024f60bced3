"""Members of structures: bit fields, arrays, structures within structures."""

from __future__ import annotations

from typing import Any

import pytest

from skep.authoring.bpf import bpf
from skep.compiler.environment import Environment, MapObject
from skep.compiler.program import Handler, compile_site
from skep.compiler.types import S8, S32, U8, U16, U32, U64, Array, Int, Layout, Member
from skep.frontends import python
from skep.probes import intention
from skep.probes.resolve import resolve
from skep.spec import MapSpec
from tests.differential.interpreter import Machine, signed
from tests.fixtures import saved_target

DATA = bytes((n * 73 + 41) & 0xFF for n in range(48))
S64 = Int(8, True)


def evaluate(expression: str, layout: Layout, index: int = 0) -> int:
    """The value of an expression in which `p` points to a `layout` with DATA."""
    source = (
        "def program(i):\n    p = rows.lookup(0)\n    if p is None:\n"
        f"        return 0\n    return {expression}\n"
    )
    spec = MapSpec("rows", "array", 4, layout.size, 1)
    space: dict[str, Any] = {"bpf": bpf, "rows": MapObject(spec, "u32", layout)}
    trees = python.parse(source, "source")
    exec(compile(source, "source", "exec"), space)
    target = saved_target("6.18")
    site = resolve(intention.TestRun("s64 i"), {"i"}, target)[0].sites[0]
    environment = Environment(
        lambda function: trees[function.__name__], lambda value: value
    )
    handlers = [(Handler(space["program"]), site)]
    compiled = compile_site("program", handlers, target, environment)
    assert compiled.program is not None
    machine = Machine(list(compiled.maps.values()))
    machine.maps["rows"].update(bytes(4), DATA[: layout.size], 0)
    context = (index & (1 << 64) - 1).to_bytes(8, "little")
    return signed(machine.run(compiled.program.instructions, context), 64)


@pytest.mark.parametrize(
    ("type_", "offset", "bits"),
    [
        (U8, 0, 1),
        (U8, 3, 5),
        (U16, 9, 7),
        (U32, 5, 13),
        (U32, 33, 31),
        (S32, 64, 3),
        (S32, 70, 9),
        (S8, 83, 2),
        (S32, 97, 30),
        (U64, 130, 41),
        (S64, 192, 64),
        (S64, 257, 57),
    ],
)
def test_bit_field(type_: Int, offset: int, bits: int) -> None:
    layout = Layout("Row", 48, {"x": Member(type_, offset, bits)})
    raw = int.from_bytes(DATA, "little") >> offset & (1 << bits) - 1
    expected = signed(raw, bits) if type_.signed else raw
    assert evaluate("p.x", layout) == expected
    assert evaluate("p.x - 1", layout) == type_.wrap(expected - 1)


ROW = Layout(
    "Row",
    48,
    {
        "bytes": Member(Array(U8, 16), 0),
        "words": Member(Array(S32, 4), 128),
        "inner": Member(Layout("Inner", 16, {"y": Member(U16, 48)}), 256),
    },
)


@pytest.mark.parametrize("index", [-(1 << 63), -1, 0, 2, 3, 4, 15, 16, 1 << 40])
def test_variable_index(index: int) -> None:
    inside = 0 <= index < 16
    assert evaluate("p.bytes[i]", ROW, index) == (DATA[index] if inside else 0)
    words = DATA[16:32]
    expected = int.from_bytes(words[4 * index : 4 * index + 4], "little", signed=True)
    assert evaluate("p.words[i]", ROW, index) == (expected if 0 <= index < 4 else 0)


def test_constant_index() -> None:
    assert evaluate("p.bytes[15]", ROW) == DATA[15]
    assert evaluate("p.words[3]", ROW) == signed(
        int.from_bytes(DATA[28:32], "little"), 32
    )


def test_structure_in_a_structure() -> None:
    assert evaluate("p.inner.y", ROW) == int.from_bytes(DATA[38:40], "little")
