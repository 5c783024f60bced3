"""What the live tests and `skep doctor` have found on one machine.

The last results of each machine are kept in the cache: docs/kernels.md is made of
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.guests import cache

Report = Sequence[Mapping[str, Any]]


class Results:
    """The report that `inside.py` wrote, up to where it came."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._examination = next((e for e in report if "doctor" in e), None)
        self.tests = {entry["test"]: entry for entry in report if "test" in entry}

    @property
    def is_examined(self) -> bool:
        """Whether `skep doctor` had its say."""
        return self._examination is not None

    @property
    def python(self) -> str:
        """The version of the machine's Python."""
        return str((self._examination or {}).get("python", ""))

    @property
    def system(self) -> Mapping[str, Any]:
        """What the doctor says of the machine; empty if it did not come so far."""
        return next((o for o in self._said() if "tool" not in o), {})

    @property
    def tools(self) -> dict[str, Mapping[str, Any]]:
        """What the doctor says of each tool."""
        return {said["tool"]: said for said in self._said() if "tool" in said}

    def _said(self) -> Sequence[Mapping[str, Any]]:
        said: Sequence[Mapping[str, Any]] = (self._examination or {}).get("doctor", ())
        return said

    def runs(self, tool: str) -> Iterator[Mapping[str, Any]]:
        """The tests that have run a tool, apart from those that were skipped."""
        for entry in self.tests.values():
            if tool in entry.get("tools", ()) and entry["outcome"] != "skipped":
                yield entry

    def works(self, tool: str) -> bool:
        """Whether tests have run a tool, and all of them have passed."""
        outcomes = {entry["outcome"] for entry in self.runs(tool)}
        return outcomes == {"passed"}

    def disagreement(self, tool: str) -> str:
        """How the tests belie what the doctor says of a tool; "" if they do not."""
        if tool not in self.tools:
            return "skep doctor says nothing of it"
        names: dict[str, list[str]] = {"passed": [], "failed": []}
        for entry in self.runs(tool):
            names.setdefault(entry["outcome"], []).append(entry["test"])
        if self.tools[tool]["works"]:
            if names["failed"]:
                return (
                    f"skep doctor says it works; failed: {', '.join(names['failed'])}"
                )
            return "" if names["passed"] else "said to work, but no test has run it"
        if names["passed"]:
            return f"skep doctor says no; passed: {', '.join(names['passed'])}"
        return ""


def save(machine: str, report: Report) -> None:
    """Keeps a report; `machine` is a kernel's version or another word."""
    text = "".join(json.dumps(entry) + "\n" for entry in report)
    file = _directory() / f"{machine}.jsonl"
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def saved() -> dict[str, Results]:
    """The last results of each machine that has any."""
    files = sorted(_directory().glob("*.jsonl"))
    return {file.stem: Results(read(file)) for file in files}


def read(file: Path) -> list[dict[str, Any]]:
    """The entries of a report. An incomplete last line is left out."""
    whole_lines, _, _ = file.read_text().rpartition("\n")
    return [json.loads(line) for line in whole_lines.splitlines()]


def _directory() -> Path:
    directory = cache.directory() / "results"
    directory.mkdir(exist_ok=True)
    return directory
