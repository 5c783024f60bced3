"""The help of a tool, made of its documentation and its options, for 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from skep.authoring.options import Option
from skep.output.writer import show
from skep.toolkit.tool import Tool

WIDTH = 80
_LEFT = 28
"""Columns for what an option looks like; its meaning starts there."""

HELP = Option(["-h", "--help"], None, "show this and exit", None, False, None, False)
HELP.type, HELP.heading = bool, "output"
"""The option that argparse adds to those of every tool."""


def show_help(tool: Tool) -> None:
    """Write the help to standard output."""
    show(help_text(tool))


def help_text(tool: Tool) -> str:
    """Usage, description, options by heading, examples."""
    description, _, examples = tool.doc.strip().partition("Examples:\n")
    options = options_of(tool)
    sections = [
        _usage(tool.file or tool.name, options),
        *(textwrap.fill(each, WIDTH) for each in description.strip().split("\n\n")),
        *_groups(options),
    ]
    if examples:
        sections.append(_examples(examples.splitlines()))
    return "\n\n".join(sections) + "\n"


def options_of(tool: Tool) -> list[Option]:
    """What may be given to a tool, `HELP` last."""
    declared = tool.options.options.values()
    return [*(each for each in declared if each.name not in tool.preset), HELP]


def _usage(command: str, options: Iterable[Option]) -> str:
    words = [f"usage: skep {command} [options]"]
    words += [f"[{value_of(option)}]" for option in options if not option.flags]
    return " ".join(words)


def _groups(options: Sequence[Option]) -> list[str]:
    """The options under their headings."""
    return [
        "\n".join([f"{heading}:", *(_entry(_look(o), o.help) for o in group)])
        for heading, group in grouped(options).items()
    ]


def grouped(options: Sequence[Option]) -> dict[str, list[Option]]:
    """Options by their headings, those of the tool itself first."""
    headings = list(dict.fromkeys(option.heading for option in options[:-1]))[::-1]
    return {
        heading: [each for each in options if each.heading == heading]
        for heading in headings
    }


def _look(option: Option) -> str:
    """How an option is written; long forms stand below each other."""
    if not option.flags:
        return value_of(option)
    indent = "" if len(option.flags[0]) == 2 else "    "
    value = "" if option.type is bool else f" {value_of(option)}"
    return indent + ", ".join(option.flags) + value


def value_of(option: Option) -> str:
    """What the value of an option is called."""
    name = option.metavar or option.name.upper()
    return f"{name} ..." if option.rest else name


def _entry(left: str, meaning: str, column: int = _LEFT) -> str:
    """Two columns, the right one wrapped; it starts below if the left one is long."""
    lines = textwrap.wrap(meaning, WIDTH - column) or [""]
    first = f"  {left}"
    if len(first) + 2 > column:
        lines = [first, *(" " * column + line for line in lines)]
    else:
        rest = (" " * column + line for line in lines[1:])
        lines = [f"{first:{column}}{lines[0]}", *rest]
    return "\n".join(lines)


def _examples(lines: Iterable[str]) -> str:
    """The examples of a docstring, lines of a command and what it does.

    Every command is given as it has to be typed.
    """
    pairs = [re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines if line]
    commands = [f"skep {pair[0]}" for pair in pairs]
    column = max(map(len, commands)) + 4
    entries = [_entry(c, " ".join(p[1:]), column) for c, p in zip(commands, pairs)]
    return "\n".join(["examples:", *entries])
