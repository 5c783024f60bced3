"""What the manual shows: its code blocks, and the sessions in them.

A session is an indented block with lines that start with "$ ": commands, each followed
by what it writes to the terminal.  Comments above a block say what is not seen there:

<!-- file: NAME -->          the block is the text of this file
<!-- beside: COMMAND -->     runs from before the session until its end (SIGTERM)
<!-- meanwhile: COMMAND -->  runs again and again while the session waits for its lines
<!-- hosts: web1, web2 -->   sshds that ssh knows by these names; it is not of guests
<!-- kernel: 6.12 -->        the session is one of this guest
<!-- varies: REGEX -->       lines that match need not come again, and others may come
<!-- not run: REASON -->     the block is not executed

A block of language "sh" is what is typed at a second terminal: it happens meanwhile in
the session that follows.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TREE = Path(__file__).resolve().parents[2]

PAGES = (TREE / "README.md", *sorted((TREE / "docs").glob("*.md")))

DIRECTIVES = ("file", "beside", "meanwhile", "hosts", "kernel", "varies", "not run")

_COMMENT = re.compile(rf"\s*<!-- ({'|'.join(DIRECTIVES)}): (.*) -->\n")
_INDENTED = " " * 4


class Block(NamedTuple):
    """A block of code; `language` is "" if it is indented."""

    page: str
    line: int
    language: str
    text: str
    directives: dict[str, str]


class Command(NamedTuple):
    """A command as it is typed, and the lines that it is said to write."""

    text: str
    output: tuple[str, ...]


def blocks(path: Path) -> Iterator[Block]:
    """The blocks of code of a page, in order."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    page = path.relative_to(TREE).as_posix()
    directives: dict[str, str] = {}
    at = 0
    while at < len(lines):
        start, line = at, lines[at]
        comment = _COMMENT.fullmatch(line)
        at += 1
        if comment:
            directives[comment[1]] = comment[2]
            continue
        if line.startswith("```"):
            end = lines.index("```\n", at)
            language, text = line[3:].strip(), "".join(lines[at:end])
            at = end + 1
        elif line.startswith(_INDENTED) and not _is_of_paragraph(lines, start):
            while at < len(lines) and lines[at].startswith((_INDENTED, "\n")):
                at += 1
            language = ""
            text = textwrap.dedent("".join(lines[start:at])).rstrip("\n") + "\n"
        else:
            if line != "\n":
                directives = {}
            continue
        yield Block(page, start + 1, language, text, directives)
        directives = {}


def _is_of_paragraph(lines: list[str], at: int) -> bool:
    """Whether an indented line goes on with a paragraph, as in a list."""
    before = lines[at - 1] if at else "\n"
    return before != "\n" and not _COMMENT.fullmatch(before)


def commands(block: Block) -> Iterator[Command]:
    """The commands of a session, none if the block is none."""
    lines = block.text.splitlines()
    if block.language or not lines[0].startswith("$ "):
        return
    at = 0
    while at < len(lines):
        text = lines[at][2:]
        at += 1
        while not _is_complete(text):
            text += "\n" + lines[at]
            at += 1
        start = at
        while at < len(lines) and not lines[at].startswith("$ "):
            at += 1
        yield Command(text, tuple(lines[start:at]))


def _is_complete(command: str) -> bool:
    """Whether a shell would run what has been typed so far."""
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quote is open
        return False
    return True
