"""Many classic tracepoints by a pattern: one program for all of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.errors import NotSupported, ProbeNotFound, SkepError
from skep.probes.candidate import Candidate, Site
from skep.probes.intention import Tracepoint
from skep.probes.parameters import require
from skep.probes.places import PLACE, place_params
from skep.probes.tracepoint import unknown
from skep.spec import AttachSpec
from skep.symbols.name_pattern import is_pattern
from skep.target import Target

MOST_TRACEPOINTS = 1000
"""Tracepoints of one probe; each takes a file descriptor and, at its end, 20 ms."""


def resolve(
    intention: Tracepoint, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The one way to run a program at all tracepoints that match.

    Their records have nothing in common, so a handler can only name `place`.
    """
    found = target.tracepoints_like(intention.name)
    if not found:
        raise _none(intention.name, target)
    if len(found) > MOST_TRACEPOINTS:
        raise NotSupported(
            f"{len(found)} tracepoints match {intention.name!r},"
            f" more than {MOST_TRACEPOINTS}"
        )
    require(needs, [PLACE], f"tracepoints {intention.name}")
    attach = AttachSpec(
        "tracepoints",
        intention.name,
        ids=tuple(each.id for each in found),
        names=tuple(f"{each.category}:{each.event}" for each in found),
    )
    if PLACE not in needs:
        attach = attach._replace(names=())
    return [Candidate((Site(attach, place_params(needs, target)),))]


def _none(pattern: str, target: Target) -> SkepError:
    if target.tracefs_problem:
        return target.tracefs_problem
    category, colon, event = pattern.partition(":")
    if colon and not is_pattern(pattern):
        return unknown(category, event, target)
    return ProbeNotFound(
        f"no tracepoint matches {pattern!r}",
        notes=["/sys/kernel/tracing/available_events lists them"],
    )
