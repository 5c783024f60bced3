"""What the compiler refuses, and what it says: one file in `refusals/` each.

A file is a function `program` in kernel-side code, preceded by the C prototype of its
parameters if it has any, and followed by the expected message, both as comments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skep.authoring.bpf import bpf
from skep.compiler.environment import (
    EmittedField,
    Environment,
    HistogramObject,
    MapObject,
    StreamObject,
)
from skep.compiler.program import Handler, compile_site
from skep.compiler.types import U8, U32, U64, Array, lay_out
from skep.errors import CompileError
from skep.frontends import python
from skep.probes import intention
from skep.probes.resolve import resolve
from skep.spec import FieldLayout, MapSpec, RecordLayout
from tests.fixtures import saved_target

FILES = sorted((Path(__file__).parent / "refusals").glob("*.py"))

KEY = lay_out("Key", [("disk", U32), ("flags", U8)])
NAMED = lay_out("Named", [("text", Array(U8, 12))])
BIG = lay_out("Big", [("bytes", Array(U64, 40))])
STARTS = MapSpec("starts", "hash", KEY.size, 8, 16)
EVENT = RecordLayout(
    "Event", 1, [FieldLayout("pid", "I", 4, 4)], 8, "path", "string", 64
)
EXEC = RecordLayout(
    "Exec", 2, [FieldLayout("ret", "i", 4, 4)], 8, "args", "strings", 4096
)


class Settings:
    """Options, as the binding puts them in place of a tool's class."""

    failed = False
    limit = 5


def names() -> dict[str, Any]:
    """What the names in the files mean."""
    return {
        "bpf": bpf,
        "Key": KEY,
        "Big": BIG,
        "Settings": Settings(),
        "counts": MapObject(MapSpec("counts", "hash", 8, 8, 16), "u64", "u64"),
        "starts": MapObject(STARTS, KEY, "u64"),
        "keys": MapObject(MapSpec("keys", "hash", 4, KEY.size, 16), "u32", KEY),
        "named": MapObject(MapSpec("named", "hash", 4, 12, 16), "u32", NAMED),
        "bigs": MapObject(MapSpec("bigs", "array", 4, 320, 16), "u32", BIG),
        "storage": MapObject(MapSpec("own", "task_storage", 4, 8, 0, 1), "u32", "u64"),
        "stacks": MapObject(MapSpec("stacks", "stack_trace", 4, 64, 8), "u32", "u64"),
        "large": MapObject(MapSpec("large", "hash", 320, 320, 16), BIG, BIG),
        "sizes": HistogramObject(MapSpec("sizes", "array", 4, 512, 1), None, 64, False),
        "events": StreamObject(
            MapSpec("ring", "ringbuf", 0, 0, 4096),
            EVENT,
            [EmittedField("pid", "u32", None)],
            ["uid"],
        ),
        "execs": StreamObject(
            MapSpec("ring", "ringbuf", 0, 0, 4096),
            EXEC,
            [EmittedField("ret", "s32", None)],
            [],
        ),
        "ordinary": ordinary,
    }


def ordinary(value: int) -> int:
    return value


def message(source: str, file: str) -> str:
    """What the compiler says to a source text."""
    lines = source.splitlines()
    prototype = lines[0][2:] if lines[0].startswith("# ") else ""
    space = names()
    try:
        trees = python.parse(source, file)
        exec(compile(source, file, "exec"), space)
        needs = set(trees["program"].parameters)
        target = saved_target("6.18")
        (candidate,) = resolve(intention.TestRun(prototype), needs, target)
        (site,) = candidate.sites
        environment = Environment(
            lambda function: trees[function.__name__], lambda value: value
        )
        handlers = [(Handler(space["program"]), site)]
        compile_site("program", handlers, target, environment)
    except CompileError as error:
        return str(error)
    raise AssertionError("it was not refused")


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_message(path: Path) -> None:
    source, _, comment = path.read_text().partition("\n# refused:\n")
    expected = [line[2:] for line in comment.splitlines()]
    assert message(source + "\n", path.name).splitlines() == expected
