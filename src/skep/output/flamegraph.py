"""Flame graphs: counted stacks as one SVG file that needs nothing else.

Each frame is as wide as the counts of the stacks that have it; what it calls stands
above it.  A click shows a frame at full width, and names can be searched for.  The same
stacks make the same file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from html import escape as quoted

from skep.escape import escape
from skep.named_tuple import NamedTuple
from skep.output.flamegraph_script import SCRIPT
from skep.output.folded import FoldedStack

WIDTH = 1180
"""Pixels of the widest frame."""

_LEFT = 10
_TOP = 44
_ROW = 17
_CHARACTER = 7
_NARROWEST = 1e-5
"""The part of all counts that a frame must have to be drawn: nobody could click it."""

_HUES = {
    "all": ((190, 190, 190), (0, 0, 0)),
    "comm": ((205, 205, 205), (30, 30, 30)),
    "user": ((205, 70, 20), (50, 140, 40)),
    "kernel": ((70, 130, 190), (50, 60, 50)),
}
"""For each kind of frame the darkest colour, and how much is added for the name."""

_STYLE = (
    "text{font:12px monospace;fill:#000}"
    "g.f{cursor:pointer}g.f:hover rect{stroke:#000;stroke-width:0.7}"
    "text.title{font-size:17px;text-anchor:middle}"
    "text.button{cursor:pointer}text.button:hover{text-decoration:underline}"
)


class _Node:
    """A frame with what is above it, by kind and name."""

    __slots__ = ("count", "above")

    def __init__(self) -> None:
        self.count = 0
        self.above: dict[tuple[str, str], _Node] = {}


class Box(NamedTuple):
    """A frame's place: `start` and `size` in counts, `depth` from 0 at the bottom."""

    kind: str
    name: str
    start: int
    size: int
    depth: int


def boxes(counts: Mapping[FoldedStack, int]) -> Iterator[Box]:
    """The frames from the bottom up, neighbours in the order of their names."""
    root = _Node()
    for stack, count in counts.items():
        if count > 0:
            _add(root, stack, count)
    waiting = [("all", "all", root, 0, 0)]
    while waiting:
        kind, name, node, start, depth = waiting.pop()
        yield Box(kind, name, start, node.count, depth)
        above = []
        for key in sorted(node.above, key=lambda each: (each[1], each[0])):
            child = node.above[key]
            above.append((*key, child, start, depth + 1))
            start += child.count
        waiting += reversed(above)


def _add(root: _Node, stack: FoldedStack, count: int) -> None:
    node = root
    node.count += count
    path = [("comm", stack.comm)] if stack.comm else []
    path += [("user", name) for name in stack.user]
    path += [("kernel", name) for name in stack.kernel]
    for key in path:
        node = node.above.setdefault(key, _Node())
        node.count += count


def flamegraph(
    counts: Mapping[FoldedStack, int], title: str, unit: str = "samples"
) -> str:
    """An SVG of stacks with their counts, which are numbers of `unit`."""
    every = list(boxes(counts))
    total = every[0].size
    drawn = [each for each in every if each.size >= total * _NARROWEST]
    height = _TOP + _ROW * (1 + max(each.depth for each in drawn)) + _LEFT
    parts = [_head(title, height, total)]
    if total:
        parts += [_frame(each, total, height, unit) for each in drawn]
    else:
        parts.append(_text(_LEFT, _TOP, f"no {unit}"))
    parts.append(f"<script><![CDATA[{SCRIPT}]]></script>\n</svg>\n")
    return "".join(parts)


def _head(title: str, height: int, total: int) -> str:
    width = WIDTH + 2 * _LEFT
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" data-width="{WIDTH}" data-left="{_LEFT}" '
        f'data-total="{total}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect width="100%" height="100%" fill="#f8f8f4"/>\n'
        + _text(width / 2, 24, title, 'class="title"')
        + _text(_LEFT, 24, "reset zoom", 'class="button" id="reset" display="none"')
        + _text(width - 80, 24, "search", 'class="button" id="search"')
        + _text(width - 250, 24, "", 'id="found"')
    )


def _frame(box: Box, total: int, height: int, unit: str) -> str:
    name = escape(box.name)
    x = _LEFT + WIDTH * box.start / total
    width = WIDTH * box.size / total
    y = height - _LEFT - _ROW * (box.depth + 1)
    share = f"{name} ({box.size} {unit}, {100 * box.size / total:.2f}%)"
    colour = _colour(box)
    return (
        f'<g class="f" data-x="{box.start}" data-w="{box.size}" data-d="{box.depth}" '
        f'data-name="{quoted(name)}" data-fill="{colour}">'
        f"<title>{quoted(share)}</title>"
        f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{_ROW - 1}" '
        f'fill="{colour}"/>' + _text(x + 3, y + 12, _shortened(name, width)) + "</g>\n"
    )


def _text(x: float, y: float, content: str, attributes: str = "") -> str:
    more = f" {attributes}" if attributes else ""
    return f'<text x="{x:.2f}" y="{y}"{more}>{quoted(escape(content))}</text>\n'


def _shortened(name: str, width: float) -> str:
    """As much of a name as there is room for."""
    room = int((width - 4) // _CHARACTER)
    if room < 3:
        return ""
    return name if len(name) <= room else f"{name[: room - 2]}.."


def _colour(box: Box) -> str:
    """A colour that depends on nothing but the kind and the name."""
    base, spread = _HUES[box.kind]
    seed = zlib.crc32(box.name.encode("utf-8", "surrogatepass"))
    shades = (seed & 0xFF, seed >> 8 & 0xFF, seed >> 16 & 0xFF)
    parts = [
        low + more * shade // 255 for low, more, shade in zip(base, spread, shades)
    ]
    return f"rgb({','.join(map(str, parts))})"
