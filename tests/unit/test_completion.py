"""Shells complete command lines by the scripts that skep prints.

Each shell runs for real: bash's completion function, fish's own `complete -C`, and an
interactive zsh on a terminal of its own.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from skep.cli import main
from skep.toolkit.command_words import COMMANDS, SHELLS
from skep.toolkit.tool import load, tool_names

SKEP = Path(__file__).resolve().parents[2] / "skep"

BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_skep
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

# The prompt says that keys are read.  Control-U takes a line away again.
ZSH = """
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "autoload -U compinit; compinit -u -D; source {scripts}/zsh"
zpty -w shell "source {scripts}/told; LISTMAX=10000 PATH= PS1=A''Z"
zpty -r shell told '*AZ*'
for line in {lines}; do
    zpty -w -n shell $line$'\\t'
    zpty -r shell told $'*<end>*'
    print -r -- $told
    zpty -w -n shell $'\\C-u'
done
zpty -d shell
"""

# What is offered is told.  Without -O, -A and -D, words are offered by this builtin; it
# matches them with what was typed.
ZSH_TOLD = """
compadd() {
    local -a offered
    if [[ " ${@[1,(i)(-|--)]} " != *" -"(O|A|D)" "* ]]; then
        builtin compadd -O offered "$@"
        print -rl -- '' "<offer>"$^offered
    fi
    builtin compadd "$@"
}
comppostfuncs=(told)
told() { print '<end>'; comppostfuncs=(told) }
"""


def run(shell: str, *arguments: str) -> list[str]:
    """The lines that a shell prints."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    done = subprocess.run(
        (shell, *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the scripts, named after their shells."""
    directory = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        with open(directory / shell, "w") as script:
            subprocess.run((SKEP, "completion", shell), stdout=script, check=True)
    (directory / "told").write_text(ZSH_TOLD)
    return directory


def in_bash(scripts: Path, line: str) -> set[str]:
    """What bash offers for the last word of a line."""
    words = " ".join(map(shlex.quote, line.split(" ")))
    code = BASH.format(script=scripts / "bash", words=words)
    return set(filter(None, run("bash", "--norc", "-c", code)))


def in_fish(scripts: Path, line: str) -> set[str]:
    """The same in fish, without descriptions."""
    code = f"source {scripts / 'fish'}; complete -C {shlex.quote(line)}"
    return {offer.split("\t")[0] for offer in run("fish", "--no-config", "-c", code)}


def in_zsh(scripts: Path, line: str) -> set[str]:
    """The same in zsh, where the tabulator is pressed."""
    return next(in_one_zsh(scripts, [line]))


def in_one_zsh(scripts: Path, lines: Sequence[str]) -> Iterator[set[str]]:
    """The same for several lines: a zsh takes a while to start."""
    code = ZSH.format(scripts=scripts, lines=shlex.join(lines))
    *told_of_lines, _ = "\n".join(run("zsh", "-f", "-c", code)).split("<end>")
    assert len(told_of_lines) == len(lines)
    for told in told_of_lines:
        yield set(re.findall(r"(?m)^<offer>(\S+)", told))


IN_SHELLS = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_well_formed(scripts: Path, shell: str) -> None:
    assert run(shell, "-n", str(scripts / shell)) == []


NAMES = set(tool_names(families=True))
OF_HOSTS = {"--host", "--no-cache", "--ssh"}

LINES: list[tuple[str, set[str]]] = [
    ("skep ", NAMES | set(COMMANDS) - {"--host"}),
    ("skep -", OF_HOSTS | {"--help", "--version"}),
    ("skep opens", {"opensnoop"}),
    ("/usr/bin/skep doct", {"doctor"}),
    ("skep.pyz biol", {"biolatency"}),
    ("skep completion ", {"bash", "zsh", "fish"}),
    ("skep doctor ", NAMES),
    ("skep doctor opensnoop biol", {"biolatency"}),
    ("skep doctor --j", {"--json"}),
    ("skep doctor opensnoop --for", set()),
    ("skep describe tcp", {"tcplife"}),
    ("skep man execs", {"execsnoop"}),
    ("skep help gethost", {"gethostlatency"}),
    ("skep list -", {"-h", "--help"}),
    ("skep opensnoop --for", {"--format"}),
    ("skep opensnoop --format ", {"table", "json", "csv"}),
    ("skep opensnoop -f O_RD", {"O_RDONLY", "O_RDWR"}),
    ("skep opensnoop -x --sor", {"--sort"}),
    ("skep opensnoop --pid ", set()),
    ("./opensnoop --exte", {"--extended_fields"}),
    ("opensnoop --format ", {"table", "json", "csv"}),
    ("skep fsslower -t ext", {"ext4"}),
    ("skep xfsslower --typ", set()),
    ("skep opensnoop --exec cat /etc/hostn", {"/etc/hostname"}),
    ("skep opensnoop --cgroupmap /etc/hostn", {"/etc/hostname"}),
    ("opensnoop --cgroupmap /etc/hostn", {"/etc/hostname"}),
    ("skep replay /etc/hostn", {"/etc/hostname"}),
    ("skep replay file --for", {"--format"}),
    ("skep replay file --format ", {"table", "json", "csv"}),
    ("skep replay file --flamegraph /etc/hostn", {"/etc/hostname"}),
    ("skep replay file --print-u", {"--print-uid"}),
    ("skep replay --inf", {"--info"}),
    ("skep replay file --pid", set()),
    ("skep --ho", {"--host"}),
    ("skep --host a,b ", NAMES),
    ("skep --host a,b -", OF_HOSTS),
    ("skep --host a,b opens", {"opensnoop"}),
    ("skep --host a,b doct", set()),
    ("skep --host list opens", {"opensnoop"}),
    ("skep --host a --no-cache opensnoop --for", {"--format"}),
    ("skep --no-cache --ssh command opensnoop -f O_RD", {"O_RDONLY", "O_RDWR"}),
    ("skep --host a --ssh ", set()),
]


@pytest.mark.parametrize(("line", "offers"), LINES)
def test_bash(scripts: Path, line: str, offers: set[str]) -> None:
    assert without_options(line, in_bash(scripts, line)) == offers


@pytest.mark.parametrize(("line", "offers"), LINES)
def test_fish(scripts: Path, line: str, offers: set[str]) -> None:
    assert in_fish(scripts, line) == offers


def test_zsh(scripts: Path) -> None:
    lines = [line for line, _ in LINES]
    for (line, offers), offered in zip(LINES, in_one_zsh(scripts, lines)):
        # It shows the last part of a path, and the equals sign that may follow.
        shown = {word.rstrip("=") for word in offered}
        expected = {offer.rpartition("/")[2] for offer in offers}
        assert without_options(line, shown) == expected, line


def without_options(line: str, offered: set[str]) -> set[str]:
    """Bash and zsh offer options also where no dash has been typed."""
    if line.endswith(" "):
        return {word for word in offered if not word.startswith("-")}
    return offered


def options_of_tools() -> dict[str, set[str]]:
    """All flags of each tool."""
    found = {}
    for tool in map(load, NAMES):
        options = tool.options.options.values()
        flags = [each.flags for each in options if each.name not in tool.preset]
        found[tool.name] = {"-h", "--help"}.union(*flags)
    return found


@pytest.mark.parametrize("command", ["skep ", "./"])
def test_all_options_of_all_tools(scripts: Path, command: str) -> None:
    tools = options_of_tools()
    lines = [f"{command}{name} -" for name in tools]
    in_zsh = in_one_zsh(scripts, lines)
    for line, flags, of_zsh in zip(lines, tools.values(), in_zsh):
        assert {word.rstrip("=") for word in of_zsh} == flags, line
        assert in_bash(scripts, line) == in_fish(scripts, line) == flags, line


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("skep opensnoop --format = j", {"json"}),
        ("skep opensnoop --format =", {"table", "json", "csv"}),
        ("skep --host = a --no", {"--no-cache"}),
        ("skep no-such-tool --for", set()),
        ("replay --for", set()),
    ],
)
def test_bash_divides_words(scripts: Path, line: str, offers: set[str]) -> None:
    assert in_bash(scripts, line) == offers


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_equals_signs(scripts: Path, shell: str) -> None:
    in_shell = IN_SHELLS[shell]
    (offer,) = in_shell(scripts, "skep opensnoop --format=j")
    assert offer.rpartition("=")[2] == "json"
    assert in_shell(scripts, "skep --host=a --no-cache biol") == {"biolatency"}


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["bash", "zsh"]])
def test_other_shells_are_refused(arguments: list[str]) -> None:
    assert main(["completion", *arguments]) == 2
