"""Tables of what works on which kernel, made of the results of test runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.guests.results import Results

_BLOCK = re.compile(
    r"<!-- recorded: (?P<name>\w+) -->\n.*?<!-- end of recorded -->\n", re.DOTALL
)
_VERSION = re.compile(r"(\d+)\.(\d+)")


def filled(page: str, machines: Iterable[Results]) -> str:
    """The text of a page with its tables made of these results."""
    columns = sorted((m for m in machines if m.is_examined), key=_order)

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        lines = _TABLES[name](columns)
        return "\n".join(
            [f"<!-- recorded: {name} -->", *lines, "<!-- end of recorded -->", ""]
        )

    return _BLOCK.sub(block, page)


def _order(machine: Results) -> tuple[bool, tuple[int, ...]]:
    return _is_foreign(machine), tuple(map(int, _version(machine).split(".")))


def _is_foreign(machine: Results) -> bool:
    return bool(machine.system["architecture"] != "x86_64")


def _version(machine: Results) -> str:
    found = _VERSION.match(machine.system["kernel"])
    assert found is not None, machine.system["kernel"]
    return found[0]


def _title(machine: Results) -> str:
    architecture = f" {machine.system['architecture']}" * _is_foreign(machine)
    return _version(machine) + architecture


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(titles), "| --- " * len(titles) + "|"]
    return lines + [_row(cells) for cells in rows]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machines(machines: Sequence[Results]) -> list[str]:
    """One row for each machine that tests ran on."""
    rows = []
    for each in machines:
        outcomes = [entry["outcome"] for entry in each.tests.values()]
        passed, skipped = outcomes.count("passed"), outcomes.count("skipped")
        failed = len(outcomes) - passed - skipped
        numbers = map(str, (passed, failed, skipped))
        release, architecture = each.system["kernel"], each.system["architecture"]
        rows.append((release, architecture, each.python, *numbers))
    titles = ("kernel", "architecture", "Python", "tests passed", "failed", "skipped")
    return _table(titles, rows)


def _features(machines: Sequence[Results]) -> list[str]:
    """What `skep doctor` says of the kernels themselves."""
    names = list(dict.fromkeys(n for m in machines for n in m.system["features"]))
    rows = [
        (name, *(_yes(m.system["features"].get(name)) for m in machines))
        for name in names
    ]
    return _table(("facility", *map(_title, machines)), rows)


def _yes(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "?"
    return "yes" if verdict["ok"] else "no"


def _tools(machines: Sequence[Results]) -> list[str]:
    """One row for each tool: what it is attached to on each kernel, and notes."""
    notes: dict[str, int] = {}
    names = sorted({name for machine in machines for name in machine.tools})
    rows = [(f"`{name}`", *(_cell(m, name, notes) for m in machines)) for name in names]
    lines = _table(("tool", *map(_title, machines)), rows)
    return [*lines, "", *(f"{number}. {text}" for text, number in notes.items())]


def _cell(machine: Results, tool: str, notes: dict[str, int]) -> str:
    said = machine.tools.get(tool)
    if said is None:
        return "?"
    numbers = [notes.setdefault(n, len(notes) + 1) for n in _notes(said)]
    kinds = dict.fromkeys(
        kind for probe in said["probes"] for kind in _kinds(probe["attached"])
    )
    if not said["works"]:
        state = "no"
    elif machine.disagreement(tool):
        state = "**fails its tests**"
    else:
        state = ", ".join(kinds)
    references = ", ".join(map(str, dict.fromkeys(numbers)))
    return f"{state} ({references})" if references else state


def _kinds(attached: str | None) -> list[str]:
    """The kind of probe in "tp_btf:sys_exit"; nothing if it is not attached."""
    return [attached.partition(":")[0]] if attached else []


def _notes(said: Mapping[str, Any]) -> list[str]:
    """What is given up, or missing, on one kernel."""
    notes = []
    for probe in said["probes"]:
        text = probe["error"] or probe["note"]
        if text:
            option = f"with `{probe['option']}`: " if probe["option"] else ""
            notes.append(option + " ".join(text.split()))
    return notes


_TABLES: dict[str, Callable[[Sequence[Results]], list[str]]] = {
    "machines": _machines,
    "tools": _tools,
    "facilities": _features,
}
