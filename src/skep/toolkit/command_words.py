"""What can stand on a command line, for the completion of shells and the manual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skep.authoring.options import Option
from skep.named_tuple import NamedTuple
from skep.remote.hosts import OPTIONS
from skep.toolkit import help
from skep.toolkit.replay import INFO, OUTPUT, shown_options
from skep.toolkit.tool import Tool

COMMANDS = {
    "--host": "a tool on other hosts",
    "list": "the tools, with a line on each",
    "doctor": "what this kernel and these privileges allow",
    "replay": "show what a tool kept with --record",
    "describe": "options, output and probes, as JSON",
    "completion": "completion of command lines",
    "man": "the manual page",
    "help": "this, or the help of a tool",
}
"""The commands that are no tools."""

SHELLS = ("bash", "zsh", "fish")
"""Those that completion has scripts for."""

FILES = "FILES"
"""Stands for the names of files, where what may be given is a list of words."""

FIRST_OPTIONS = {"--help": "show what there is", "--version": "show the version"}
"""Options that stand alone."""


def _flag(name: str, meaning: str) -> Option:
    option = Option([name], None, meaning, None, False, None, False)
    option.type = bool
    return option


_INFO = _flag(INFO, "tell what the recording is of")
_JSON = _flag("--json", "show it as JSON")


class Command(NamedTuple):
    """A tool, or what is called as tools are: its options, and the other arguments that
    it takes, FILES or words; of tools those are not known."""

    name: str
    options: Sequence[Option]
    operands: str = ""


class Words(NamedTuple):
    """What can be completed: tools, and the values of options where they are known."""

    tools: Sequence[Tool]

    @property
    def names(self) -> str:
        """The tools, with spaces between them."""
        return " ".join(tool.name for tool in self.tools)

    @property
    def commands(self) -> Sequence[Command]:
        """The tools, and the other commands, with their options."""
        return [
            *(Command(tool.name, options_of(tool)) for tool in self.tools),
            Command("list", [help.HELP]),
            Command("doctor", [_JSON, help.HELP], self.names),
            Command("replay", replay_options(self.tools), FILES),
            Command("describe", [help.HELP], self.names),
            Command("completion", [help.HELP], " ".join(SHELLS)),
            Command("man", [help.HELP], self.names),
            Command("help", [help.HELP], self.names),
        ]

    @property
    def summaries(self) -> Mapping[str, str]:
        """All first words that are no options, with what they mean."""
        commands = {k: v for k, v in COMMANDS.items() if not k.startswith("-")}
        return {**commands, **self.tool_summaries}

    @property
    def tool_summaries(self) -> Mapping[str, str]:
        """What may follow the options for hosts."""
        return {tool.name: tool.summary for tool in self.tools}


HOST_OPTIONS: Mapping[str, str] = {
    flag: meaning for flag, (_, meaning) in OPTIONS.items()
}
"""Options that stand before a tool for other hosts, with what they mean."""


def options_of(tool: Tool) -> list[Option]:
    """The options of a tool that have flags."""
    return [each for each in help.options_of(tool) if each.flags]


def replay_options(tools: Sequence[Tool]) -> list[Option]:
    """The options that a replay takes, of whatever tool the recording is.

    Letters mean something else in each tool, so only long flags are offered.
    """
    found: dict[str, Option] = {}
    for tool in tools:
        names = shown_options(tool)
        for option in options_of(tool):
            if option.name in OUTPUT or option.name in names:
                for flag in option.flags:
                    if flag.startswith("--") and flag not in found:
                        found[flag] = option.with_flags((flag,))
    return [*found.values(), _INFO, help.HELP]


def takes_path(option: Option) -> bool:
    """Whether the value is the name of a file."""
    return option.metavar in ("PATH", "FILE", "FILES")


def quoted(text: str) -> str:
    """The text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
