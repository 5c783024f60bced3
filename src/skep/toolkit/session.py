"""One run of a tool in the kernel: compile, load, attach, and take down again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from skep.authoring.on import Plan, Probe
from skep.compiler.body import Handler
from skep.compiler.environment import HistogramObject, WrittenFunction
from skep.compiler.program import Compiled, compile_entries, compile_site
from skep.errors import (
    InternalError,
    NoSuchProcess,
    NotLoaded,
    NotPermitted,
    NotSupported,
    ProbeNotFound,
    SkepError,
)
from skep.named_tuple import NamedTuple
from skep.output.receipts import Receipt
from skep.probes.candidate import Candidate, Site
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    SyscallEnter,
    SyscallExit,
    Uprobe,
    Uretprobe,
)
from skep.probes.resolve import resolve
from skep.runtime.collection import Collection
from skep.runtime.ledger import Ledger
from skep.runtime.links import close_links
from skep.runtime.ring import RingBuffer
from skep.spec import LEDGER, AttachSpec, CollectionSpec, MapSpec, ProgramSpec
from skep.target import Target
from skep.toolkit.binding import Binding, guard_of


class Group(NamedTuple):
    """Probes that stand and fall together, by the name of their handlers.

    Handlers of system calls are one group, since one program can serve them all.
    """

    probes: Sequence[tuple[str, Probe]]

    @property
    def name(self) -> str:
        """The names of the handlers, for the receipt."""
        return ", ".join(name for name, _ in self.probes)


class Scheme(NamedTuple):
    """A plan of the tool with its groups; without a plan, what is always attached."""

    plan: Plan | None
    groups: Sequence[Group]


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
            if site.entry is not None and site.entry.attach != site.attach
        ]
        return ", ".join(dict.fromkeys(names))

    @property
    def note(self) -> str:
        """What the candidate gives up."""
        notes = [candidate.note for _, _, candidate in self.choices]
        return "; ".join(dict.fromkeys(note for note in notes if note))


def schemes_of(binding: Binding, switched_on: bool = True) -> list[Scheme]:
    """The probes of this run, by plan; or those that its options switch off.

    Probes without a plan come first, then the plans in their order.
    """
    by_plan: dict[Plan | None, list[tuple[str, Probe]]] = {None: []}
    for name, probe in binding.tool.probes.items():
        is_on = guard_of(probe.when) is not None or binding.is_on(probe.when)
        if is_on is switched_on:
            by_plan.setdefault(probe.plan, []).append((name, probe))
    return [Scheme(plan, _groups(probes)) for plan, probes in by_plan.items()]


def _groups(probes: Iterable[tuple[str, Probe]]) -> list[Group]:
    calls: list[list[tuple[str, Probe]]] = []
    groups = []
    for name, probe in probes:
        if isinstance(probe.intention, (SyscallEnter, SyscallExit)):
            group = next((each for each in calls if _has_room(each, probe)), None)
            if group is None:
                calls.append([(name, probe)])
            else:
                group.append((name, probe))
        else:
            groups.append(Group([(name, probe)]))
    return [Group(probes) for probes in calls] + groups


def _has_room(group: Sequence[tuple[str, Probe]], probe: Probe) -> bool:
    """Whether a probe of system calls can share the program of others.

    A program has one handler for each call, but one-liners may ask for a call twice.
    """
    others: list[Any] = [other.intention for _, other in group]
    wanted: Any = probe.intention
    if type(others[0]) is not type(wanted):
        return False
    taken = {name for other in others for name in other.names}
    written = isinstance(probe.handler, WrittenFunction)
    return not (written and taken.intersection(wanted.names))


def groups_of(binding: Binding, switched_on: bool = True) -> list[Group]:
    """The probes of this run, whatever their plans; or those that are switched off."""
    schemes = schemes_of(binding, switched_on)
    return [group for scheme in schemes for group in scheme.groups]


def ladder_of(group: Group, binding: Binding, target: Target) -> Iterator[Rung]:
    """The candidates of a group, best first.  Raises SkepError if there are none."""
    ladders = []
    for _name, probe in group.probes:
        parameters = binding.environment.tree_of(probe.handler).parameters
        try:
            intention = binding.intention(probe)
            ladders.append(resolve(intention, set(parameters), target))
        except NoSuchProcess:
            raise  # of no concern to the tool's source
        except SkepError as error:
            # What is not loaded or not permitted is no fault of the tool's source.
            if error.diagnostic.span is None and not isinstance(error, NotLoaded):
                span = getattr(binding.options, "span", None)
                if not isinstance(error, NotPermitted):
                    span = span or binding.environment.tree_of(probe.handler).span
                error.diagnostic = error.diagnostic._replace(span=span)
            raise
    return (
        Rung([(name, probe, c) for (name, probe), c in zip(group.probes, candidates)])
        for candidates in zip(*ladders)
    )


Places = dict[AttachSpec, list[tuple[str, Handler, Site]]]
"""What runs at each place: handlers by name, each with its own site there."""


def compile_programs(
    rung: Rung, binding: Binding, target: Target
) -> list[tuple[str, Compiled]]:
    """The programs of one candidate by name, in the order in which they attach."""
    environment = binding.environment
    entries: Places = {}
    places: Places = {}
    for name, probe, candidate in rung.choices:
        guard = guard_of(probe.when)
        handler = Handler(probe.handler, (guard,) if guard else ())
        for site in candidate.sites:
            places.setdefault(site.attach, []).append((name, handler, site))
            entry = site.entry
            if entry is not None and entry.attach != site.attach:
                entries.setdefault(entry.attach, []).append((name, handler, entry))
    compiled: list[tuple[str, Compiled]] = []
    for kind, compile_at in ((entries, compile_entries), (places, compile_site)):
        for users in kind.values():
            name = users[0][0] if kind is places else f"{users[0][0]}_entry"
            handlers = [(handler, site) for _, handler, site in users]
            made = compile_at(name, handlers, target, environment)
            compiled.append((name, _numbered(made, binding)))
    return compiled


def _numbered(compiled: Compiled, binding: Binding) -> Compiled:
    program = compiled.program
    if program is None or not program.attach.names:
        return compiled
    attach = binding.numbered(program.attach)
    return compiled._replace(program=program._replace(attach=attach))


def collection_of(programs: Iterable[tuple[str, Compiled]]) -> CollectionSpec:
    """Compiled programs with the maps they use, without those that do nothing."""
    maps: dict[str, MapSpec] = {}
    specs: list[ProgramSpec] = []
    for _, compiled in programs:
        for name, wanted in compiled.maps.items():
            if maps.setdefault(name, wanted) != wanted:
                raise InternalError(f"two different maps are called {name!r}")
        if compiled.program is not None:
            specs.append(compiled.program)
    return CollectionSpec(list(maps.values()), specs)


def attach_group(
    collection: Collection, group: Group, binding: Binding, target: Target
) -> Receipt:
    """Attach the first candidate of a group that works.

    Raises SkepError with the reasons when none does.
    """
    return _attach_first(
        collection, group, ladder_of(group, binding, target), binding, target
    )


def _attach_first(
    collection: Collection,
    group: Group,
    rungs: Iterable[Rung],
    binding: Binding,
    target: Target,
) -> Receipt:
    notes: list[str] = []

    def compiled(rung: Rung) -> CollectionSpec:
        programs = compile_programs(rung, binding, target)
        notes[:] = [rung.note, *(each.note for _, each in programs)]
        return collection_of(programs)

    ladder = ((rung, partial(compiled, rung)) for rung in rungs)
    try:
        rung, failures = collection.add_first(ladder)
    except (NotPermitted, NotSupported) as error:
        _offer_others(error, group, binding)
        raise
    refused = [(r.attach, e.diagnostic.message) for r, e in failures]
    note = "; ".join(filter(None, dict.fromkeys(notes)))
    return Receipt(group.name, rung.attach, note, refused)


def _offer_others(error: SkepError, group: Group, binding: Binding) -> None:
    """What a user can trace who has named functions of the kernel that cannot be."""
    of_kernel = (FunctionEntry, FunctionExit)
    has_place = getattr(binding.options, "span", None) is not None
    named = (
        (has_place or isinstance(probe.handler, WrittenFunction))
        and isinstance(probe.intention, of_kernel)
        for _, probe in group.probes
    )
    if not error.diagnostic.hint and all(named):
        from skep.probes.function_pattern import INSTEAD

        error.diagnostic = error.diagnostic._replace(hint=INSTEAD)


def attach_plan(
    collection: Collection,
    schemes: Iterable[Scheme],
    binding: Binding,
    target: Target,
) -> list[Receipt]:
    """Attach all groups of the first plan that works; none if there is no plan.

    Raises SkepError with the reasons when none works.
    """

    def attached(scheme: Scheme) -> list[Receipt]:
        # That a module is not loaded is no reason for another plan, that a program is
        # not permitted is one: so all are looked for before any is loaded.
        ladders = [ladder_of(group, binding, target) for group in scheme.groups]
        return [
            _attach_first(collection, group, ladder, binding, target)
            for group, ladder in zip(scheme.groups, ladders)
        ]

    choices = [(scheme, partial(attached, scheme)) for scheme in schemes]
    if not choices:
        return []
    scheme, receipts, failures = collection.first_of(choices)
    refused = [
        (s.plan.name, e.diagnostic.message) for s, e in failures if s.plan is not None
    ]
    note = scheme.plan.note if scheme.plan else ""
    notes = ["; ".join(filter(None, (note, each.note))) for each in receipts]
    return [
        each._replace(note=text, refused=[*refused, *each.refused])
        for each, text in zip(receipts, notes)
    ]


def _may_be_missing(group: Group) -> bool:
    """Whether the tool can do without functions of user programs."""
    user = (Uprobe, Uretprobe)
    intentions = [probe.intention for _, probe in group.probes]
    return all(isinstance(each, user) and each.optional for each in intentions)


def _counts_perf_misses(target: Target) -> bool:
    from skep.runtime.features import counts_perf_misses

    return counts_perf_misses(target.btf)


class Session:
    """A tool's programs, attached; a context manager that takes all down at its end."""

    def __init__(self, binding: Binding, target: Target) -> None:
        self.binding = binding
        self.receipts: list[Receipt] = []
        self.collection = Collection()
        self.ring: RingBuffer | None = None
        try:
            self._load(target)
        except BaseException:
            self.close()
            raise
        self.ledger = Ledger(
            self.collection.maps.get(LEDGER.name),
            self.collection.programs,
            partial(_counts_perf_misses, target),
            self.collection.links,
        )

    def _load(self, target: Target) -> None:
        binding = self.binding
        if binding.tool.streams:
            self.collection.add(CollectionSpec([binding.ring], []))
            self.ring = RingBuffer(self.collection.maps[binding.ring.name])
        always, *plans = schemes_of(binding)
        missing: list[SkepError] = []
        for group in always.groups:
            try:
                receipt = attach_group(self.collection, group, binding, target)
            except ProbeNotFound as error:
                if not _may_be_missing(group):
                    raise
                missing.append(error)
                receipt = Receipt(group.name, None, error.diagnostic.message)
            self.receipts.append(receipt)
        if missing and not any(receipt.attached for receipt in self.receipts):
            raise missing[0]
        self.receipts += attach_plan(self.collection, plans, binding, target)

    @property
    def places(self) -> int:
        """Places where programs run that ask which one it is."""
        programs = self.collection.programs
        return len({n for each in programs for n in each.spec.attach.numbers})

    def histogram(self, bound: HistogramObject) -> Mapping[bytes, Sequence[int]]:
        """The counters of a histogram by key, cumulative since the start."""
        source = self.collection.maps.get(bound.map.name)
        if source is None:
            return {}
        if bound.key is None:
            value = source.lookup(bytes(4))
            return {} if value is None else {b"": source.word_sums(value)}
        return {key: source.word_sums(value) for key, value in source.items()}

    def detach(self) -> None:
        """Detach all programs at once; what they have recorded can still be read."""
        self.ledger.settle()
        close_links(self.collection.links)
        self.collection.links.clear()

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
