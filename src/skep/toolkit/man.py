"""`skep man`: manual pages of section 8, from what `--help` is made of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from skep.authoring.options import Option
from skep.errors import UsageError
from skep.output.writer import show
from skep.remote.hosts import OPTIONS
from skep.toolkit.aliases import ALIASES
from skep.toolkit.command_words import COMMANDS
from skep.toolkit.help import grouped, options_of, value_of
from skep.toolkit.tool import Tool, load, tool_names

USAGE = """usage: skep man [TOOL]

Print the manual page of skep or of a tool, as man(1) reads it:

    skep man opensnoop | man -l -
"""

_DATE = "November 24, 2026"
"""That of this version: its pages are the same whenever they are made."""

_STATUS = (
    ("0", "The tool ran to its end."),
    ("1", "It could not run."),
    ("2", "The command line asks for something impossible."),
)

_ABOUT = """\
skep traces the running kernel and the programs on it.  Its tools are compiled to BPF
programs where they run; they need nothing but Python and a kernel with BTF.

A link to skep that has the name of a tool runs that tool.
"""


_ON_HOSTS = """\
Behind these options a tool runs on other hosts, by ssh(1) and there as root or by sudo.
What all of them report is shown here.
"""


def man(arguments: Sequence[str]) -> int:
    """Run `skep man` with these arguments; the exit status.  Raises UsageError."""
    if {"-h", "--help"} & set(arguments):
        show(USAGE)
        return 0
    if len(arguments) > 1:
        raise UsageError(f"'man' takes no argument '{arguments[1]}'")
    name = arguments[0] if arguments else "skep"
    show(overview() if name == "skep" else tool_page(load(name)))
    return 0


def tool_page(tool: Tool) -> str:
    """The page of a tool, in the language of mdoc(7)."""
    description, _, examples = tool.doc.strip().partition("Examples:\n")
    # The first paragraph is what NAME says.
    _, _, details = description.strip().partition("\n\n")
    options = options_of(tool)
    lines = [*_head(tool.name, tool.summary), ".Sh SYNOPSIS", ".Nm", ".Op Ar options"]
    lines += [f".Op Ar {_word(value_of(o))}" for o in options if not o.flags]
    lines += [".Sh DESCRIPTION", *_paragraphs(details or f"{tool.summary}.")]
    lines += [".Pp", f"Run it as root: skep {_word(tool.name)}."]
    for heading, group in grouped(options).items():
        lines += [f".Ss {heading.capitalize()}", ".Bl -tag -width Ds"]
        for option in group:
            lines += [f".It {_form(option)}", *_sentence(option.help)]
        lines.append(".El")
    lines += _statuses()
    if examples:
        lines += [".Sh EXAMPLES", *_examples(examples.splitlines())]
    family = ALIASES[tool.name].tool if tool.name in ALIASES else None
    also = ["skep", *([family] if family else [])]
    return "\n".join([*lines, *_see_also(also)]) + "\n"


def overview() -> str:
    """The page of skep itself."""
    tools = [load(name) for name in tool_names(families=True)]
    lines = [*_head("skep", "trace the kernel and programs with BPF")]
    lines += [".Sh SYNOPSIS", ".Nm", ".Ar tool", ".Op Ar options"]
    for command in COMMANDS:
        lines += [".Nm", f".Cm {command}", ".Op Ar argument ..."]
    lines += [".Sh DESCRIPTION", *_paragraphs(_ABOUT), ".Ss Tools"]
    lines += _list((f".Xr {tool.name} 8", tool.summary) for tool in tools)
    lines += [".Ss Commands"]
    lines += _list((f".Cm {name}", meaning) for name, meaning in COMMANDS.items())
    lines += [".Ss Other hosts", *_paragraphs(_ON_HOSTS)]
    lines += _list(
        (f".Fl {name[1:]}" + (f" Ar {_word(value)}" if value else ""), text)
        for name, (value, text) in OPTIONS.items()
    )
    lines += _statuses()
    return "\n".join([*lines, *_see_also([tool.name for tool in tools])]) + "\n"


def _head(name: str, summary: str) -> list[str]:
    meaning = summary[:1].lower() + summary[1:]
    return [
        f".Dd {_DATE}",
        f".Dt {name.upper()} 8",
        ".Os",
        ".Sh NAME",
        f".Nm {name}",
        f".Nd {_text(meaning)}",
    ]


def _list(entries: Iterable[tuple[str, str]]) -> list[str]:
    lines = [".Bl -tag -width Ds"]
    for macro, meaning in entries:
        lines += [f".It {macro[1:]}", *_sentence(meaning)]
    return [*lines, ".El"]


def _statuses() -> list[str]:
    lines = [".Sh EXIT STATUS", ".Bl -tag -width Ds"]
    for number, meaning in _STATUS:
        lines += [f".It {number}", meaning]
    return [*lines, ".El"]


def _see_also(names: Sequence[str]) -> list[str]:
    ends = [" ,"] * (len(names) - 1) + [""]
    return [".Sh SEE ALSO", *(f".Xr {n} 8{end}" for n, end in zip(sorted(names), ends))]


def _form(option: Option) -> str:
    """How an option is written, in macros."""
    if not option.flags:
        return f"Ar {_word(value_of(option))}"
    value = "" if option.type is bool else f" Ar {_word(value_of(option))}"
    return " , ".join(f"Fl {_word(flag[1:])}{value}" for flag in option.flags)


def _sentence(text: str) -> list[str]:
    """A meaning as a sentence of its own."""
    whole = text[:1].upper() + text[1:]
    return _lines(whole if whole.endswith(".") else f"{whole}.")


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        # Every sentence is a line, as mdoc(7) wants it.
        sentences = re.split(r"(?<=[.:])\s+(?=[A-Z])", " ".join(paragraph.split()))
        lines += [".Pp"] * bool(lines)
        lines += [line for sentence in sentences for line in _lines(sentence)]
    return lines


def _examples(lines: Iterable[str]) -> list[str]:
    """What each command does, and the command."""
    found: list[str] = []
    for line in filter(None, lines):
        command, *meaning = re.split(r" {2,}", line.strip(), maxsplit=1)
        if meaning:
            found += [".Pp", *_sentence(meaning[0])]
        found.append(f".Dl # skep {_word(command)}")
    return found[1:] if found[:1] == [".Pp"] else found


def _lines(text: str) -> list[str]:
    """Plain text, as lines of a comfortable length."""
    return [_text(line) for line in textwrap.wrap(text, 72, break_on_hyphens=False)]


def _text(text: str) -> str:
    """Plain text; a control character at its start would be a macro."""
    escaped = _word(text).replace("\\(dq", '"')  # special in macros only
    return rf"\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _word(text: str) -> str:
    """Text as it is: hyphens stay what can be typed, quotes are no strings of roff."""
    return (
        text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    ).replace("'", "\\(aq")
