"""The completion of bash."""

from __future__ import annotations

from skep.toolkit.command_words import (
    FILES,
    FIRST_OPTIONS,
    HOST_OPTIONS,
    Command,
    Words,
    takes_path,
)
from skep.toolkit.describe import choices_of


def script(words: Words) -> str:
    """What bash is to read."""
    commands = words.commands
    return _SCRIPT.format(
        commands=" ".join(words.summaries),
        names=words.names,
        host_options=" ".join(HOST_OPTIONS),
        first_options=" ".join(FIRST_OPTIONS),
        flags="\n".join(map(_flags, commands)),
        values="\n".join(line for each in commands for line in _values(each)),
        operands="\n".join(_operands(each) for each in commands if each.operands),
        rest=" ".join(f"{c.name}:{flag}" for c in commands for flag in _rest_flags(c)),
    )


def _rest_flags(command: Command) -> list[str]:
    return [flag for each in command.options if each.rest for flag in each.flags]


def _flags(command: Command) -> str:
    flags = [flag for option in command.options for flag in option.flags]
    return f"        {command.name}) words='{' '.join(flags)}' ;;"


def _values(command: Command) -> list[str]:
    """What may follow each option that has a value."""
    lines = []
    for option in command.options:
        if option.type is bool or option.rest:
            continue
        pattern = "|".join(f"{command.name}:{flag}" for flag in option.flags)
        choices = FILES if takes_path(option) else " ".join(choices_of(option))
        lines.append(f"        {pattern}) {_offer(choices)}")
    return lines


def _operands(command: Command) -> str:
    return f"        {command.name}) {_offer(command.operands)}"


def _offer(choices: str) -> str:
    action = "files=1" if choices == FILES else f"words='{choices}'"
    return f"{action}; return 0 ;;"


# Values that are not known complete to nothing.  After --exec comes another command.
_SCRIPT = """\
# bash completion of skep; made by "skep completion bash"

_skep_flags() {{
    case $1 in
{flags}
    esac
}}

_skep_value() {{
    case $1:$2 in
{values}
    esac
    return 1
}}

_skep_operands() {{
    case $1 in
{operands}
    esac
    return 1
}}

_skep() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} first=1 tool=${{COMP_WORDS[0]##*/}}
    local before=${{COMP_WORDS[COMP_CWORD - 1]}} words= files= i
    # Bash makes words of --format=json: --format, = and json.
    [[ $before == "=" ]] && before=${{COMP_WORDS[COMP_CWORD - 2]}}
    [[ $cur == "=" ]] && cur=
    COMPREPLY=()
    case " {names} " in
        *" $tool "*) ;;
        *)
            while ((first < COMP_CWORD)); do
                case ${{COMP_WORDS[first]}} in
                    --host|--ssh) ((first += 2)) ;;
                    --no-cache) ((first += 1)) ;;
                    *) break ;;
                esac
                [[ ${{COMP_WORDS[first - 1]}} == "=" ]] && ((first += 1))
            done
            if ((COMP_CWORD < first)); then
                [[ $before == --host ]] &&
                    COMPREPLY=($(compgen -A hostname -- "$cur"))
                return
            elif ((COMP_CWORD == first)); then
                words='{commands} {host_options} {first_options}'
                ((first > 1)) && words='{names} {host_options}'
                COMPREPLY=($(compgen -W "$words" -- "$cur"))
                return
            fi
            tool=${{COMP_WORDS[first]}}
            ((first += 1)) ;;
    esac
    for ((i = first; i < COMP_CWORD; i++)); do
        case " {rest} " in
            *" $tool:${{COMP_WORDS[i]}} "*)
                if ((i + 1 == COMP_CWORD)); then
                    COMPREPLY=($(compgen -c -- "$cur"))
                else
                    COMPREPLY=($(compgen -f -- "$cur"))
                fi
                return ;;
        esac
    done
    if ((COMP_CWORD == first)) || ! _skep_value "$tool" "$before"; then
        [[ $cur != -* ]] && _skep_operands "$tool" || _skep_flags "$tool"
    fi
    if [[ $files ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
    fi
}}

complete -o filenames -F _skep skep skep.pyz ./skep ./skep.pyz {names}
"""
