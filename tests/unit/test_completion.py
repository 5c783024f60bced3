"""Shells complete command lines by the scripts that skep prints.

Each shell runs for real: bash's completion function, fish's own `complete -C`, and an
interactive zsh on a terminal of its own.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from skep.cli import main
from skep.toolkit.completion import SHELLS, completion
from skep.toolkit.tool import load, tool_names

BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_skep
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

# The prompt says that keys are read.  Without a path, a line runs nothing.
ZSH = """
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "autoload -U compinit; compinit -u -D; source {script}; PATH= PS1=A''Z"
zpty -r shell line '*AZ*'
zpty -w -n shell {line}$'\\t\\n'
zpty -r shell line $'*\\n*'
print -r -- $line
zpty -d shell
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


@pytest.fixture
def scripts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """A directory with the scripts, named after their shells."""
    for shell in SHELLS:
        assert completion([shell]) == 0
        (tmp_path / shell).write_text(capfd.readouterr().out)
    return tmp_path


def in_bash(scripts: Path, line: str) -> set[str]:
    """What bash offers for the last word of a line."""
    words = " ".join(map(shlex.quote, line.split(" ")))
    code = BASH.format(script=scripts / "bash", words=words)
    return set(filter(None, run("bash", "--norc", "-c", code)))


def in_fish(scripts: Path, line: str) -> set[str]:
    """The same in fish, without descriptions."""
    code = f"source {scripts / 'fish'}; complete -C {shlex.quote(line)}"
    return {offer.split("\t")[0] for offer in run("fish", "--no-config", "-c", code)}


def in_zsh(scripts: Path, line: str) -> str:
    """A session of zsh in which the tabulator is pressed after a line."""
    code = ZSH.format(script=scripts / "zsh", line=shlex.quote(line))
    return "\n".join(run("zsh", "-f", "-c", code))


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_well_formed(scripts: Path, shell: str) -> None:
    assert run(shell, "-n", str(scripts / shell)) == []


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("skep opens", {"opensnoop"}),
        ("/usr/bin/skep doct", {"doctor"}),
        ("skep completion ", {"bash", "zsh", "fish"}),
        ("skep doctor biol", {"biolatency"}),
        ("skep opensnoop --for", {"--format"}),
        ("skep opensnoop --format ", {"table", "json", "csv"}),
        ("skep opensnoop --format = j", {"json"}),
        ("skep opensnoop --format =", {"table", "json", "csv"}),
        ("skep opensnoop -f O_RD", {"O_RDONLY", "O_RDWR"}),
        ("skep opensnoop --pid ", set()),
        ("skep opensnoop -x --sor", {"--sort"}),
        ("./opensnoop --exte", {"--extended_fields"}),
        ("skep fsslower -t ext", {"ext4"}),
        ("skep xfsslower --typ", set()),
        ("skep opensnoop --exec cat /etc/hostn", {"/etc/hostname"}),
        ("skep opensnoop --cgroupmap /etc/hostn", {"/etc/hostname"}),
        ("skep no-such-tool --for", set()),
        ("skep replay /etc/hostn", {"/etc/hostname"}),
        ("skep replay file --for", {"--format"}),
        ("skep replay file --format ", {"table", "json", "csv"}),
        ("skep replay file --flamegraph /etc/hostn", {"/etc/hostname"}),
        ("skep replay file --print-u", {"--print-uid"}),
        ("skep replay --inf", {"--info"}),
        ("skep replay file --pid", set()),
        ("replay --for", set()),
        ("skep --ho", {"--host"}),
        ("skep --host a,b opens", {"opensnoop"}),
        ("skep --host = a --no", {"--no-cache"}),
        ("skep --host a --no-cache opensnoop --for", {"--format"}),
        ("skep --host a --ssh ", set()),
    ],
)
def test_bash(scripts: Path, line: str, offers: set[str]) -> None:
    assert in_bash(scripts, line) == offers


def test_bash_knows_every_tool_with_its_options(scripts: Path) -> None:
    names = tool_names(families=True)
    assert set(names) < in_bash(scripts, "skep ")
    for name in names:
        tool = load(name)
        declared = tool.options.options.values()
        flags = {
            flag for o in declared if o.name not in tool.preset for flag in o.flags
        }
        assert in_bash(scripts, f"skep {name} -") == flags | {"-h", "--help"}


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("skep opens", {"opensnoop"}),
        ("skep completion ", {"bash", "zsh", "fish"}),
        ("skep doctor biol", {"biolatency"}),
        ("skep opensnoop --for", {"--format"}),
        ("skep opensnoop --format ", {"table", "json", "csv"}),
        ("skep opensnoop -f O_RDO", {"O_RDONLY"}),
        ("opensnoop --for", {"--format"}),
        ("skep xfsslower --typ", set()),
        ("skep replay /etc/hostn", {"/etc/hostname"}),
        ("skep replay file --for", {"--format"}),
        ("skep replay file --format ", {"table", "json", "csv"}),
        ("skep replay file --pi", set()),
        ("skep replay --inf", {"--info"}),
        ("skep --ho", {"--host"}),
        ("skep --host a opensnoop --for", {"--format"}),
    ],
)
def test_fish(scripts: Path, line: str, offers: set[str]) -> None:
    assert in_fish(scripts, line) == offers


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("skep opens", "skep opensnoop "),
        ("skep doctor biol", "skep doctor biolatency "),
        ("skep opensnoop --for", "skep opensnoop --format="),
        ("skep opensnoop --format js", "skep opensnoop --format json "),
        ("skep opensnoop -f O_RDO", "skep opensnoop -f O_RDONLY "),
        ("opensnoop --exte", "opensnoop --extended_fields "),
        ("skep replay /etc/hostn", "skep replay /etc/hostname "),
        ("skep replay file --for", "skep replay file --format="),
        ("skep replay file --format js", "skep replay file --format json "),
        ("skep --host a opens", "skep --host a opensnoop "),
        ("skep --no-cache --host=a opensnoop --for", "opensnoop --format="),
    ],
)
def test_zsh(scripts: Path, line: str, whole: str) -> None:
    assert whole in in_zsh(scripts, line)


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["bash", "zsh"]])
def test_other_shells_are_refused(arguments: list[str]) -> None:
    assert main(["completion", *arguments]) == 2
