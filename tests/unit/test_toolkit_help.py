"""Help is made of a tool's documentation and options, for 80 columns."""

from __future__ import annotations

import pytest

from skep.toolkit.arguments import parse
from skep.toolkit.help import WIDTH, help_text
from skep.toolkit.tool import load, tool_names
from tests.unit.tool_source import Make, make_tool

__all__ = ["make_tool"]

BODY = """
    class Seen(Record):
        pid: Pid


    seen = Stream(Seen)
"""


@pytest.mark.parametrize("name", tool_names())
def test_help_fits_the_terminal(name: str) -> None:
    lines = help_text(load(name)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith(f"usage: skep {name} [options]")


@pytest.mark.parametrize("name", tool_names())
def test_every_option_is_explained(name: str) -> None:
    tool = load(name)
    text = help_text(tool)
    for option in tool.options.options.values():
        assert option.help, option.name
        if option.name in tool.preset:
            continue
        assert all(flag in text for flag in option.flags)


def test_the_tools_own_options_come_first() -> None:
    text = help_text(load("opensnoop"))
    headings = [line for line in text.splitlines() if line.endswith(":")]
    assert headings == ["options:", "filters:", "output:", "examples:"]


def test_examples_are_what_has_to_be_typed() -> None:
    examples = help_text(load("opensnoop")).partition("examples:\n")[2]
    assert "  skep opensnoop -x           only opens that failed\n" in examples


def test_positional_arguments_are_in_the_usage() -> None:
    first = help_text(load("biolatency")).splitlines()[0]
    assert first == "usage: skep biolatency [options] [INTERVAL] [COUNT]"


def test_a_long_option_has_its_meaning_below(make_tool: Make) -> None:
    declared = 'wide: str = option("--a-rather-long-option", help="what it does")'
    lines = help_text(make_tool(BODY, declared)).splitlines()
    at = lines.index("      --a-rather-long-option WIDE")
    assert lines[at + 1] == " " * 28 + "what it does"


def test_a_tool_takes_letters_from_the_shared_options(make_tool: Make) -> None:
    tool = make_tool(BODY, 'invert: bool = option("-v", "--invert", help="the rest")')
    options = parse(tool, ["-v"])
    assert options.invert  # type: ignore[attr-defined]
    assert not options.verbose  # type: ignore[attr-defined]
