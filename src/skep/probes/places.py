"""One program at many places: how it learns at which of them it runs."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.probes.candidate import Cookie, Param, PlaceNumber
from skep.target import Target

PLACE = "place"
"""The parameter: the number of the place among all of the run."""


def place_fetch(target: Target) -> Cookie | PlaceNumber:
    """By the link's cookie (5.15), else each place has a copy of the program."""
    return Cookie() if target.has_helper("get_attach_cookie") else PlaceNumber()


def place_params(needs: AbstractSet[str], target: Target) -> tuple[Param, ...]:
    """The parameter, if the handler needs it."""
    if PLACE not in needs:
        return ()
    return (Param(PLACE, "u32", place_fetch(target)),)
