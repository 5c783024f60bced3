"""`skep describe`: what lines of JSON have, with the options of a run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from skep.errors import UsageError
from skep.toolkit.describe import description
from skep.toolkit.tool import load
from tests.fixtures import saved_target


def shown(name: str, given: Sequence[str] | None) -> set[str]:
    """The keys of the lines that a tool writes."""
    (tool,) = description([load(name)], saved_target("6.12"), given)["tools"]
    (output,) = tool["outputs"]
    return {each["key"] for each in output["fields"] if each["shown_by_default"]}


@pytest.mark.parametrize(
    ("name", "given", "keys"),
    [
        ("opensnoop", ["--columns", "PID,path"], {"pid", "path", "path_truncated"}),
        ("opensnoop", ["--columns", "ERR"], {"ret", "error"}),
        ("execsnoop", ["-T", "--columns", "time,args"], {"time_ns", "args"}),
        ("funccount", ["c:getpid", "--columns", "count"], {"count"}),
    ],
)
def test_chosen_columns(name: str, given: list[str], keys: set[str]) -> None:
    assert keys <= shown(name, given)
    assert keys < shown(name, [*given[:-2]])
    assert not {"comm", "func"} & shown(name, given)


def test_columns_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="no such column: nothing"):
        shown("opensnoop", ["--columns", "nothing"])
