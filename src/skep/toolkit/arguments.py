"""From the command line to options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from skep.authoring.options import Option, Options
from skep.errors import UsageError
from skep.toolkit.tool import Tool

FORMATS = ("table", "json", "csv")
STAGES = ("tree", "ir", "asm", "spec", "log")


class _Parser(argparse.ArgumentParser):
    """argparse, with skep's own form of errors."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see '{self.prog} --help'")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help for 80 columns: to ask the terminal, argparse would import shutil at every
    start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def parser_of(tool: Tool) -> argparse.ArgumentParser:
    """The parser for a tool's command line; its help is the tool's documentation."""
    description, _, examples = tool.doc.strip().partition("Examples:\n")
    parser = _Parser(
        prog=f"skep {tool.name}",
        description=description,
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    for declared in tool.options.options.values():
        _add(parser, declared)
    return parser


def _add(parser: argparse.ArgumentParser, declared: Option) -> None:
    settings: dict[str, Any] = {"dest": declared.name, "help": declared.help}
    flags = declared.flags
    if declared.type is bool:
        settings["action"] = "store_true"
        settings["default"] = argparse.SUPPRESS
    else:
        settings["default"] = argparse.SUPPRESS
        settings["metavar"] = declared.metavar or declared.name.upper()
        if declared.repeat:
            settings["action"] = "append"
        if declared.rest:
            settings["nargs"] = argparse.REMAINDER
        elif not flags:
            settings["nargs"] = "?"
    if not flags:
        settings.pop("dest")
        parser.add_argument(declared.name, **settings)
    else:
        parser.add_argument(*flags, **settings)


def parse(tool: Tool, arguments: Sequence[str]) -> Options:
    """The options that a command line gives.  Raises UsageError."""
    namespace = parser_of(tool).parse_args(arguments)
    texts = vars(namespace)
    values = {
        name: _value(tool.options.options[name], text) for name, text in texts.items()
    }
    return bind(tool, values)


def bind(tool: Tool, values: dict[str, Any]) -> Options:
    """Options with these values, checked.  Raises UsageError."""
    options = tool.options(values)
    _check_common(options)
    _check_rows(tool, options)
    options.finish()
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
    if options.json:
        if options.format not in (None, "json"):
            raise UsageError(f"--json and --format {options.format} exclude each other")
        options.format = "json"
    options.format = options.format or "table"
    if options.format not in FORMATS:
        raise UsageError(
            f"--format: '{options.format}' is not one of {', '.join(FORMATS)}"
        )
    if options.dump is not None and options.dump not in STAGES:
        raise UsageError(f"--dump: '{options.dump}' is not one of {', '.join(STAGES)}")
    for name in ("duration", "limit"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise UsageError(f"--{name}: {value:g} is not more than zero")


def _check_rows(tool: Tool, options: Any) -> None:
    """The options about rows: a tool that makes histograms has none."""
    if tool.streams:
        return
    for name in ("columns", "sort", "limit"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"--{name} is about rows, and {tool.name} shows histograms"
            )
