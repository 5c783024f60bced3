"""The examples of each tool's help are understood, and their programs compile."""

from __future__ import annotations

import re
import shlex

import pytest

from skep.errors import ProbeNotFound
from skep.toolkit.aliases import ALIASES
from skep.toolkit.arguments import parse
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, groups_of, ladder_of
from skep.toolkit.tool import load, tool_names
from tests.fixtures import saved_target

MODULES = sorted(set(tool_names(families=True)) - set(ALIASES))


def examples(name: str) -> list[str]:
    """The commands of a tool's help, without what they do."""
    lines = load(name).doc.partition("Examples:\n")[2].splitlines()
    return [re.split(r" {2,}", line.strip())[0] for line in lines if line]


EXAMPLES = [command for name in MODULES for command in examples(name)]

NOT_SAVED = re.compile(
    r"c:(fsync|close|read)\b|\b(vfs_write|vfs_fsync|submit_bio|ip_output)\b"
    r"|u:stdc\+\+:|pam:pam_start"
)
"""Places of which the saved kernel and its libraries know nothing."""


@pytest.mark.parametrize("name", MODULES)
def test_every_tool_has_examples(name: str) -> None:
    assert len(examples(name)) > 1


def programs_of(command: str) -> int:
    """The number of programs that an example becomes; of each probe the best form."""
    name, *arguments = shlex.split(command)
    tool, target = load(name), saved_target("6.12")
    options = parse(tool, arguments)
    if tool.hook("listing"):
        return 0
    tool = tool.declared(options, target)
    binding = Binding(tool, options)
    rungs = [next(ladder_of(each, binding, target)) for each in groups_of(binding)]
    return sum(len(compile_programs(rung, binding, target)) for rung in rungs)


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_compiles(command: str) -> None:
    if NOT_SAVED.search(command):
        with pytest.raises(ProbeNotFound):
            programs_of(command)
    else:
        assert programs_of(command) > 0 or command.startswith("tplist")
