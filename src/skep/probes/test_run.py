"""Programs that are only ever run by BPF_PROG_TEST_RUN."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.probes.candidate import Candidate, CtxWord, Param, Site
from skep.probes.intention import TestRun
from skep.probes.parameters import parse_prototype, require
from skep.spec import AttachSpec
from skep.target import Target


def resolve(
    intention: TestRun, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The one way to run a program by itself."""
    declared = parse_prototype(intention.prototype)
    require(needs, [each.name for each in declared], "the prototype")
    params = tuple(
        Param(each.name, each.type, CtxWord(index), each.user)
        for index, each in enumerate(declared)
        if each.name in needs
    )
    return [Candidate((Site(AttachSpec("test_run", ""), params),))]
