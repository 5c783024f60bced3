"""The command line: `skep TOOL …`, `skep list`, `skep doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Callable

from skep.errors import SkepError, UsageError

USAGE = """usage: skep TOOL [options]     trace something; 'skep TOOL --help' tells more
       skep list               the tools, with a line on each
       skep doctor [TOOL ...]  what this kernel and these privileges allow
       skep --version
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run skep with these arguments; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except SkepError as error:
        _complain(error)
        return error.exit_status
    except BrokenPipeError:
        # The reader of our output has gone; so do we.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 130


def _dispatch(words: list[str]) -> int:
    if not words:
        sys.stderr.write(USAGE)
        return UsageError.exit_status
    name, rest = words[0], words[1:]
    if name in ("-h", "--help", "help"):
        sys.stdout.write(USAGE)
        return 0
    command = _COMMANDS.get(name)
    if command is not None:
        return command(rest)
    if name.startswith("-"):
        raise UsageError(f"there is no option '{name}'", hint="see 'skep --help'")
    return _tool(name, rest)


def _tool(name: str, arguments: Sequence[str]) -> int:
    from skep.toolkit.arguments import parse
    from skep.toolkit.tool import load

    tool = load(name)
    options = parse(tool, arguments)
    from skep.toolkit.run import run

    return run(tool, options)


def _list(arguments: Sequence[str]) -> int:
    from skep.toolkit.tool import load, tool_names

    tools = [load(name) for name in tool_names()]
    width = max(len(tool.name) for tool in tools)
    for tool in tools:
        sys.stdout.write(f"{tool.name:{width}}  {tool.summary}\n")
    return 0


def _doctor(arguments: Sequence[str]) -> int:
    from skep.toolkit.doctor import examine

    return examine(arguments)


def _version(arguments: Sequence[str]) -> int:
    from skep import __version__

    sys.stdout.write(f"skep {__version__}\n")
    return 0


def _complain(error: SkepError) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"skep: {error}\n")


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "doctor": _doctor,
    "--version": _version,
}
