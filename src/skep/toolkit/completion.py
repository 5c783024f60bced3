"""`skep completion`: scripts that complete command lines, for bash, zsh and fish.

The scripts have all words in them: completing runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from skep.errors import UsageError
from skep.output.writer import show
from skep.toolkit.command_words import Words
from skep.toolkit.shells import bash, fish, zsh
from skep.toolkit.tool import load, tool_names

USAGE = """usage: skep completion bash|zsh|fish

Print a script for the shell that completes the command lines of skep, and of links to
it that have the names of tools.
"""

_SCRIPTS: Mapping[str, Callable[[Words], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
}


def completion(arguments: Sequence[str]) -> int:
    """Run `skep completion` with these arguments.  Raises UsageError."""
    if {"-h", "--help"} & set(arguments):
        show(USAGE)
        return 0
    if len(arguments) != 1 or arguments[0] not in _SCRIPTS:
        raise UsageError("which shell?", hint="skep completion bash, zsh or fish")
    words = Words([load(name) for name in tool_names(families=True)])
    show(_SCRIPTS[arguments[0]](words))
    return 0
