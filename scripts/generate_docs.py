#!/usr/bin/env python3
"""Writes the tables in docs/*.md that repeat what the code says of itself.

    PYTHONPATH=src python3 scripts/generate_docs.py

A table stands between two comments, `<!-- generated: NAME -->` and
`<!-- end of generated -->`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import skep.compiler.intrinsics.all  # noqa: F401  (registers the intrinsics)
from skep import fields
from skep.authoring import on
from skep.authoring.options import Option
from skep.compiler.intrinsics import INTRINSICS, METHODS
from skep.fields.stacks import KernelStack, UserStack
from skep.output.loss import AT_MOST, MEANINGS
from skep.toolkit.tool import load

DOCS = Path(__file__).resolve().parents[1] / "docs"

BLOCK = re.compile(
    r"<!-- generated: (?P<name>[\w ]+) -->\n.*?<!-- end of generated -->\n", re.DOTALL
)

OWNERS = {
    "MapObject": "map",
    "StreamObject": "stream",
    "HistogramObject": "histogram",
    "TableObject": "table",
    "Row": "row",
}
"""What the manual calls objects that have methods in kernel-side code."""


def pages() -> list[Path]:
    """The pages of the manual."""
    return sorted(DOCS.glob("*.md"))


def generated(text: str) -> str:
    """The text of a page with its tables as they should be."""
    return BLOCK.sub(lambda block: _block(block["name"]), text)


def _block(name: str) -> str:
    kind, _, argument = name.partition(" ")
    lines = _TABLES[kind](argument) if argument else _TABLES[kind]()
    return "\n".join([f"<!-- generated: {name} -->", *lines, _END, ""])


_END = "<!-- end of generated -->"


def _table(titles: tuple[str, str], rows: Iterable[tuple[str, str]]) -> list[str]:
    """A table of code and its meaning."""
    lines = [f"| {titles[0]} | {titles[1]} |", "| --- | --- |"]
    return lines + [f"| `{code}` | {_cell(meaning)} |" for code, meaning in rows]


def _cell(text: str | None) -> str:
    """Text for one cell; a paragraph of a docstring becomes a sentence."""
    return " ".join((text or "").split()).replace("|", r"\|")


def _intrinsics() -> list[str]:
    rows = []
    for name in sorted(INTRINSICS):
        each = INTRINSICS[name]
        rows.append((f"bpf.{name}({', '.join(each.parameters)})", each.summary))
    return _table(("intrinsic", "meaning"), rows)


def _methods() -> list[str]:
    rows = [
        (f"{OWNERS[owner.__name__]}.{name}", method.__doc__ or "")
        for (owner, name), method in METHODS.items()
    ]
    return _table(("method", "meaning"), sorted(rows))


def _probes() -> list[str]:
    rows = []
    for name, decorator in vars(on).items():
        is_own = getattr(decorator, "__module__", "") == on.__name__
        if inspect.isfunction(decorator) and is_own and not name.startswith("_"):
            rows.append((f"on.{name}", _first_paragraph(decorator.__doc__)))
    return _table(("decorator", "where the function runs"), rows)


def _fields() -> list[str]:
    lines = ["| field type | kernel side | filled by | meaning |", "| --- " * 4 + "|"]
    # Those that few tools need have modules of their own.
    found = {name: getattr(fields, name) for name in fields.__all__}
    found.update({kind.__name__: kind for kind in (KernelStack, UserStack)})
    for name, field in sorted(found.items()):
        if not isinstance(field, type) or not issubclass(field, fields.Field):
            continue
        if field is not fields.Field:
            fill = f"`bpf.{field.fill}()`" if field.fill else ""
            meaning = _cell(_first_paragraph(field.__doc__))
            lines.append(f"| `{name}` | `{field.ctype}` | {fill} | {meaning} |")
    return lines


def _first_paragraph(text: str | None) -> str:
    return (text or "").split("\n\n")[0]


def _options(tool: str) -> list[str]:
    rows = [(_look(each), each.help) for each in _in_order(load(tool).options.options)]
    return _table(("option", "meaning"), rows)


def _in_order(options: dict[str, Option]) -> list[Option]:
    """The options under their headings, a tool's own first, as its help has them."""
    headings = list(dict.fromkeys(each.heading for each in options.values()))
    own_first = headings[::-1]
    return sorted(options.values(), key=lambda each: own_first.index(each.heading))


def _look(option: Option) -> str:
    """How an option is written."""
    value = "" if option.type is bool else option.metavar or option.name.upper()
    if not option.flags:
        return value
    return f"{', '.join(option.flags)} {value}".rstrip()


def _losses() -> list[str]:
    rows = [
        (cause.replace(" ", "_"), meaning + ", at most" * (cause in AT_MOST))
        for cause, meaning in MEANINGS.items()
    ]
    return _table(("key", "a count says: so many"), rows)


_TABLES: dict[str, Callable[..., list[str]]] = {
    "intrinsics": _intrinsics,
    "methods": _methods,
    "probes": _probes,
    "fields": _fields,
    "options": _options,
    "losses": _losses,
}


def main() -> None:
    """Write the pages anew."""
    for page in pages():
        page.write_text(generated(page.read_text()))


if __name__ == "__main__":
    main()
