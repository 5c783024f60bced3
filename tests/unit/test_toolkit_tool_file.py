"""Tools in files of their own, and what is said of those that Python cannot import."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skep.errors import UsageError, near_matches
from skep.toolkit.help import help_text
from skep.toolkit.tool import load

TOOL = '''"""Show nothing."""

from skep import TaskOptions, on


class Options(TaskOptions):
    pass


@on.syscall_exit("close")
def closed(fd):
    pass
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_tool_is_called_as_it_was_asked_for(here: Path) -> None:
    (here / "mine.py").write_text(TOOL)
    tool = load("./mine.py")
    assert tool.name == "mine"
    usage, _, rest = help_text(tool).partition("\n")
    assert usage == "usage: skep ./mine.py [options]"
    assert rest.startswith("\nShow nothing.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(\n", "./mine.py:1:6: '(' was never closed\n  def f(\n       ^"),
        ("x = 1\n  y = 2\n", "./mine.py:2:"),
        (
            "def f():\n    return Pid\n\n\nf()\n",
            "./mine.py:2:5: NameError: name 'Pid' is not defined\n"
            "  return Pid\n  ^^^^^^^^^^",
        ),
        ("import nothing", "./mine.py:1:1: ModuleNotFoundError: No module named"),
        ("x = '\0'", "null bytes"),
        ("", "mine is no tool: it has 0 classes of options"),
    ],
)
def test_what_python_refuses(here: Path, text: str, said: str) -> None:
    (here / "mine.py").write_text(text)
    with pytest.raises(UsageError) as caught:
        load("./mine.py")
    assert said in str(caught.value)


def test_a_file_that_is_none(here: Path) -> None:
    (here / "folder.py").mkdir()
    (here / "odd.py").write_text("open('nowhere')")
    for path, said in (
        ("folder.py", "'folder.py' is no regular file"),
        ("none.py", "there is no file 'none.py'"),
        ("odd.py", "odd.py:1:1: FileNotFoundError"),
    ):
        with pytest.raises(UsageError, match=re.escape(said)):
            load(path)


def test_the_nearest_name_is_offered_and_of_several_the_first() -> None:
    arguments = [f"arg{n}" for n in range(1, 13)]
    assert near_matches("arg", arguments) == ["arg1", "arg2", "arg3"]
    assert near_matches("mallok", ["mlock", "malloc"]) == ["malloc", "mlock"]
    assert near_matches("xyz", arguments) == []
