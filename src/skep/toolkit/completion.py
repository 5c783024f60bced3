"""`skep completion`: scripts that complete command lines, for bash, zsh and fish.

The scripts have all words in them: completing runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from skep.authoring.options import Option
from skep.errors import UsageError
from skep.named_tuple import NamedTuple
from skep.output.writer import show
from skep.remote.hosts import OPTIONS
from skep.toolkit import help
from skep.toolkit.describe import choices_of
from skep.toolkit.replay import INFO, OUTPUT, shown_options
from skep.toolkit.tool import Tool, load, tool_names

USAGE = """usage: skep completion bash|zsh|fish

Print a script for the shell that completes the command lines of skep, and of links to
it that have the names of tools.
"""

COMMANDS = {
    "--host": "a tool on other hosts",
    "list": "the tools, with a line on each",
    "doctor": "what this kernel and these privileges allow",
    "replay": "show what a tool kept with --record",
    "describe": "options, output and probes, as JSON",
    "completion": "completion of command lines",
    "man": "the manual page",
    "help": "this, or the help of a tool",
}
"""The commands that are no tools."""

WITH_TOOLS = ("doctor", "describe", "help", "man")
"""Commands whose arguments are names of tools."""

SHELLS = ("bash", "zsh", "fish")

_INFO = Option([INFO], None, "tell what the recording is of", None, False, None, False)
_INFO.type = bool


class Command(NamedTuple):
    """A tool, or what has options as tools have: those with flags."""

    name: str
    options: Sequence[Option]


class Words(NamedTuple):
    """What can be completed: tools, and the values of options where they are known."""

    tools: Sequence[Tool]

    @property
    def commands(self) -> Sequence[Command]:
        """The tools and `replay`, with their options."""
        tools = [Command(tool.name, options_of(tool)) for tool in self.tools]
        return [*tools, Command("replay", replay_options(self.tools))]

    @property
    def summaries(self) -> Mapping[str, str]:
        """All first words with what they mean."""
        return {**COMMANDS, **{tool.name: tool.summary for tool in self.tools}}


def completion(arguments: Sequence[str]) -> int:
    """Run `skep completion` with these arguments.  Raises UsageError."""
    if {"-h", "--help"} & set(arguments):
        show(USAGE)
        return 0
    if len(arguments) != 1 or arguments[0] not in SHELLS:
        raise UsageError("which shell?", hint="skep completion bash, zsh or fish")
    words = Words([load(name) for name in tool_names(families=True)])
    show(_SCRIPTS[arguments[0]](words))
    return 0


def options_of(tool: Tool) -> list[Option]:
    """The options of a tool that have flags."""
    return [each for each in help.options_of(tool) if each.flags]


def replay_options(tools: Sequence[Tool]) -> list[Option]:
    """The options that a replay takes, of whatever tool the recording is.

    Letters mean something else in each tool, so only long flags are offered.
    """
    found: dict[str, Option] = {}
    for tool in tools:
        names = shown_options(tool)
        for option in options_of(tool):
            if option.name in OUTPUT or option.name in names:
                for flag in option.flags:
                    if flag.startswith("--") and flag not in found:
                        found[flag] = option.with_flags((flag,))
    return [*found.values(), _INFO, help.HELP]


def takes_path(option: Option) -> bool:
    """Whether the value is the name of a file."""
    return option.metavar in ("PATH", "FILE", "FILES")


def _bash(words: Words) -> str:
    return _BASH.format(
        commands=" ".join(words.summaries),
        names=" ".join(tool.name for tool in words.tools),
        flags="\n".join(map(_bash_flags, words.commands)),
        values="\n".join(line for c in words.commands for line in _bash_values(c)),
        rest=" ".join(f"{c.name}:{f}" for c in words.commands for f in _rest_flags(c)),
        with_tools="|".join(WITH_TOOLS),
        shells=" ".join(SHELLS),
    )


def _rest_flags(command: Command) -> list[str]:
    return [flag for each in command.options if each.rest for flag in each.flags]


def _bash_flags(command: Command) -> str:
    flags = [flag for option in command.options for flag in option.flags]
    return f"        {command.name}) words='{' '.join(flags)}' ;;"


def _bash_values(command: Command) -> list[str]:
    """What may follow each option that has a value."""
    lines = []
    for option in command.options:
        if option.type is bool or option.rest:
            continue
        pattern = "|".join(f"{command.name}:{flag}" for flag in option.flags)
        action = f"words='{' '.join(choices_of(option))}'"
        if takes_path(option):
            action = "files=1"
        lines.append(f"        {pattern}) {action}; return 0 ;;")
    return lines


# Values that are not known complete to nothing.  After --exec comes another command.
_BASH = """\
# bash completion of skep; made by "skep completion bash"

