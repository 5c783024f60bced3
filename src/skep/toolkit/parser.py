"""argparse for a tool, for command lines that are not plain, and for their mistakes."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from skep.authoring.options import Option
from skep.errors import UsageError
from skep.toolkit.tool import Tool


class _Parser(argparse.ArgumentParser):
    """argparse, with skep's own form of errors and help."""

    def __init__(self, tool: Tool) -> None:
        super().__init__(
            prog=f"skep {tool.name}",
            formatter_class=_Formatter,
            allow_abbrev=False,
            # A tool's own options come last and take letters from the shared ones.
            conflict_handler="resolve",
        )
        self._tool = tool

    def error(self, message: str) -> NoReturn:
        hint = f"see '{self.prog} --help'"
        if re.search(r"arguments:.* --host\b", message):
            hint = f"--host stands before the tool: skep --host HOST {self._tool.name}"
        raise UsageError(message, hint=hint)

    def print_help(self, file: object = None) -> None:
        from skep.toolkit.help import show_help

        show_help(self._tool)


class _Formatter(argparse.HelpFormatter):
    """Not for the help: argparse makes one for every option, and to ask the terminal
    for its width it would import shutil at every start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def parser_of(tool: Tool) -> argparse.ArgumentParser:
    """The parser for a tool's command line."""
    parser = _Parser(tool)
    for declared in tool.options.options.values():
        if declared.name not in tool.preset:
            _add(parser, declared)
    return parser


def _add(parser: argparse.ArgumentParser, declared: Option) -> None:
    settings: dict[str, Any] = {"dest": declared.name}
    flags = declared.flags
    if declared.type is bool:
        settings["action"] = "count" if declared.repeat else "store_true"
        settings["default"] = argparse.SUPPRESS
    else:
        settings["default"] = argparse.SUPPRESS
        settings["metavar"] = declared.metavar or declared.name.upper()
        if declared.rest:
            settings["nargs"] = argparse.REMAINDER
        elif not flags:
            settings["nargs"] = "*" if declared.repeat else "?"
        elif declared.repeat:
            settings["action"] = "append"
    if not flags:
        settings.pop("dest")
        parser.add_argument(declared.name, **settings)
    else:
        parser.add_argument(*flags, **settings)
