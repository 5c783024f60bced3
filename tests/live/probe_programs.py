"""The programs that a text makes, as the command line would make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skep.spec import CollectionSpec
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.session import (
    Group,
    Rung,
    collection_of,
    compile_programs,
    groups_of,
    ladder_of,
)
from skep.toolkit.tool import load


def binding_of(name: str, target: Target, **options: Any) -> Binding:
    """A tool with these options, ready to be compiled.  Raises SkepError."""
    tool = load(name)
    bound = bind(tool, options)
    return Binding(tool.declared(bound, target), bound)


def candidates(binding: Binding, target: Target) -> Iterator[tuple[Group, Rung]]:
    """All ways to attach the probes.  Raises SkepError."""
    for group in groups_of(binding):
        for rung in ladder_of(group, binding, target):
            yield group, rung


def collection(rung: Rung, binding: Binding, target: Target) -> CollectionSpec:
    """The programs of one way, with their maps.  Raises SkepError."""
    return collection_of(compile_programs(rung, binding, target))