_skep_flags() {{
    case $1 in
{flags}
        *) words= ;;
    esac
}}

_skep_value() {{
    case $1:$2 in
{values}
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
                words='{commands} --help --version'
                ((first > 1)) && words='{names} --host --no-cache --ssh'
                COMPREPLY=($(compgen -W "$words" -- "$cur"))
                return
            fi
            tool=${{COMP_WORDS[first]}}
            ((first += 1)) ;;
    esac
    case $tool in
        {with_tools}) words='{names}' ;;
        completion) words='{shells}' ;;
        *)
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
                _skep_flags "$tool"
                [[ $tool == replay && $cur != -* ]] && files=1
            fi ;;
    esac
    if [[ $files ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
    fi
}}

complete -o filenames -F _skep skep skep.pyz ./skep ./skep.pyz {names}
"""


def _zsh(words: Words) -> str:
    return _ZSH.format(
        names=" ".join(tool.name for tool in words.tools),
        commands="\n".join(
            f"        {_quoted(f'{name}:{summary}')}"
            for name, summary in words.summaries.items()
        ),
        tools="\n".join(map(_zsh_command, words.commands)),
        with_tools="|".join(WITH_TOOLS),
        shells=" ".join(SHELLS),
    )


def _zsh_command(command: Command) -> str:
    specs = [spec for option in command.options for spec in _zsh_specs(option)]
    if command.name == "replay":
        specs.append("1:recording:_files")
    lines = "".join(f" \\\n                {_quoted(spec)}" for spec in specs)
    return f"        {command.name})\n            _arguments -s{lines} ;;"


def _zsh_specs(option: Option) -> list[str]:
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


def _quoted(text: str) -> str:
    """The text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


_ZSH = """\
#compdef skep skep.pyz {names}
# zsh completion of skep; made by "skep completion zsh"

_skep_tool() {{
    case $1 in
{tools}
        *) _files ;;
    esac
}}

_skep() {{
    local name=${{words[1]:t}}
    if [[ " {names} " == *" $name "* ]]; then
        _skep_tool $name
        return
    fi
    while [[ CURRENT -gt 2 && $words[2] == (--host|--ssh|--no-cache)(|=*) ]]; do
        if [[ $words[2] == --(host|ssh) ]]; then
            if (( CURRENT == 3 )); then
                _hosts
                return
            fi
            shift words
            (( CURRENT-- ))
        fi
        shift words
        (( CURRENT-- ))
    done
    if (( CURRENT == 2 )); then
        local -a commands
        commands=(
{commands}
        )
        _describe command commands
        return
    fi
    shift words
    (( CURRENT-- ))
    case $words[1] in
        {with_tools}) compadd -- {names} ;;
        completion) compadd -- {shells} ;;
        *) _skep_tool $words[1] ;;
    esac
}}

if [[ $funcstack[1] == _skep ]]; then
    _skep "$@"
else
    compdef _skep skep skep.pyz {names}
fi
"""


def _fish(words: Words) -> str:
    tools = [tool.name for tool in words.tools]
    lines = ['# fish completion of skep; made by "skep completion fish"', ""]
    lines += ["complete -c skep -f", "complete -c skep.pyz -w skep"]
    for flag, (value, meaning) in OPTIONS.items():
        action = " -x" if value else ""
        if flag == "--host":
            action += " -a '(__fish_print_hostnames)'"
        lines.append(
            f"complete -c skep -n __fish_use_subcommand -l {flag[2:]}{action}"
            f" -d {_quoted(meaning)}"
        )
    lines += [
        f"complete -c skep -n __fish_use_subcommand -a {name} -d {_quoted(summary)}"
        for name, summary in words.summaries.items()
        if not name.startswith("-")
    ]
    after = "__fish_seen_subcommand_from"
    lines += [
        f"complete -c skep -n '{after} {command}' -a {_quoted(' '.join(tools))}"
        for command in WITH_TOOLS
    ]
    lines.append(f"complete -c skep -n '{after} completion' -a '{' '.join(SHELLS)}'")
    lines.append(f"complete -c skep -n '{after} replay' -F")
    for command in words.commands:
        names = [command.name] if command.name in tools else []
        lines += ["", *(f"complete -c {name} -f" for name in names)]
        for option in command.options:
            form = _fish_option(option)
            lines += [f"complete -c {name} {form}" for name in names]
            lines.append(f"complete -c skep -n '{after} {command.name}' {form}")
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
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
        forms += [f"-a {_quoted(choices)}"] if choices else []
    return f"{' '.join(forms)} -d {_quoted(option.help)}"


_SCRIPTS: Mapping[str, Callable[[Words], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
