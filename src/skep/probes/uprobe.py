"""Functions of user programs and libraries: at their entry and at their return."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.errors import UsageError
from skep.probes.candidate import Candidate, Clock, Elapsed, Param, Saved, Site
from skep.probes.intention import Uprobe, Uretprobe
from skep.probes.parameters import Declared, parse_function, require
from skep.probes.places import PLACE, place_fetch, place_params
from skep.probes.registers import Registers
from skep.probes.user import MOST_NUMBERS, candidates, has_links
from skep.probes.user_places import Found, find_places
from skep.spec import AttachSpec
from skep.target import Target

_UNNAMED = 12
"""Arguments that a handler may call arg1 and so on without a prototype."""


def resolve(
    intention: Uprobe | Uretprobe, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at functions of a library, best first."""
    registers = Registers(target)
    found = find_places(intention, target)
    name = f"{intention.library}:{','.join(intention.functions)}"
    parameters, returns = parse_function(intention.prototype)
    arguments = _arguments(parameters, registers)
    known = [*(each.name for each in arguments), PLACE]
    wanted = [each for each in arguments if each.name in needs]
    place = place_params(needs, target)
    attach = AttachSpec("uprobe", name, places=found.places, pid=intention.pid or 0)
    if place:
        attach = attach._replace(names=found.names)
    if isinstance(intention, Uprobe):
        require(needs, known, name)
        sites = [Site(attach, (*wanted, *place))]
    else:
        require(needs, [*known, "ret", "elapsed_ns"], name)
        site = _return_site(attach, wanted, returns, needs, registers)
        site = site._replace(params=(*site.params, *place))
        sites = _told_apart(site, found, registers, target)
    return candidates(sites, found.places, found.note, target)


def _arguments(declared: Sequence[Declared], registers: Registers) -> list[Param]:
    """The parameters of functions by what a prototype says, or by number."""
    if not declared:
        numbers = range(1, _UNNAMED + 1)
        declared = [Declared(f"arg{number}", "unsigned long") for number in numbers]
    params = []
    for index, each in enumerate(declared):
        if each.type in ("float", "double", "long double"):
            raise UsageError(
                f"{each.name} is a {each.type}, which BPF programs cannot use",
                hint="floating-point arguments are passed in registers of their own:"
                " leave them out of the prototype",
            )
        params.append(Param(each.name, each.type, registers.argument(index), True))
    return params


def _return_site(
    attach: AttachSpec,
    wanted: Sequence[Param],
    returns: str,
    needs: AbstractSet[str],
    registers: Registers,
) -> Site:
    """The site at the return, with the one at the entry that saves what it needs."""
    saved = list(wanted)
    params = [each._replace(fetch=Saved(each.name)) for each in wanted]
    if "ret" in needs:
        params.append(Param("ret", returns, registers.returned, True))
    if "elapsed_ns" in needs:
        saved.append(Param("elapsed_ns", "u64", Clock()))
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    entry = Site(attach, tuple(saved)) if saved else None
    return Site(attach._replace(kind="uretprobe"), tuple(params), entry=entry)


def _by_place(site: Site, registers: Registers, target: Target) -> Site:
    """The site where programs know at which of the functions they are."""
    at_entry, at_return = (
        registers.frame(side, by_address=False)._replace(place=place_fetch(target))
        for side in (False, True)
    )
    entry = site.entry and site.entry._replace(frame=at_entry)
    return site._replace(entry=entry, frame=at_return)


def _told_apart(
    site: Site, found: Found, registers: Registers, target: Target
) -> list[Site]:
    """The site with what tells calls apart; where addresses cannot, for each function.

    More functions than there are numbers share the last.
    """
    by_address = has_links(target)
    if site.attach.names and not by_address:
        return [_by_place(site, registers, target)]
    groups = [found.places] if by_address else list(found.by_function.values())
    last = groups[MOST_NUMBERS - 1 :]
    if last:
        groups[MOST_NUMBERS - 1 :] = [tuple(place for group in last for place in group)]
    sites = []
    for number, places in enumerate(groups):
        at_entry, at_return = (
            registers.frame(side, by_address, number) for side in (False, True)
        )
        attach = site.attach._replace(places=places)
        entry = site.entry
        if entry is not None:
            before = entry.attach._replace(places=places)
            entry = entry._replace(attach=before, frame=at_entry)
        sites.append(site._replace(attach=attach, entry=entry, frame=at_return))
    return sites
