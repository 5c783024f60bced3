"""Folded stacks, and flame graphs made of them."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.errors import SkepError
from skep.output.flamegraph import WIDTH, boxes, flamegraph
from skep.output.folded import FoldedStack, fold, folded_line, folded_text
from skep.output.stacks import FlameGraphFile

SVG = "{http://www.w3.org/2000/svg}"
READ = FoldedStack("cat", ("main", "read"), ("sys_read", "vfs_read"))
PLAIN = FoldedStack("cat", ("main",))


def test_lines_have_the_program_before_the_kernel() -> None:
    assert folded_line(READ, 7) == "cat;main;read;sys_read;vfs_read 7\n"
    assert folded_line(READ, 7, True) == "cat;main;read;-;sys_read;vfs_read 7\n"
    assert folded_line(PLAIN, 3, True) == "cat;main 3\n"
    assert folded_line(FoldedStack("", (), ("idle",)), 2) == ";idle 2\n"


def test_frames_come_innermost_first() -> None:
    folded = fold("cat", ["read", "main"], ["vfs_read", "sys_read"])
    assert folded == READ


def test_names_cannot_break_lines() -> None:
    odd = FoldedStack("a b\n1", ("[u8; 4]::f", "\udcff"))
    assert folded_line(odd, 1) == "a b\\n1;[u8: 4]::f;\\xff 1\n"
    assert folded_text({PLAIN: 1, odd: 2}).splitlines()[1] == "cat;main 1"


def frames(svg: str) -> list[ET.Element]:
    return [g for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("class") == "f"]


def test_widths_are_counts() -> None:
    svg = flamegraph({READ: 7, PLAIN: 4}, "reads")
    shown = {}
    for frame in frames(svg):
        rect = frame.find(f"{SVG}rect")
        assert rect is not None
        shown[frame.get("data-name")] = float(rect.get("width", 0)), rect.get("x")
    assert shown["all"][0] == shown["cat"][0] == shown["main"][0] == WIDTH
    assert shown["read"][0] == shown["vfs_read"][0] == round(WIDTH * 7 / 11, 2)
    titles = [each.text for each in ET.fromstring(svg).iter(f"{SVG}title")]
    assert "vfs_read (7 samples, 63.64%)" in titles


def test_text_is_escaped() -> None:
    evil = "</title><script>alert(1)</script>\"'&]]>\x1b\0\udc80"
    svg = flamegraph({FoldedStack(evil, (evil,)): 1}, evil)
    assert len(list(ET.fromstring(svg).iter(f"{SVG}script"))) == 1
    assert "alert(1)</script>" not in svg and "\x1b" not in svg and "\0" not in svg
    named = [frame.get("data-name") for frame in frames(svg)]
    assert named[1] == "</title><script>alert(1)</script>\"'&]]>\\x1b\\x00\\x80"


def test_nothing_is_said_to_be_nothing() -> None:
    svg = flamegraph({}, "nothing", "calls")
    assert frames(svg) == [] and "no calls" in svg


NAMES = st.text(st.characters(), max_size=8)
STACKS = st.builds(
    FoldedStack,
    NAMES,
    st.lists(NAMES, max_size=4).map(tuple),
    st.lists(NAMES, max_size=3).map(tuple),
)


@given(st.dictionaries(STACKS, st.integers(1, 1 << 40), min_size=1, max_size=8))
def test_any_stacks_make_well_formed_files(counts: dict[FoldedStack, int]) -> None:
    shuffled = dict(reversed(list(counts.items())))
    svg = flamegraph(counts, "any")
    ET.fromstring(svg)
    assert svg == flamegraph(shuffled, "any")
    every = list(boxes(counts))
    assert every[0].size == sum(counts.values())
    for box in every:
        above = [
            each
            for each in every
            if each.depth == box.depth + 1
            and box.start <= each.start < box.start + box.size
        ]
        assert sum(each.size for each in above) <= box.size
        assert all(each.start + each.size <= box.start + box.size for each in above)
    for line in folded_text(counts).splitlines():
        assert line.rpartition(" ")[2].isdigit()


def test_a_pipe_that_nobody_reads_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SkepError, match="pipe: nobody reads this pipe"):
        FlameGraphFile(str(pipe), "any", "calls")
    graph = FlameGraphFile(str(tmp_path / "graph.svg"), "any", "calls")
    graph.write()
    assert (tmp_path / "graph.svg").read_text().startswith("<?xml")
    assert (tmp_path / "graph.svg").stat().st_mode & 0o077 == 0o044
