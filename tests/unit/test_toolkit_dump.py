"""What --dump shows of each stage, for a saved kernel."""

from __future__ import annotations

import re

import pytest

from skep.compiler.tree_text import function_text
from skep.frontends.python import parse
from skep.toolkit.binding import Binding
from skep.toolkit.dump import dump
from skep.toolkit.tool import load, tool_names
from tests.fixtures import saved_target
from tests.unit.tool_source import bound

TARGET = saved_target("6.12")

# ZFS is a module that Debian's kernels lack; tplist has no programs.
NAMES = [name for name in tool_names() if name not in ("zfsslower", "tplist")]


def dumped(name: str, stage: str, capfd: pytest.CaptureFixture[str]) -> str:
    tool = load(name)
    options = bound(tool)
    assert dump(stage, Binding(tool.declared(options, TARGET), options), TARGET) == 0
    return capfd.readouterr().out


@pytest.mark.parametrize("stage", ["ir", "asm", "spec"])
@pytest.mark.parametrize("name", NAMES)
def test_every_program_has_a_header(
    name: str, stage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = dumped(name, stage, capfd)
    assert re.match(r"# \w+: (tp_btf|uprobe_multi|fentry):\S+\n", text)
    assert text.endswith("\n\n")


def test_trees_are_of_all_functions(capfd: pytest.CaptureFixture[str]) -> None:
    titles = re.findall("^# (.*)", dumped("biolatency", "tree", capfd), re.MULTILINE)
    assert titles[:2] == ["issued: biolatency.py", "completed: biolatency.py"]
    assert "record: biolatency.py" in titles


def test_tree_of_a_one_liner(capfd: pytest.CaptureFixture[str]) -> None:
    assert "stream.emit(probe=1" in dumped("trace", "tree", capfd)


@pytest.mark.parametrize("name", NAMES)
def test_all_instructions_have_a_form(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = dumped(name, "ir", capfd)
    assert not re.search(r"^ +[A-Z]\w*\(", text, re.MULTILINE)
    blocks = set(re.findall(r"^(b\d+):", text, re.MULTILINE))
    assert set(re.findall(r"(?:goto|else) (b\d+)", text)) <= blocks


def test_instructions_stand_below_their_source(
    capfd: pytest.CaptureFixture[str],
) -> None:
    lines = dumped("biolatency", "asm", capfd).splitlines()
    source = next(i for i, line in enumerate(lines) if "nr_bytes < rq" in line)
    assert re.fullmatch(r"; biolatency\.py:\d+: if nr_bytes .*:", lines[source])
    assert re.fullmatch(r" +\d+: r\d = .*", lines[source + 1])


def test_specs_name_the_maps(capfd: pytest.CaptureFixture[str]) -> None:
    text = dumped("opensnoop", "spec", capfd)
    assert re.search(r"^map +events: ringbuf, \d+ bytes$", text, re.MULTILINE)
    assert re.search(r"^stack +\d+ bytes$", text, re.MULTILINE)


SOURCE = '''\
def f(a, b=2):
    """Left out."""
    x = a + b * 3
    x -= 1
    for i in range(4):
        if not a.b[i] is None and x:
            continue
        else:
            break
    while -x < 5:
        bpf.g(x, key="k")
    return a if b else None
'''


def test_trees_read_as_the_source_they_were_made_of() -> None:
    text = function_text(parse(SOURCE, "test")["f"])
    assert text.splitlines() == [
        "    1  def f(a, b=2):",
        "    3      x = (a + (b * 3))",
        "    4      x -= 1",
        "    5      for i in range(0, 4, 1):",
        "    6          if ((not (a.b[i] is None)) and x):",
        "    7              continue",
        "    9          else:",
        "    9              break",
        "   10      while ((-x) < 5):",
        "   11          bpf.g(x, key='k')",
        "   12      return (a if b else None)",
    ]
