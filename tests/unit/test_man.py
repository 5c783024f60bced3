"""Manual pages: well-formed, and with all that `--help` has."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from skep.cli import main
from skep.toolkit.command_words import COMMANDS
from skep.toolkit.man import overview, tool_page
from skep.toolkit.tool import load, tool_names

NAMES = tool_names(families=True)

OTHER_PAGES = "referenced manual not found"
"""What mandoc says of pages that are not installed; whether they exist is tested."""


def mandoc(page: str, *arguments: str) -> str:
    """What mandoc makes of a page."""
    if not shutil.which("mandoc"):
        pytest.skip("there is no mandoc")
    done = subprocess.run(
        ("mandoc", *arguments), input=page, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def page_of(name: str) -> str:
    return tool_page(load(name)) if name != "skep" else overview()


@pytest.mark.parametrize("name", ["skep", *NAMES])
def test_pages_are_well_formed(name: str) -> None:
    complaints = mandoc(page_of(name), "-Tlint").splitlines()
    assert [line for line in complaints if OTHER_PAGES not in line] == []


@pytest.mark.parametrize("name", ["skep", *NAMES])
def test_pages_refer_to_pages_that_there_are(name: str) -> None:
    referred = re.findall(r"\bXr (\S+) 8", page_of(name))
    assert set(referred) <= {"skep", *NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_example_is_there(name: str) -> None:
    tool = load(name)
    text = re.sub(r".\x08", "", mandoc(tool_page(tool), "-Tutf8", "-Owidth=500"))
    assert text.startswith(f"{name.upper()}(8)")
    for option in tool.options.options.values():
        if option.name not in tool.preset:
            for flag in option.flags:
                assert re.search(rf"(^|\s){flag}(,|\s)", text, re.MULTILINE), flag
            meaning = option.help[:1].upper() + option.help[1:]
            assert meaning in " ".join(text.split())
    for line in tool.doc.partition("Examples:\n")[2].splitlines():
        command = re.split(r" {2,}", line.strip())[0]
        assert command in text


def test_the_page_of_skep_has_all_tools_and_commands() -> None:
    page = overview()
    for name in NAMES:
        assert f".It Xr {name} 8" in page
    for command in COMMANDS:
        assert f".It Cm {command}" in page


def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "opensnoop"]) == 0
    assert capfd.readouterr().out == page_of("opensnoop")
    for arguments in ([], ["skep"]):
        assert main(["man", *arguments]) == 0
        assert capfd.readouterr().out == overview()
    assert main(["man", "no-such-tool"]) == 2
    assert main(["man", "opensnoop", "execsnoop"]) == 2
