"""What pages say of their sessions is understood, and nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live import manual
from tests.live.manual import PAGES, TREE, Block
from tests.live.sessions import shape

COMMENT = re.compile(r"<!-- ([\w ]+): ")

OTHERS = {"generated", "recorded"}
"""Comments of the scripts that write tables."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_comments_are_those_that_have_a_meaning(page: Path) -> None:
    written = COMMENT.findall(page.read_text())
    assert set(written) <= {*manual.DIRECTIVES, *OTHERS}
    used = [key for block in manual.blocks(page) for key in block.directives]
    assert sorted(used) == sorted(key for key in written if key not in OTHERS)


def test_every_block_of_the_tutorial_is_executed() -> None:
    for block in manual.blocks(TREE / "docs" / "tutorial.md"):
        is_session = bool([*manual.commands(block)])
        is_work = block.language == "sh"
        assert is_session or is_work or {"file", "not run"} & block.directives.keys()


def block_of(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    monkeypatch.setattr(manual, "TREE", tmp_path)
    (tmp_path / "page.md").write_text(text)
    return [*manual.blocks(tmp_path / "page.md")]


def test_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """# Title

* a list
    that goes on

<!-- varies: x|y -->
    $ echo 'one
    two' \\
        three
    one

    two three
    $ true

<!-- file: a.py -->
```python
x = 1
```

Text.
"""
    session, file = block_of(text, tmp_path, monkeypatch)
    assert (session.line, session.directives) == (7, {"varies": "x|y"})
    assert [*manual.commands(session)] == [
        ("echo 'one\ntwo' \\\n    three", ("one", "", "two three")),
        ("true", ()),
    ]
    assert (file.language, file.text) == ("python", "x = 1\n")
    assert file.directives == {"file": "a.py"}
    assert [*manual.commands(file)] == []


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "PID    COMM               FD ERR PATH",
            "PID    COMM               FD ERR PATH",
        ),
        ("24613  wc                -1   2 /nope", "0 wc -0 0 /nope"),
        ("     4 -> 7    : 284      |*****     |", "0 -> 0 : 0 |"),
        ("^CDetaching...", "Detaching..."),
        ("  read+0x1f [libc.so.6]", "read+0 [libc.so.0]"),
    ],
)
def test_shape(line: str, wanted: str) -> None:
    assert shape(line) == wanted
