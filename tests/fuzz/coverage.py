"""What the random programs have of all that the compiler knows.

`python -m tests.fuzz.coverage` prints a table: how many of 400 programs have each
construct.  A test fails if one of them has none.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

from skep.authoring.bpf import bpf
from skep.compiler import tree
from skep.compiler.access import DIRECT, WRITABLE, Access
from skep.compiler.environment import MapObject, StreamObject
from skep.compiler.intrinsics import INTRINSICS, METHODS
from skep.compiler.intrinsics.stream import Row
from skep.compiler.values import Place
from skep.errors import CompileError
from skep.frontends import python
from skep.runtime.maps import KINDS
from skep.target import Target
from tests.differential import harness, world
from tests.differential.sources import Program, program
from tests.fuzz.choices import Choices

PROGRAMS = 400

ELSEWHERE = {
    "map prog_array": "never filled: a tail call keeps programs off a CPU's stack",
    "map perf_event_array": "known to the runtime; no program has one",
    "map array_of_maps": "known to the runtime; no program has one",
    "map hash_of_maps": "known to the runtime; no program has one",
    "bpf.tcp_sock": "sockets of typed probes, which a test run does not have",
    "load context": "arrays and structures in a tracepoint's context, which a test run "
    "does not have",
    "copy context": "as before",
    "index context": "as before",
}
"""What random programs cannot have, and why."""

_OPERATIONS = {
    ast.operator: ("Binary", "Augment"),
    ast.unaryop: ("Unary",),
    ast.cmpop: ("Compare",),
    ast.boolop: ("BoolOp",),
}


def constructs() -> set[str]:
    """All that there is, but for C, which has random tests of its own."""
    found = {f"syntax {node.__name__}" for node in _nodes()}
    for operator, text in python.OPERATORS.items():
        (base,) = operator.__bases__
        found.update(f"{node} {text}" for node in _OPERATIONS[base])
    found.update(
        f"literal {name}" for name in ("int", "bytes", "str", "bool", "NoneType")
    )
    found.update(f"bpf.{name}" for name in INTRINSICS)
    found.update(f"{owner.__name__}.{name}" for owner, name in METHODS)
    found.update(f"map {kind}" for kind in KINDS)
    spaces = DIRECT | {"kernel", "user"}
    found.update(f"{how} {s}" for how in ("load", "copy", "index") for s in spaces)
    found.update(f"store {space}" for space in WRITABLE)
    return found | {
        "tail string",
        "tail strings",
        "tail bytes",
        "default of a parameter",
    }


def _nodes() -> list[type[tree.Node]]:
    of_c = [node for node in tree.Node.__subclasses__() if node.__name__[:2].isupper()]
    return [node for node in tree.Node.__subclasses__() if node not in of_c]


def of_program(made: Program, target: Target) -> set[str]:
    """What one program has; of memory only if the target has all of its types."""
    names = world.skep_names()
    found: set[str] = set()
    for function in python.parse(made.source, "<source>").values():
        for node in _within(function):
            found.add(f"syntax {type(node).__name__}")
            operator = getattr(node, "operator", None)
            if operator is not None:
                found.add(f"{type(node).__name__} {operator}")
            if isinstance(node, tree.Literal):
                found.add(f"literal {type(node.value).__name__}")
            if isinstance(node, tree.Attribute) and isinstance(node.value, tree.Name):
                found.update(_attribute(names, node.value.id, node.name))
            if isinstance(node, tree.Function) and node.defaults:
                found.add("default of a parameter")
    return found | _memory(made, target)


def _within(node: Any) -> Iterator[tree.Node]:
    if isinstance(node, tree.Node):
        yield node
        for part in vars(node).values():
            yield from _within(part)
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _within(part)


def _attribute(names: dict[str, Any], owner: str, name: str) -> Iterator[str]:
    """An intrinsic or a method, and what it is called on."""
    known = names.get(owner)
    if known is bpf:
        yield f"bpf.{name}"
    if known is None and (Row, name) in METHODS:
        yield f"Row.{name}"
    if (type(known), name) in METHODS:
        yield f"{type(known).__name__}.{name}"
    if isinstance(known, MapObject):
        yield f"map {known.spec.kind}"
    if isinstance(known, StreamObject):
        yield f"map {known.ring.kind}"
        yield f"tail {known.layout.tail_kind}"


def _memory(made: Program, target: Target) -> set[str]:
    """How a program comes to memory."""
    found: set[str] = set()

    def watched(name: str, how: str, space_of: Any) -> Any:
        original = getattr(Access, name)

        def method(self: Access, *arguments: Any) -> Any:
            found.add(f"{how} {space_of(*arguments)}")
            return original(self, *arguments)

        return mock.patch.object(Access, name, method)

    def written(base: object, *_: object) -> str:
        return "memory" if isinstance(base, int) else "stack"

    with (
        watched("load_bytes", "load", lambda base, offset, size, space: space),
        watched("copy", "copy", lambda base, offset, source: source.space),
        watched("_variable_element", "index", _space_of_place),
        watched("store", "store", written),
    ):
        try:
            harness.compile_source(made.source, made.prototype, target=target)
        except CompileError:
            return set()
    return found


def _space_of_place(place: Place, *_: object) -> str:
    return place.space


def of_number(number: int, target: Target) -> set[str]:
    """What the program of a number has."""
    return of_program(program(Choices(number)), target)


def measured(target: Target, programs: int = PROGRAMS) -> Counter[str]:
    """In how many of some programs there is each construct."""
    counts: Counter[str] = Counter()
    for number in range(programs):
        counts.update(of_number(number, target))
    return counts


def main() -> None:
    """Print the table."""
    counts = measured(harness.host())
    for name in sorted(constructs()):
        print(f"{counts[name]:4} {name}  {ELSEWHERE.get(name, '')}".rstrip())


if __name__ == "__main__":
    main()
