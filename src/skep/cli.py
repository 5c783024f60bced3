"""The command line: `skep TOOL …`, `skep list`, `skep doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Callable

from skep.errors import MACHINE_ERRORS, SkepError, UsageError, refusal
from skep.standard_error import tell

USAGE = """usage: skep TOOL [options]     trace something; 'skep TOOL --help' tells more
       skep list               the tools, with a line on each
       skep --host H,.. TOOL   the same on other hosts, by ssh; 'skep --host --help'
       skep doctor [TOOL ...]  what this kernel and these privileges allow
       skep replay FILE ...    show what a tool kept with --record FILE
       skep describe [TOOL ..] the same for programs: options, output, probes (JSON)
       skep completion SHELL   completion of command lines: bash, zsh or fish
       skep man [TOOL]         the manual page, for man(1)
       skep help [TOOL]        this, or the help of a tool
       skep --version
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run skep with these arguments; returns the exit status."""
    try:
        _check_standard_files()
        return _dispatch(_command_line() if arguments is None else arguments)
    except SkepError as error:
        tell(f"skep: {error}\n")
        return error.exit_status
    except MACHINE_ERRORS as error:
        tell(f"skep: {refusal(error)}\n")
        return SkepError.exit_status
    except KeyboardInterrupt:
        return 130


def _check_standard_files() -> None:
    """Refuse to run without a standard output.

    The next file to be opened, a BPF map for example, would take its place and get the
    rows.  Python knows at start which of the three are closed.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while os.open(os.devnull, os.O_RDWR) < 2:
        pass
    if sys.stdout is None:
        raise SkepError("cannot write the output: standard output is closed")


def _command_line() -> list[str]:
    """What was typed; a link to skep with the name of a tool stands for the tool."""
    name = os.path.basename(sys.argv[0])
    if name.isidentifier() and not name.startswith("skep"):
        from skep.toolkit.tool import load

        try:
            return [load(name).name, *sys.argv[1:]]
        except UsageError:
            pass  # another name for skep itself
    return sys.argv[1:]


def _dispatch(words: Sequence[str]) -> int:
    if not words:
        tell(USAGE)
        return UsageError.exit_status
    name, rest = words[0], words[1:]
    command = _COMMANDS.get(name)
    if command is not None:
        return command(rest)
    if name.startswith("--"):
        from skep.remote import hosts

        if name.partition("=")[0] in hosts.OPTIONS:
            from skep.remote.command import run_on_hosts

            return run_on_hosts(words)
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
    from skep.output.writer import show
    from skep.toolkit.tool import load, tool_names

    if {"-h", "--help"} & set(arguments):
        return _help(())
    _expect_none("list", arguments)
    tools = [load(name) for name in tool_names(families=True)]
    width = max(len(tool.name) for tool in tools)
    show("".join(f"{tool.name:{width}}  {tool.summary}\n" for tool in tools))
    return 0


def _doctor(arguments: Sequence[str]) -> int:
    from skep.toolkit.doctor import examine

    return examine(arguments)


def _replay(arguments: Sequence[str]) -> int:
    from skep.toolkit.replay import replay

    return replay(arguments)


def _describe(arguments: Sequence[str]) -> int:
    from skep.toolkit.describe import describe

    return describe(arguments)


def _completion(arguments: Sequence[str]) -> int:
    from skep.toolkit.completion import completion

    return completion(arguments)


def _man(arguments: Sequence[str]) -> int:
    from skep.toolkit.man import man

    return man(arguments)


def _serve(arguments: Sequence[str]) -> int:
    from skep.remote.serve import serve  # what "--host" runs at the other end

    return serve(arguments)


def _help(arguments: Sequence[str]) -> int:
    from skep.output.writer import show
    from skep.toolkit.help import help_text
    from skep.toolkit.tool import load

    if {"-h", "--help"} & set(arguments):
        arguments = ()
    _expect_none("help", arguments[1:])
    show(help_text(load(arguments[0])) if arguments else USAGE)
    return 0


def _version(arguments: Sequence[str]) -> int:
    from skep import __version__
    from skep.output.writer import show

    _expect_none("--version", arguments)
    show(f"skep {__version__}\n")
    return 0


def _expect_none(command: str, arguments: Sequence[str]) -> None:
    if arguments:
        raise UsageError(f"'{command}' takes no argument '{arguments[0]}'")


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "doctor": _doctor,
    "replay": _replay,
    "describe": _describe,
    "completion": _completion,
    "man": _man,
    "serve": _serve,
    "help": _help,
    "-h": _help,
    "--help": _help,
    "--version": _version,
}
