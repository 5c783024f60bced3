"""The completion of fish."""

from __future__ import annotations

from collections.abc import Iterator

from skep.authoring.options import Option
from skep.remote.hosts import OPTIONS
from skep.toolkit.command_words import (
    FILES,
    FIRST_OPTIONS,
    Command,
    Words,
    quoted,
    takes_path,
)
from skep.toolkit.describe import choices_of


def script(words: Words) -> str:
    """What fish is to read."""
    rest = [
        flag for c in words.commands for o in c.options if o.rest for flag in o.flags
    ]
    functions = _FUNCTIONS.format(names=words.names, rest=" ".join(sorted({*rest})))
    lines = [functions, "complete -c skep.pyz -w skep"]
    lines += [f"complete -c {name} -f" for name in ("skep", *words.tool_summaries)]
    lines += _first(words)
    for command in words.commands:
        lines += ["", *_of_command(command, "skep")]
        if command.name in words.tool_summaries:
            lines += _of_command(command, command.name)
    return "\n".join(lines) + "\n"


def _first(words: Words) -> Iterator[str]:
    """What may stand before a tool, and instead of one."""
    for flag, (value, meaning) in OPTIONS.items():
        action = " -x" if value else ""
        if flag == "--host":
            action += " -a '(__fish_print_hostnames)'"
        form = f"-l {flag[2:]}{action} -d {quoted(meaning)}"
        yield f"complete -c skep -n __skep_at {form}"
    for flag, meaning in FIRST_OPTIONS.items():
        yield f"complete -c skep -n __skep_alone -l {flag[2:]} -d {quoted(meaning)}"
    for name, summary in words.summaries.items():
        where = "__skep_at" if name in words.tool_summaries else "__skep_alone"
        yield f"complete -c skep -n {where} -a {name} -d {quoted(summary)}"


def _of_command(command: Command, program: str) -> Iterator[str]:
    """What may follow a command, of `skep` or of a link with its name."""
    start = f"complete -c {program} -n '__skep_at {command.name}'"
    if command.operands == FILES:
        yield f"{start} -F"
    elif command.operands:
        yield f"{start} -a {quoted(command.operands)}"
    for option in command.options:
        yield f"{start} {_form(option)}"
        if option.rest:
            yield f"complete -c {program} -n '__skep_in_rest {command.name}' -F"


def _form(option: Option) -> str:
    """An option as arguments of fish's `complete`."""
    forms = [
        f"-s {flag[1:]}" if len(flag) == 2 else f"-l {flag[2:]}"
        for flag in option.flags
    ]
    if option.rest:
        forms.append("-x -a '(__fish_complete_command)'")
    elif option.type is not bool:
        choices = " ".join(choices_of(option))
        forms.append("-r -F" if takes_path(option) else "-x")
        forms += [f"-a {quoted(choices)}"] if choices else []
    return f"{' '.join(forms)} -d {quoted(option.help)}"


# fish has no word for "the first argument that is no option of skep itself".
_FUNCTIONS = """\
# fish completion of skep; made by "skep completion fish"

function __skep_words -d 'The words before the cursor, from the command on'
    set -l words (commandline -opc)
    set words[1] (string replace -r '.*/' '' -- $words[1])
    if not contains -- $words[1] {names}
        set -e words[1]
        while set -q words[1]
            switch $words[1]
                case --host --ssh
                    set -e words[1]
                case '--host=*' '--ssh=*' --no-cache
                case '*'
                    break
            end
            set -e words[1]
        end
    end
    string join \\n -- $words
end

function __skep_rest -d 'Whether words have begun that are of another command'
    for word in $argv
        contains -- $word {rest}; and return 0
    end
    return 1
end

function __skep_at -d 'Whether this is the command, or there is none yet'
    set -l words (__skep_words)
    test "$words[1]" = "$argv[1]"; and not __skep_rest $words
end

function __skep_in_rest -d 'Whether this is the command, and another follows'
    set -l words (__skep_words)
    test "$words[1]" = "$argv[1]"; and __skep_rest $words
end

function __skep_alone -d 'Whether there are no words yet'
    test (count (commandline -opc)) = 1; and __skep_at
end
"""
