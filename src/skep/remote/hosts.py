"""The command line of `--host`, and what is run at the other end of ssh."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping, Sequence

from skep.errors import UsageError
from skep.named_tuple import NamedTuple

OPTIONS: Mapping[str, tuple[str, str]] = {
    "--host": ("HOST,...", "where to run the tool; may be given again"),
    "--no-cache": ("", "leave nothing there, not even in the cache of root"),
    "--ssh": ("COMMAND", "what to connect with, such as 'ssh -F FILE'"),
}
"""What may stand before the tool: the value that it has, and what it means."""

_HEAD = """usage: skep --host HOST[,HOST...] [--no-cache] [--ssh COMMAND] TOOL [options]

Run a tool on other hosts, each [user@]name or ssh://[user@]name[:port], as root or by
sudo, and show what all of them report.

"""

USAGE = _HEAD + "".join(
    f"  {f'{name} {value}':<16} {meaning}\n"
    for name, (value, meaning) in OPTIONS.items()
)


class Host(NamedTuple):
    """A host: how it is called in the output, and what ssh gets."""

    label: str
    destination: str


class Command(NamedTuple):
    """A command line with hosts."""

    hosts: Sequence[Host]
    ssh: Sequence[str]
    keeps: bool
    words: Sequence[str]


def parse(arguments: Sequence[str]) -> Command:
    """What stands on the command line.  Raises UsageError."""
    words = list(arguments)
    given: list[str] = []
    ssh, keeps = "ssh", True
    while words and words[0].startswith("-"):
        name, has_value, value = words.pop(0).partition("=")
        if name in OPTIONS and OPTIONS[name][0]:
            if not has_value:
                if not words:
                    raise _problem(f"{name} without a value")
                value = words.pop(0)
            if name == "--ssh":
                ssh = value
            else:
                given += value.split(",")
        elif name == "--no-cache" and not has_value:
            keeps = False
        else:
            raise _problem(f"there is no option '{name}' before the tool")
    if not given:
        raise _problem("no host is named")
    if not words:
        raise _problem("no tool is named")
    return Command(_hosts(given), _split(ssh), keeps, words)


def _problem(message: str) -> UsageError:
    return UsageError(message, hint="see 'skep --host --help'")


def _split(ssh: str) -> list[str]:
    try:
        words = shlex.split(ssh)
    except ValueError as error:
        raise _problem(f"--ssh: {error}".rstrip(".").lower()) from None
    if not words:
        raise _problem("--ssh: no command is named")
    return words


def _hosts(given: Sequence[str]) -> list[Host]:
    for name in given:
        if not name:
            raise _problem("--host: a name is empty")
        if name.startswith("-"):
            raise _problem(f"--host: '{name}' is no name of a host")
        if given.count(name) > 1:
            raise _problem(f"--host: '{name}' is named twice")
    short = [re.sub(r"^ssh://", "", name).rpartition("@")[2] for name in given]
    labels = short if len(set(short)) == len(short) else given
    return [Host(label, name) for label, name in zip(labels, given)]


# Words that it gets are a command; only root traces.
_AS_ROOT = (
    'has() { command -v "$1" >/dev/null 2>&1; }; '
    'fail() { echo "skep: $1" >&2; exit 127; }; '
    'has python3 || fail "there is no python3"; '
    'if [ "$(id -u)" != 0 ]; then '
    'has sudo || fail "the user is not root, and there is no sudo"; '
    'set -- sudo -n -- "$@"; fi; exec "$@"'
)

_PYTHON = "import sys;exec(sys.stdin.buffer.read({size}),{{'__name__':'skep'}})"


def remote_command(first: bytes, words: Sequence[str]) -> str:
    """The line for the shell there: Python as root, which reads its program, `first`,
    from standard input.

    The words are for who looks at the processes there.  They are without what some
    shell does not leave alone in quotes: fish the backslash, csh "!" and line feeds.
    """
    shown = (re.sub(r"[\\!\n]", "?", word) for word in words)
    python = ("python3", "-ISc", _PYTHON.format(size=len(first)), "skep", *shown)
    return "exec " + shlex.join(["/bin/sh", "-c", _AS_ROOT, "skep", *python])


def local_zone() -> str:
    """The time zone of now, as TZ has it: hosts need not know ours by its name."""
    now = time.localtime()
    name = now.tm_zone if re.fullmatch(r"[A-Za-z0-9+-]{3,}", now.tm_zone) else "LOCAL"
    minutes, seconds = divmod(abs(now.tm_gmtoff), 60)
    sign = "-" if now.tm_gmtoff > 0 else "+"
    return f"<{name}>{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


HINTS: Mapping[str, str] = {
    "password is required": "let sudo do without one there (NOPASSWD), or be root",
    "terminal is required": "let sudo do without one there (NOPASSWD), or be root",
    "must have a tty": "let sudo do without one there (!requiretty), or be root",
    "sudoers": "let the user become root there by sudo, or log in as root",
    "there is no sudo": "log in as root, as in root@HOST, or install sudo there",
    "no python3": "skep needs Python 3.9 or later there",
    "needs Python": "skep needs Python 3.9 or later there",
    "Host key verification": "log in by hand once ('ssh HOST') and compare its key",
    "Could not resolve": "is the name right? a port is given as in ssh://NAME:PORT",
    "Permission denied": "is there a key for it in the agent? see 'ssh-add -l'",
}
"""What to do, by what was said when it could not start; what others say too is last."""


def hint_for(said: str) -> str:
    """What to do where a tool could not start and this was said, "" for no idea."""
    return next((hint for words, hint in HINTS.items() if words in said), "")
