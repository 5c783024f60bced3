"""C expressions to compile, and gcc as the judge of what they give.

Standard library only, and Python 3.9: used by tests that run in guests, too.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path

from skep.compiler import tree
from skep.compiler.body import Handler
from skep.compiler.environment import Environment, MapObject, WrittenFunction
from skep.compiler.program import Compiled, compile_site
from skep.errors import Span
from skep.frontends.cexpr import c_names, parse_expression
from skep.probes import intention
from skep.probes.candidate import Candidate
from skep.probes.resolve import resolve
from skep.spec import MapSpec
from skep.target import Target

Intention = intention.Intention

_HEADER = """
#include <stdint.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
typedef int8_t s8; typedef int16_t s16; typedef int32_t s32; typedef int64_t s64;
"""


def written(text: str, parameters: Sequence[str], target: Target) -> WrittenFunction:
    """A function that returns the value of a C expression."""

    def span(start: int, end: int) -> Span:
        return Span("expression", 1, start, end, text)

    place = span(0, len(text))
    returned = tree.Return(parse_expression(text, span), place)
    function = tree.Function("program", parameters, [], [returned], place)
    return WrittenFunction(function, c_names(target))


COUNTS = MapObject(MapSpec("counts", "hash", 8, 8, 1024), "u64", "u64")


def counting(text: str, parameters: Sequence[str], target: Target) -> WrittenFunction:
    """A function that counts the value of a C expression in the map `counts`, since not
    all programs may return one."""
    returning = written(text, parameters, target).tree
    (returned,) = returning.body
    assert isinstance(returned, tree.Return) and returned.value is not None
    place = returning.span
    value = tree.CCast("u64", returned.value, place)
    method = tree.Attribute(tree.Name("counts", place), "increment", place)
    body = [tree.Evaluate(tree.Call(method, [value], (), place), place)]
    function = tree.Function("program", parameters, [], body, place)
    names = ChainMap({"counts": COUNTS}, c_names(target))  # type: ignore[arg-type]
    return WrittenFunction(function, names)


def compiled_at(
    text: str, probe: Intention, parameters: Sequence[str], target: Target
) -> list[tuple[Candidate, Compiled]]:
    """A program at a probe that counts an expression, once for each candidate."""
    return _compiled(counting(text, parameters, target), probe, target)


def _compiled(
    function: WrittenFunction, probe: Intention, target: Target
) -> list[tuple[Candidate, Compiled]]:
    handler, parameters = Handler(function), function.tree.parameters
    environment = Environment(_tree_of, lambda value: value)
    programs = []
    for candidate in resolve(probe, set(parameters), target):
        at_site = [(handler, candidate.sites[0])]
        compiled = compile_site("program", at_site, target, environment)
        programs.append((candidate, compiled))
    return programs


def compile_expression(text: str, types: Mapping[str, str], target: Target) -> Compiled:
    """A program for BPF_PROG_TEST_RUN that returns the low 32 bits of an expression."""
    prototype = ", ".join(f"{type_} {name}" for name, type_ in types.items())
    probe = intention.TestRun(prototype)
    function = written(text, list(types), target)
    ((_, compiled),) = _compiled(function, probe, target)
    return compiled


def _tree_of(function: object) -> tree.Function:
    assert isinstance(function, WrittenFunction)
    return function.tree


class Judge:
    """Expressions compiled by gcc as functions of u64 words."""

    def __init__(
        self, texts: Sequence[str], types: Mapping[str, str], directory: Path
    ) -> None:
        words = ", ".join(f"uint64_t w{index}" for index in range(len(types)))
        locals_ = " ".join(
            f"{type_} {name} = ({type_})w{index};"
            for index, (name, type_) in enumerate(types.items())
        )
        functions = [
            f"uint64_t f{index}({words}) {{ {locals_} return (uint64_t)({text}); }}"
            for index, text in enumerate(texts)
        ]
        source, library = directory / "judge.c", directory / "judge.so"
        source.write_text(_HEADER + "\n".join(functions))
        flags = ["-fwrapv", "-funsigned-char", "-w", "-O0", "-shared", "-fPIC"]
        subprocess.run(["gcc", *flags, "-o", library, source], check=True)
        self._library = ctypes.CDLL(str(library))

    def value(self, index: int, words: Sequence[int]) -> int:
        """What an expression gives, as 64 bits."""
        function = self._library[f"f{index}"]
        function.restype = ctypes.c_uint64
        return int(function(*map(ctypes.c_uint64, words)))
