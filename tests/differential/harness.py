"""Three ways to run a kernel-side source text, and what each leaves behind."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from skep.compiler.body import Handler
from skep.compiler.environment import Environment
from skep.compiler.program import Compiled, compile_site
from skep.frontends import python
from skep.probes import intention
from skep.probes.resolve import resolve
from skep.runtime.collection import Collection
from skep.runtime.maps import Map
from skep.runtime.ring import HEADER_SIZE, RingBuffer
from skep.spec import LEDGER, LEDGER_CAUSES, CollectionSpec, MapSpec, ProgramSpec
from skep.target import Target
from tests.differential import model_objects as model
from tests.differential import model_run, world
from tests.differential.interpreter import Machine
from tests.differential.maps import FakeRingBuffer
from tests.differential.model import Number

Contents = Mapping[bytes, bytes]


class Outcome(NamedTuple):
    """What running a program several times gave and left.

    `results` has the low 32 bits of each return value.  Elements of arrays that are
    all zeros are left out, and maps that nothing changed.
    """

    results: list[int]
    maps: dict[str, dict[bytes, bytes]]
    records: list[bytes]


@cache
def host() -> Target:
    return Target.from_host()


def compile_source(
    source: str, prototype: str, names: Mapping[str, Any] | None = None
) -> Compiled:
    """Compile the function `program` of a source text for BPF_PROG_TEST_RUN."""
    trees = python.parse(source, "<source>")
    space = dict(world.skep_names() if names is None else names)
    exec(compile(source, "<source>", "exec"), space)
    environment = Environment(
        lambda function: trees[function.__name__], lambda value: value
    )
    needs = set(trees["program"].parameters)
    (candidate,) = resolve(intention.TestRun(prototype), needs, host())
    (site,) = candidate.sites
    handler = Handler(space["program"])
    return compile_site("program", [(handler, site)], host(), environment)


def run_model(
    source: str, types: Sequence[Any], contexts: Sequence[Sequence[int]]
) -> Outcome:
    """Run the program in Python."""
    run = model_run.Run()
    names = world.model_names(run)
    names["cells"].elements.update(
        {key: bytearray(value) for key, value in world.initial_cells().items()}
    )
    program = model_run.load(source, run, names)["program"]
    results = []
    for context in contexts:
        arguments = [Number(word, t) for word, t in zip(context, types)]
        try:
            results.append(program(*arguments).value & 0xFFFFFFFF)
        except model_run.Ended:
            results.append(0)
    maps = {world.map_spec(name): names[name].elements for name in world.MAPS}
    for name in world.HISTOGRAMS:
        maps[world.map_spec(name)] = names[name].counts.elements
    losses = struct.pack(f"<{len(LEDGER_CAUSES)}Q", *run.losses.values())
    maps[LEDGER] = {bytes(4): losses}
    stream = names["events"]
    assert isinstance(stream, model.Stream)
    return _outcome(results, maps, stream.records)


def _outcome(
    results: list[int],
    maps: Mapping[MapSpec, Mapping[bytes, bytes | bytearray]],
    records: list[bytes],
) -> Outcome:
    kept = {}
    for spec, elements in maps.items():
        if spec.kind == "array":
            elements = {k: v for k, v in elements.items() if any(v)}
        if elements == world.initial_cells():
            continue  # also of programs that never ask for the map
        if elements:
            kept[spec.name] = {k: bytes(v) for k, v in sorted(elements.items())}
    return Outcome(results, kept, records)


def _visible(compiled: Compiled) -> list[MapSpec]:
    """The maps to look at, those that the compiler made for itself left out."""
    hidden = ("_zero", "_scratch")
    specs = compiled.maps.values()
    return [s for s in specs if s.kind != "ringbuf" and not s.name.endswith(hidden)]


def run_interpreter(compiled: Compiled, contexts: Sequence[Sequence[int]]) -> Outcome:
    """Run the program in the tests' own machine."""
    machine = Machine(list(compiled.maps.values()))
    if "cells" in machine.maps:
        for key, value in world.initial_cells().items():
            machine.maps["cells"].update(key, value, 0)
    program = _program(compiled).instructions
    results = [
        machine.run(program, struct.pack(f"<{len(words)}Q", *words)) & 0xFFFFFFFF
        for words in contexts
    ]
    maps = {spec: machine.maps[spec.name].elements for spec in _visible(compiled)}
    ring = machine.maps.get("ring")
    records = ring.records if isinstance(ring, FakeRingBuffer) else []
    return _outcome(results, maps, records)


def _program(compiled: Compiled) -> ProgramSpec:
    assert compiled.program is not None, "the program has no effect"
    return compiled.program


def run_kernel(compiled: Compiled, contexts: Sequence[Sequence[int]]) -> Outcome:
    """Load the program and run it by BPF_PROG_TEST_RUN."""
    spec = CollectionSpec(list(compiled.maps.values()), [_program(compiled)])
    with Collection.load(spec) as collection:
        if "cells" in collection.maps:
            for key, value in world.initial_cells().items():
                collection.maps["cells"].update(key, value)
        (program,) = collection.programs
        results = [program.test_run(words) for words in contexts]
        maps = {s: dict(collection.maps[s.name].items()) for s in _visible(compiled)}
        ring = collection.maps.get("ring")
        records = _records(ring) if ring else []
    return _outcome(results, maps, records)


def _records(source: Map) -> list[bytes]:
    ring = RingBuffer(source)
    try:
        data, position, end = ring.pending()
        found = []
        while position < end:
            (length,) = struct.unpack_from("<I", data, position)
            start = position + HEADER_SIZE
            found.append(bytes(data[start : start + length]))
            position = start + -(-length // 8) * 8
        return found
    finally:
        ring.close()
