"""What `skep doctor` says, without a kernel."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from skep.errors import NotPermitted, SkepError, TargetError, UsageError
from skep.output.receipts import Receipt
from skep.runtime.features import Verdict
from skep.target import Target
from skep.toolkit.doctor import Finding, System, examine, findings_of
from skep.toolkit.tool import load, tool_names

SYSTEM = System(
    "6.1.0",
    "x86_64",
    "",
    "tracefs is not mounted",
    "integrity",
    "2",
    {"CAP_BPF": True, "CAP_PERFMON": False},
    {"maps": Verdict(True), "kprobes": Verdict(False, "there are none")},
)


class Untyped:
    """The facts of a kernel that was built without BTF."""

    release = "5.4.0"
    machine = "x86_64"

    def btf(self, module: str) -> None:
        return None

    def event_format(self, category: str, event: str) -> None:
        return None

    def tracefs_problem(self) -> SkepError:
        return NotPermitted("no permission")

    def symbols(self, names: Iterable[str]) -> set[str]:
        return set()

    def cpus_possible(self) -> int:
        return 1


TRACING = [name for name in tool_names() if not load(name).hook("listing")]


def test_what_cannot_be_listed_is_named() -> None:
    (finding,) = findings_of(load("tplist"), Target(Untyped()))
    assert isinstance(finding.error, NotPermitted)


@pytest.mark.parametrize("name", TRACING)
def test_a_kernel_without_types_is_named(name: str) -> None:
    findings = list(findings_of(load(name), Target(Untyped())))
    assert findings
    for finding in findings:
        assert isinstance(finding.error, TargetError)
        assert "does not describe its types" in str(finding.error)
        assert "CONFIG_DEBUG_INFO_BTF" in finding.text()


def test_the_system_for_people() -> None:
    lines = dict(line.split(maxsplit=1) for line in SYSTEM.text().splitlines())
    assert lines["kernel"] == "6.1.0 x86_64"
    assert lines["BTF"] == "yes"
    assert lines["tracefs"] == "no: tracefs is not mounted"
    assert (lines["capabilities"], lines["missing"]) == ("CAP_BPF", "CAP_PERFMON")
    assert (lines["maps"], lines["kprobes"]) == ("yes", "no: there are none")


def test_the_system_as_json() -> None:
    found = json.loads(SYSTEM.line())
    assert (found["type"], found["schema"]) == ("doctor", "skep.doctor.system/1")
    assert found["capabilities"] == {"CAP_BPF": True, "CAP_PERFMON": False}
    assert found["features"]["kprobes"] == {"ok": False, "reason": "there are none"}


def test_a_probe_that_options_add() -> None:
    receipt = Receipt("failed", "raw_tracepoint:sys_exit", "less", [("tp_btf:x", "no")])
    assert Finding(receipt, "-x", None).text() == (
        "  failed: raw_tracepoint:sys_exit (less) [with -x]\n    not tp_btf:x: no\n"
    )


def test_a_probe_that_fails() -> None:
    error = NotPermitted("not permitted", notes=["why"], hint="do this")
    finding = Finding(Receipt("failed", None), "", error)
    assert finding.text() == (
        "  failed: not attached\n    not permitted\n    note: why\n    hint: do this\n"
    )
    items = finding.items()
    assert (items["error"], items["option"]) == ("not permitted", None)
    assert (items["notes"], items["hint"]) == (["why"], "do this")


@pytest.mark.parametrize("argument", ["--nonsense", "no-such-tool"])
def test_wrong_arguments(argument: str) -> None:
    with pytest.raises(UsageError):
        examine([argument])
