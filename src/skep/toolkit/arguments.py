"""From the command line to options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.authoring.options import Option, Options
from skep.authoring.shared_options import FORMATS, STAGES, RunOptions
from skep.errors import UsageError
from skep.toolkit.plain_words import plain_words
from skep.toolkit.tool import Tool


def parse(tool: Tool, arguments: Sequence[str]) -> Options:
    """The options that a command line gives.  Raises UsageError."""
    return bind(tool, values_of(tool, arguments))


def values_of(tool: Tool, arguments: Sequence[str]) -> dict[str, Any]:
    """What a command line says, by the options' names.  Raises UsageError."""
    declared = tool.options.options
    texts = plain_words(
        (each for each in declared.values() if each.name not in tool.preset), arguments
    )
    if texts is None:
        from skep.toolkit.parser import parser_of

        texts = vars(parser_of(tool).parse_args(arguments))
    return {name: _value(declared[name], text) for name, text in texts.items()}


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
