"""The completion of zsh."""

from __future__ import annotations

from collections.abc import Mapping

from skep.authoring.options import Option
from skep.toolkit.command_words import (
    FILES,
    FIRST_OPTIONS,
    HOST_OPTIONS,
    Command,
    Words,
    quoted,
    takes_path,
)
from skep.toolkit.describe import choices_of


def script(words: Words) -> str:
    """What zsh is to read."""
    return _SCRIPT.format(
        names=words.names,
        host_options=_described(HOST_OPTIONS),
        first_options=_described(FIRST_OPTIONS),
        tools=_described(words.tool_summaries),
        commands=_described(words.summaries),
        cases="\n".join(map(_case, words.commands)),
    )


def _described(words: Mapping[str, str]) -> str:
    """Words with what they mean, as elements of an array for _describe."""
    return "\n".join(
        f"            {quoted(f'{word}:{meaning}')}" for word, meaning in words.items()
    )


def _case(command: Command) -> str:
    specs = [spec for option in command.options for spec in _specs(option)]
    if command.operands:
        is_files = command.operands == FILES
        action = "_files" if is_files else f"({command.operands})"
        specs.append(f"*:argument:{action}")
    lines = "".join(f" \\\n                {quoted(spec)}" for spec in specs)
    return f"        {command.name})\n            _arguments -s{lines} ;;"


def _specs(option: Option) -> list[str]:
    """The arguments of _arguments for each form of an option."""
    meaning = _escaped(option.help, "[]:\\")
    others = "" if option.repeat else f"({' '.join(option.flags)})"
    many = "*" if option.repeat else ""
    if option.type is bool:
        value = ""
    elif option.rest:
        value, others = ":*::command:_normal", "(- *)"
    else:
        choices = " ".join(choices_of(option))
        action = "_files" if takes_path(option) else f"({choices})" if choices else " "
        value = f":{_escaped(_name(option), ':')}:{action}"
    equals = "=" if value and not option.rest else ""
    return [
        f"{others}{many}{flag}{equals if flag.startswith('--') else ''}"
        f"[{meaning}]{value}"
        for flag in option.flags
    ]


def _name(option: Option) -> str:
    return (option.metavar or option.name).lower()


def _escaped(text: str, characters: str) -> str:
    return "".join(f"\\{c}" if c in characters else c for c in text)


_SCRIPT = """\
#compdef skep skep.pyz {names}
# zsh completion of skep; made by "skep completion zsh"

_skep_command() {{
    case $1 in
{cases}
        *) _files ;;
    esac
}}

_skep() {{
    local name=${{words[1]:t}} hosts=0
    if [[ " {names} " == *" $name "* ]]; then
        _skep_command $name
        return
    fi
    while [[ CURRENT -gt 2 && $words[2] == (--host|--ssh|--no-cache)(|=*) ]]; do
        hosts=1
        if [[ $words[2] == --(host|ssh) ]]; then
            if (( CURRENT == 3 )); then
                [[ $words[2] == --host ]] && _hosts
                return
            fi
            shift words
            (( CURRENT-- ))
        fi
        shift words
        (( CURRENT-- ))
    done
    if (( CURRENT == 2 )); then
        local -a tools options
        options=(
{host_options}
        )
        (( hosts )) || options+=(
{first_options}
        )
        (( hosts )) && tools=(
{tools}
        ) || tools=(
{commands}
        )
        _describe command tools
        [[ $PREFIX == -* ]] && _describe -o option options
        return
    fi
    shift words
    (( CURRENT-- ))
    _skep_command $words[1]
}}

if [[ $funcstack[1] == _skep ]]; then
    _skep "$@"
else
    compdef _skep skep skep.pyz {names}
fi
"""
