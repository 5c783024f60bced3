"""Tools that are another tool with an option set."""

from __future__ import annotations

from typing import Any

import pytest

from skep.errors import UsageError
from skep.toolkit.aliases import ALIASES
from skep.toolkit.arguments import parse
from skep.toolkit.help import help_text
from skep.toolkit.tool import load, tool_names


def test_an_alias_is_the_tool_with_its_options() -> None:
    tool = load("ext4slower")
    options: Any = parse(tool, ["5"])
    assert tool.name == "ext4slower"
    assert (options.type, options.min_ms) == ("ext4", 5)
    assert tool.module is load("fsslower").module


def test_what_the_name_says_cannot_be_said_again() -> None:
    with pytest.raises(UsageError, match="unrecognized arguments: -t"):
        parse(load("xfsslower"), ["-t", "ext4"])
    assert "--type" not in help_text(load("xfsslower"))


def test_the_tool_itself_wants_to_be_told() -> None:
    with pytest.raises(UsageError, match="which type of file system"):
        parse(load("fsslower"), [])
    options: Any = parse(load("fsslower"), ["-t", "nfs"])
    assert options.fs.title == "NFS"


def test_names() -> None:
    assert set(ALIASES) < set(tool_names())
    assert "fsslower" not in tool_names()
    assert "fsslower" in tool_names(families=True)


def test_each_has_a_summary_of_its_own() -> None:
    summaries = {load(name).summary for name in ALIASES}
    assert len(summaries) == len(ALIASES)
