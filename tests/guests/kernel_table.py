"""Tables of what works on which kernel, made of the results of test runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.guests.results import Results

_BLOCK = re.compile(
    r"<!-- recorded: (?P<name>\w+) -->\n.*?<!-- end of recorded -->\n", re.DOTALL
)
_PROCESS = re.compile(r"of process \d+")
_VERSION = re.compile(r"(\d+)\.(\d+)")


class Machine(NamedTuple):
    """The results of one machine, and what its column is called."""

    title: str
    results: Results


def filled(page: str, machines: Mapping[str, Results]) -> str:
    """The text of a page with its tables made of the results of these machines."""
    columns = [
        Machine(_title(name, results), results)
        for name, results in machines.items()
        if results.is_examined
    ]
    columns.sort(key=lambda each: _order(each.title))

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        lines = _TABLES[name](columns)
        return "\n".join(
            [f"<!-- recorded: {name} -->", *lines, "<!-- end of recorded -->", ""]
        )

    return _BLOCK.sub(block, page)


def _title(name: str, results: Results) -> str:
    """The kernel's version, and what is special, which stands in the name."""
    release = results.system["kernel"]
    found = _VERSION.match(release)
    assert found is not None, release
    _, _, special = name.partition("-")
    return f"{found[0]} {special}".rstrip()


def _order(title: str) -> tuple[str, list[int]]:
    version, _, special = title.partition(" ")
    return special, [int(number) for number in version.split(".")]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(titles), "| --- " * len(titles) + "|"]
    return lines + [_row(cells) for cells in rows]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machines(machines: Sequence[Machine]) -> list[str]:
    """One row for each machine that tests ran on."""
    rows = []
    for _, each in machines:
        outcomes = [entry["outcome"] for entry in each.tests.values()]
        passed, skipped = outcomes.count("passed"), outcomes.count("skipped")
        failed = len(outcomes) - passed - skipped
        numbers = map(str, (passed, failed, skipped))
        release, architecture = each.system["kernel"], each.system["architecture"]
        rows.append((release, architecture, each.python, *numbers))
    titles = ("kernel", "architecture", "Python", "tests passed", "failed", "skipped")
    return _table(titles, rows)


def _features(machines: Sequence[Machine]) -> list[str]:
    """What `skep doctor` says of the kernels themselves."""
    features = [machine.results.system["features"] for machine in machines]
    names = dict.fromkeys(name for each in features for name in each)
    rows = [(name, *(_yes(each.get(name)) for each in features)) for name in names]
    return _table(("facility", *(machine.title for machine in machines)), rows)


def _yes(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "?"
    return "yes" if verdict["ok"] else "no"


def _tools(machines: Sequence[Machine]) -> list[str]:
    """One row for each tool: what it is attached to on each kernel, and notes."""
    notes: dict[str, int] = {}
    results = [machine.results for machine in machines]
    names = sorted({name for each in results for name in each.tools})
    rows = [
        (f"`{name}`", *(_cell(each, name, notes) for each in results)) for name in names
    ]
    lines = _table(("tool", *(machine.title for machine in machines)), rows)
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
    elif not any(machine.runs(tool)):
        state = "not tested"
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
            # Processes that happened to run are nothing of the kernel.
            parts = [p for p in text.split("; ") if not _PROCESS.search(p)]
            notes.append(option + " ".join("; ".join(parts).split()))
    return notes


_TABLES: dict[str, Callable[[Sequence[Machine]], list[str]]] = {
    "machines": _machines,
    "tools": _tools,
    "facilities": _features,
}
