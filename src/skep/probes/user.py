"""What probes in user programs have in common: their candidates."""

from __future__ import annotations

from collections.abc import Sequence

from skep.errors import NotSupported
from skep.probes.candidate import Candidate, Site
from skep.spec import UserPlace
from skep.target import Target

MOST_EVENTS = 1000
"""Places that are probed one by one: each takes a file descriptor and, at its end, some
20 ms."""

MOST_NUMBERS = 64
"""Functions of one probe that are told apart by a number."""

_SINGLE = "a perf event for each place: attaches and detaches more slowly"


def has_links(target: Target) -> bool:
    """Whether one link can have many places.

    Since the same release bpf_get_func_ip works in user probes.
    """
    return target.has_enumerator("BPF_TRACE_UPROBE_MULTI")


def candidates(
    sites: Sequence[Site], places: Sequence[UserPlace], note: str, target: Target
) -> list[Candidate]:
    """The sites, made for perf events, also as one link for each file (6.6)."""
    found = []
    if has_links(target):
        found.append(Candidate(tuple(_as_multi(site) for site in sites), note))
    if len(places) > MOST_EVENTS and not found:
        raise NotSupported(
            f"{len(places)} places are more than the {MOST_EVENTS} that this kernel can"
            " probe one by one",
            hint="one link for all came with Linux 6.6; name fewer functions",
        )
    if len(places) <= MOST_EVENTS:
        notes = "; ".join(filter(None, (note, _SINGLE if len(places) > 1 else "")))
        found.append(Candidate(tuple(sites), notes))
    return found


def _as_multi(site: Site) -> Site:
    attach = site.attach._replace(kind=f"{site.attach.kind}_multi")
    entry = None if site.entry is None else _as_multi(site.entry)
    return site._replace(attach=attach, entry=entry)
