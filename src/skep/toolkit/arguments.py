"""From the command line to options."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from skep.authoring.options import Option, Options
from skep.authoring.shared_options import FORMATS, STAGES, RunOptions
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
        raise UsageError(message, hint=f"see '{self.prog} --help'")

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


def parse(tool: Tool, arguments: Sequence[str]) -> Options:
    """The options that a command line gives.  Raises UsageError."""
    return bind(tool, values_of(tool, arguments))


def values_of(tool: Tool, arguments: Sequence[str]) -> dict[str, Any]:
    """What a command line says, by the options' names.  Raises UsageError."""
    texts = vars(parser_of(tool).parse_args(arguments))
    return {
        name: _value(tool.options.options[name], text) for name, text in texts.items()
    }


def bind(tool: Tool, values: dict[str, Any]) -> Options:
    """Options with these values, checked.  Raises UsageError."""
    options = tool.options({**tool.preset, **values})
    _check_common(options)
    _check_rows(tool, options)
    options.finish()
    return options


def common_values(tool: Tool, texts: Mapping[str, Any]) -> Options:
    """The options that all tools have, of what stands on a command line; the tool's own
    are left as they are.  For runs elsewhere: what a path or the name of a user means
    is known there.  Raises UsageError."""
    values = {
        name: _value(tool.options.options[name], text)
        for name, text in texts.items()
        if name in RunOptions.options
    }
    options = tool.options({**tool.preset, **values})
    _check_common(options)
    _check_rows(tool, options)
    return options


def _value(declared: Option, given: Any) -> Any:
    """The value of what stands on the command line for one option."""
    if declared.type is bool or declared.rest:
        return given
    try:
        if not declared.repeat:
            return declared.convert(given)
        converted = [declared.convert(text) for text in given]
    except UsageError as error:
        name = "/".join(declared.flags) or declared.name
        message = f"{name}: {error.diagnostic.message}"
        raise UsageError(message, hint=error.diagnostic.hint) from None
    if all(isinstance(each, int) for each in converted):
        combined = 0
        for each in converted:
            combined |= each
        return combined
    return converted


def _check_common(options: Any) -> None:
    """The options that all tools have."""
    _check_choice(options, "format", FORMATS)
    _check_choice(options, "dump", STAGES)
    if options.json:
        if options.format not in (None, "json"):
            raise UsageError(f"--json and --format {options.format} exclude each other")
        options.format = "json"
    options.format = options.format or "table"
    for name in ("duration", "count", "limit"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise UsageError(f"--{name}: {value:g} is not more than zero")
    for name in ("columns", "sort"):
        if getattr(options, name) == "":
            raise UsageError(f"--{name}: no column is named")


def _check_rows(tool: Tool, options: Any) -> None:
    """The options about rows: a tool that makes histograms has none."""
    if tool.streams or tool.tables or tool.hook("declare") or tool.hook("listing"):
        return
    for name in ("columns", "sort", "limit"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"--{name} is about rows, and {tool.name} shows histograms"
            )


def _check_choice(options: Any, name: str, choices: Sequence[str]) -> None:
    value = getattr(options, name)
    if value is not None and value not in choices:
        raise UsageError(f"--{name}: '{value}' is not one of {', '.join(choices)}")
