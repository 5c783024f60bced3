"""Three ways to run a kernel-side source text, and what each leaves behind."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from skep.compiler.body import Handler
from skep.compiler.environment import Environment
from skep.compiler.program import Compiled, compile_site
from skep.frontends import python
from skep.probes import intention
from skep.probes.parameters import Declared, parse_prototype
from skep.probes.resolve import resolve
from skep.runtime.collection import Collection
from skep.runtime.maps import Map
from skep.runtime.ring import HEADER_SIZE, RingBuffer
from skep.spec import LEDGER, LEDGER_CAUSES, CollectionSpec, MapSpec, ProgramSpec
from skep.target import Target
from tests.differential import facts, model_run, user_page, world
from tests.differential.helpers import constant
from tests.differential.interpreter import Machine
from tests.differential.maps import FakeRingBuffer
from tests.differential.model import TYPES, Number
from tests.differential.model_memory import USER, Pointer
from tests.differential.outcomes import Outcome, outcome
from tests.differential.structures import TARGETS

__all__ = ["Outcome"]


@cache
def host() -> Target:
    return Target.from_host()


def compile_source(
    source: str,
    prototype: str,
    names: Mapping[str, Any] | None = None,
    target: Target | None = None,
) -> Compiled:
    """Compile the function `program` of a source text for BPF_PROG_TEST_RUN."""
    target = target or host()
    trees = python.parse(source, "<source>")
    space = dict(world.skep_names() if names is None else names)
    exec(compile(source, "<source>", "exec"), space)
    environment = Environment(
        lambda function: trees[function.__name__], lambda value: value
    )
    needs = set(trees["program"].parameters)
    (candidate,) = resolve(intention.TestRun(prototype), needs, target)
    (site,) = candidate.sites
    handler = Handler(space["program"])
    return compile_site("program", [(handler, site)], target, environment)


def run_model(
    source: str, prototype: str, contexts: Sequence[Sequence[int]]
) -> Outcome:
    """Run the program in Python."""
    run = model_run.Run()
    names = world.model_names(run)
    memory = names["bpf"].memory_of_all
    for name, values in world.initial().items():
        for key, value in values.items():
            names[name].elements[key][:] = value
    program = model_run.load(source, run, names)["program"]
    declared = parse_prototype(prototype)
    results = []
    for context in contexts:
        arguments = [_argument(memory, each, w) for each, w in zip(declared, context)]
        try:
            results.append(program(*arguments).value & 0xFFFFFFFF)
        except model_run.Ended:
            results.append(0)
    maps: dict[MapSpec, Mapping[bytes, bytes | bytearray]] = {
        world.map_spec(name): names[name].elements for name in world.MAPS
    }
    for name in world.HISTOGRAMS:
        maps[world.map_spec(name)] = names[name].counts.elements
    for name in world.TABLES:
        maps[world.table_specs(name)[0]] = names[name].sums.elements
    losses = struct.pack(f"<{len(LEDGER_CAUSES)}Q", *run.losses.values())
    maps[LEDGER] = {bytes(4): losses}
    return outcome(results, maps, memory.sent)


def _argument(memory: Any, declared: Declared, word: int) -> Number | Pointer:
    if "*" not in declared.type:
        return Number(word, TYPES[declared.type])
    target = TARGETS[declared.type.rstrip("*").strip()]
    return Pointer(memory, word, target, USER)


def _visible(compiled: Compiled) -> list[MapSpec]:
    """The maps to look at, those that the compiler made for itself left out."""
    hidden = ("_zero", "_scratch", "_epoch")
    specs = compiled.maps.values()
    unread = ("ringbuf", "stack_trace")
    return [s for s in specs if s.kind not in unread and not s.name.endswith(hidden)]


def run_interpreter(compiled: Compiled, contexts: Sequence[Sequence[int]]) -> Outcome:
    """Run the program in the tests' own machine."""
    known = facts.current()
    task = constant(facts.address_of("task"))
    helpers = {
        "get_current_pid_tgid": constant(known.pid << 32 | known.tid),
        "get_current_uid_gid": constant(known.gid << 32 | known.uid),
        "get_current_cgroup_id": constant(known.cgroup_id),
        "get_current_task": task,
        "get_current_task_btf": task,
    }
    machine = Machine(list(compiled.maps.values()), helpers)
    machine.comm = known.fields["task"]["comm"]
    machine.memory.map_at(
        user_page.ADDRESS, "user page", bytearray(user_page.content())
    )
    for address, image in facts.kernel_images(host()).items():
        machine.memory.map_at(address, "kernel structure", image)
    for name, values in world.initial().items():
        if name in machine.maps:
            for key, value in values.items():
                machine.maps[name].update(key, value, 0)
    program = _program(compiled).instructions
    results = [
        machine.run(program, struct.pack(f"<{len(words)}Q", *words)) & 0xFFFFFFFF
        for words in contexts
    ]
    maps = {spec: machine.maps[spec.name].elements for spec in _visible(compiled)}
    ring = machine.maps.get("ring")
    records = ring.records if isinstance(ring, FakeRingBuffer) else []
    return outcome(results, maps, records)


def _program(compiled: Compiled) -> ProgramSpec:
    assert compiled.program is not None, "the program has no effect"
    return compiled.program


def run_kernel(compiled: Compiled, contexts: Sequence[Sequence[int]]) -> Outcome:
    """Load the program and run it by BPF_PROG_TEST_RUN."""
    user_page.provide()
    spec = CollectionSpec(list(compiled.maps.values()), [_program(compiled)])
    with Collection.load(spec) as collection:
        for name, values in world.initial().items():
            if name in collection.maps:
                for key, value in values.items():
                    collection.maps[name].update(key, value)
        (program,) = collection.programs
        cpus = os.sched_getaffinity(0)
        cpu = min(cpus)
        os.sched_setaffinity(0, {cpu})
        try:
            results = [program.test_run(words) for words in contexts]
        finally:
            os.sched_setaffinity(0, cpus)
        maps = {s: _contents(collection.maps[s.name], cpu) for s in _visible(compiled)}
        ring = collection.maps.get("ring")
        records = _records(ring) if ring else []
    return outcome(results, maps, records)


def _contents(source: Map, cpu: int) -> dict[bytes, bytes]:
    """What is in a map; of per-CPU values those of one CPU."""
    if source.spec.kind == "task_storage":
        return _stored(source)
    items = source.items()
    if source.spec.kind in world.PER_CPU:
        return {key: source.chunks(value)[cpu] for key, value in items}
    return dict(items)


def _stored(source: Map) -> dict[bytes, bytes]:
    """What this task has in a map of tasks."""
    pidfd = os.pidfd_open(os.getpid())
    try:
        value = source.lookup(struct.pack("=i", pidfd))
    finally:
        os.close(pidfd)
    return {} if value is None else {b"task": value}


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
