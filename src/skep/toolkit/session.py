"""One run of a tool in the kernel: compile, load, attach, and take down again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Callable, NamedTuple

from skep.authoring.on import Probe
from skep.compiler.environment import HistogramObject
from skep.compiler.program import (
    Compiled,
    Handler,
    compile_entry,
    compile_site,
)
from skep.errors import SkepError
from skep.output.receipts import Receipt
from skep.probes.candidate import Candidate, Site
from skep.probes.intention import SyscallEnter, SyscallExit
from skep.probes.resolve import resolve
from skep.runtime.collection import Collection
from skep.runtime.features import counts_perf_misses
from skep.runtime.ledger import Ledger
from skep.runtime.ring import RingBuffer
from skep.spec import LEDGER, CollectionSpec, MapSpec, ProgramSpec
from skep.target import Target
from skep.toolkit.binding import Binding, guard_of

Watch = Callable[[str, Compiled], None]
"""Told of every program that is compiled, for --dump."""


class Group(NamedTuple):
    """Probes that stand and fall together, by the name of their handlers.

    Handlers of system calls are one group, since one program can serve them all.
    """

    probes: Sequence[tuple[str, Probe]]


class Rung(NamedTuple):
    """One candidate for all probes of a group: each probe with its candidate."""

    choices: Sequence[tuple[str, Probe, Candidate]]

    @property
    def attach(self) -> str:
        """What is attached, for the receipt."""
        sites = [site for _, _, candidate in self.choices for site in candidate.sites]
        names = [f"{site.attach.kind}:{site.attach.name}" for site in sites]
        names += [
            f"{site.entry.attach.kind}:{site.entry.attach.name}"
            for site in sites
            if site.entry is not None
        ]
        return ", ".join(dict.fromkeys(names))

    @property
    def note(self) -> str:
        """What the candidate gives up."""
        notes = [candidate.note for _, _, candidate in self.choices]
        return "; ".join(dict.fromkeys(note for note in notes if note))


def groups_of(binding: Binding) -> list[Group]:
    """The probes of this run, those that its options switch off left out."""
    calls: dict[type, list[tuple[str, Probe]]] = {}
    groups = []
    for name, probe in binding.tool.probes.items():
        if guard_of(probe.when) is None and not binding.is_on(probe.when):
            continue
        kind = type(probe.intention)
        if kind in (SyscallEnter, SyscallExit):
            calls.setdefault(kind, []).append((name, probe))
        else:
            groups.append(Group([(name, probe)]))
    return [Group(probes) for probes in calls.values()] + groups


def ladder_of(group: Group, binding: Binding, target: Target) -> list[Rung]:
    """The candidates of a group, best first."""
    ladders = []
    for _name, probe in group.probes:
        parameters = binding.environment.tree_of(probe.handler).parameters
        try:
            ladders.append(resolve(probe.intention, set(parameters), target))
        except SkepError as error:
            if error.diagnostic.span is None:
                span = binding.environment.tree_of(probe.handler).span
                error.diagnostic = error.diagnostic._replace(span=span)
            raise
    return [
        Rung([(name, probe, c) for (name, probe), c in zip(group.probes, candidates)])
        for candidates in zip(*ladders)
    ]


def compile_rung(
    rung: Rung, binding: Binding, target: Target, watch: Watch | None = None
) -> CollectionSpec:
    """The programs of one candidate, and the maps they use."""
    places: dict[object, list[tuple[str, Handler, Site]]] = {}
    compiled: list[Compiled] = []
    for name, probe, candidate in rung.choices:
        guard = guard_of(probe.when)
        handler = Handler(probe.handler, (guard,) if guard else ())
        for site in candidate.sites:
            places.setdefault(site.attach, []).append((name, handler, site))
            if site.entry is not None:
                result = compile_entry(
                    f"{name}_entry", site.entry, handler, target, binding.environment
                )
                compiled.append(result)
                if watch:
                    watch(f"{name}_entry", result)
    for users in places.values():
        name, site = users[0][0], users[0][2]
        result = compile_site(
            name, site, [(h, s) for _, h, s in users], target, binding.environment
        )
        compiled.append(result)
        if watch:
            watch(name, result)
    maps: dict[str, MapSpec] = {}
    programs: list[ProgramSpec] = []
    for result in compiled:
        maps.update(result.maps)
        if result.program is not None:
            programs.append(result.program)
    return CollectionSpec(list(maps.values()), programs)


class Session:
    """A tool's programs, attached; a context manager that takes all down at its end."""

    def __init__(
        self, binding: Binding, target: Target, watch: Watch | None = None
    ) -> None:
        self.binding = binding
        self.receipts: list[Receipt] = []
        self.collection = Collection()
        self.ring: RingBuffer | None = None
        try:
            self._load(target, watch)
        except BaseException:
            self.close()
            raise
        self.ledger = Ledger(
            self.collection.maps.get(LEDGER.name),
            self.collection.programs,
            lambda: counts_perf_misses(target.btf),
        )

    def _load(self, target: Target, watch: Watch | None) -> None:
        binding = self.binding
        if binding.tool.streams:
            self.collection.add(CollectionSpec([binding.ring], []))
            self.ring = RingBuffer(self.collection.maps[binding.ring.name])
        for group in groups_of(binding):
            ladder = [
                (rung, partial(compile_rung, rung, binding, target, watch))
                for rung in ladder_of(group, binding, target)
            ]
            rung, failures = self.collection.add_first(ladder)
            name = ", ".join(name for name, _ in group.probes)
            refused = [(r.attach, e.diagnostic.message) for r, e in failures]
            self.receipts.append(Receipt(name, rung.attach, rung.note, refused))

    def histogram(self, bound: HistogramObject) -> Mapping[bytes, Sequence[int]]:
        """The counters of a histogram by key, cumulative since the start."""
        source = self.collection.maps.get(bound.map.name)
        if source is None:
            return {}
        if bound.key is None:
            value = source.lookup(bytes(4))
            return {} if value is None else {b"": source.word_sums(value)}
        return {key: source.word_sums(value) for key, value in source.items()}

    def close(self) -> None:
        """Detach everything and free it."""
        if self.ring is not None:
            self.ring.close()
            self.ring = None
        self.collection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
