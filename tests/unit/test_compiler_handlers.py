"""Several handlers in one program."""

from __future__ import annotations

from typing import Any

import pytest

from skep.authoring.bpf import bpf
from skep.compiler.environment import Environment, MapObject
from skep.compiler.program import Compiled, Handler, compile_site
from skep.errors import CompileError
from skep.frontends import python
from skep.probes import intention
from skep.probes.resolve import resolve
from skep.spec import MapSpec
from tests.differential.interpreter import Machine
from tests.fixtures import saved_target

NAMES = {
    "bpf": bpf,
    "counts": MapObject(MapSpec("counts", "hash", 8, 8, 16), "u64", "u64"),
}


def compile_handlers(
    source: str, probe: Any, needs: set[str], guards: tuple[str, ...] = ()
) -> Compiled:
    """All functions of a source text as handlers of one probe; `guards` guard each."""
    trees = python.parse(source, "source")
    space: dict[str, Any] = dict(NAMES)
    exec(compile(source, "source", "exec"), space)
    target = saved_target("6.18")
    site = resolve(probe, needs, target)[0].sites[0]
    guarding = tuple(space[name] for name in guards)
    handlers = [
        (Handler(space[name], guarding), site) for name in trees if name not in guards
    ]
    environment = Environment(
        lambda function: trees[function.__name__], lambda value: value
    )
    return compile_site("program", handlers, target, environment)


def counts(compiled: Compiled, *words: int) -> dict[int, int]:
    """What the handlers leave in `counts`."""
    assert compiled.program is not None
    machine = Machine(list(compiled.maps.values()))
    context = b"".join(word.to_bytes(8, "little") for word in words)
    machine.run(compiled.program.instructions, context)
    return {
        int.from_bytes(key, "little"): int.from_bytes(value, "little")
        for key, value in machine.maps["counts"].elements.items()
    }


THREE = """
def first(a):
    if a > 5:
        return
    counts.update(1, a)

def second(a):
    b = a + 1
    counts.update(2, b)

def third(b):
    counts.update(3, b)
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [((4, 9), {1: 4, 2: 5, 3: 9}), ((6, 9), {2: 7, 3: 9})],
)
def test_handlers_of_one_place_all_run(
    words: tuple[int, int], expected: dict[int, int]
) -> None:
    probe = intention.TestRun("u64 a, u64 b")
    assert counts(compile_handlers(THREE, probe, {"a", "b"}), *words) == expected


def test_loss_in_one_handler_does_not_end_the_others() -> None:
    source = "def first(a):\n" + "".join(
        f"    counts.increment({n})\n" for n in range(20)
    )
    source += (
        "def second(a):\n    p = counts.lookup(3)\n    if p:\n        p.value = a\n"
    )
    compiled = compile_handlers(source, intention.TestRun("u64 a"), {"a"})
    assert counts(compiled, 70)[3] == 70


def test_guard_keeps_its_handler_only() -> None:
    source = "@bpf.inline\ndef never():\n    return 1 == 2\n"
    source += "def first(a):\n    counts.update(1, a)\n"
    compiled = compile_handlers(source, intention.TestRun("u64 a"), {"a"}, ("never",))
    assert compiled.program is None


def test_two_handlers_of_one_system_call_are_refused() -> None:
    source = "def first(ret):\n    counts.increment(1)\n"
    source += "def second(ret):\n    counts.increment(2)\n"
    probe = intention.SyscallExit(("openat",))
    with pytest.raises(CompileError, match=r"first\(\) is for .* openat, too"):
        compile_handlers(source, probe, {"ret"})
