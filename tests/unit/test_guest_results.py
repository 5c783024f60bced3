"""Results of live tests against what `skep doctor` said, and tables made of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.guests import kernel_table, results
from tests.guests.results import Results


def tool(name: str, works: bool = True, **probe: Any) -> dict[str, Any]:
    """What the doctor says of a tool with one probe."""
    base = {"attached": "kprobe:f", "note": "", "option": None, "error": None}
    return {"tool": name, "works": works, "probes": [{**base, **probe}]}


def machine(*tools: dict[str, Any], tests: str = "", kernel: str = "6.12.1") -> Results:
    """A machine on which tests ran that are written like "opensnoop:passed"."""
    features = {"kprobes": {"ok": kernel != "6.18.1", "reason": ""}}
    system = {"kernel": kernel, "architecture": "x86_64", "features": features}
    report: list[dict[str, Any]] = [{"doctor": [system, *tools], "python": "3.13.5"}]
    for number, test in enumerate(tests.split()):
        name, _, outcome = test.partition(":")
        report.append({"test": f"t{number}", "outcome": outcome, "tools": [name]})
    return Results(report)


@pytest.mark.parametrize(
    ("works", "tests", "expected"),
    [
        (True, "a:passed a:passed b:failed", ""),
        (True, "a:passed a:skipped", ""),
        (False, "a:skipped b:passed", ""),
        (False, "", ""),
        (False, "a:failed", ""),
        (True, "a:passed a:failed", "skep doctor says it works; failed: t1"),
        (True, "a:skipped b:passed", "said to work, but no test has run it"),
        (False, "a:skipped a:passed", "skep doctor says no; passed: t1"),
    ],
)
def test_the_doctor_is_compared_with_the_tests(
    works: bool, tests: str, expected: str
) -> None:
    assert machine(tool("a", works), tests=tests).disagreement("a") == expected


def test_a_tool_that_the_doctor_does_not_know() -> None:
    assert machine(tool("a")).disagreement("b") == "skep doctor says nothing of it"


def test_a_guest_that_died_has_nothing_to_say() -> None:
    dead = Results([])
    assert not dead.is_examined
    assert (dead.system, dead.tools, dead.python) == ({}, {}, "")


PAGE = """Text
<!-- recorded: tools -->
old
<!-- end of recorded -->
more
"""


def test_tools_by_kernel() -> None:
    refused = tool("b", False, attached=None, error="no\nmodule")
    less = tool("a", attached="tp_btf:x", note="less", option="-x")
    machines = {
        "native": machine(tool("a"), refused, tests="a:passed", kernel="6.18.1"),
        "6.1": machine(less, tool("b"), tests="a:passed b:failed", kernel="6.1.9"),
        "6.12-zfs": machine(tool("b"), tests="a:passed b:skipped"),
    }
    assert (
        kernel_table.filled(PAGE, machines)
        == """Text
<!-- recorded: tools -->
| tool | 6.1 | 6.18 | 6.12 zfs |
| --- | --- | --- | --- |
| `a` | tp_btf (1) | kprobe | ? |
| `b` | **fails its tests** | no (2) | not tested |

1. with `-x`: less
2. no module
<!-- end of recorded -->
more
"""
    )


def test_machines_and_what_they_allow() -> None:
    page = PAGE.replace("tools", "machines") + PAGE.replace("tools", "facilities")
    examined = machine(tests="a:passed a:started a:skipped")
    machines = {"6.12": examined, "7.2": Results([])}
    filled = kernel_table.filled(page, machines)
    assert "| 6.12.1 | x86_64 | 3.13.5 | 1 | 1 | 1 |\n" in filled
    assert "| kprobes | yes |\n" in filled


def test_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report = [{"test": "t", "outcome": "passed"}]
    results.save("6.12", report)
    assert {name: each.report for name, each in results.saved().items()} == {
        "6.12": report
    }


def test_an_incomplete_line_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text(json.dumps({"test": "t"}) + '\n{"te')
    assert results.read(file) == [{"test": "t"}]
