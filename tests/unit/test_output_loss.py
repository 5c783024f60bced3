from __future__ import annotations

import json

from skep.errors import CompileError, Span
from skep.output.loss import MEANINGS, LossReporter
from skep.output.receipts import Receipt, error_line
from skep.spec import LEDGER_CAUSES

NOTHING: dict[str, int | None] = dict.fromkeys(LEDGER_CAUSES, 0)


class Reports:
    """A reporter and what it said."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.records: list[str] = []
        self.reporter = LossReporter(self.warnings.append, self.records.append)


def test_every_cause_has_a_meaning() -> None:
    assert set(LEDGER_CAUSES) <= set(MEANINGS)


def test_without_losses_only_json_says_so() -> None:
    reports = Reports()
    reports.reporter.report(NOTHING, 1)
    reports.reporter.finish(NOTHING, 2)
    assert reports.warnings == []
    [record] = map(json.loads, reports.records)
    assert record == {
        "type": "loss",
        "schema": "skep.loss/1",
        "time_ns": 2,
        **{cause.replace(" ", "_"): 0 for cause in LEDGER_CAUSES},
    }


def test_new_losses_are_told_at_once_and_sums_at_the_end() -> None:
    reports = Reports()
    reports.reporter.report({**NOTHING, "ring full": 5}, 1)
    reports.reporter.report({**NOTHING, "ring full": 5}, 2)
    reports.reporter.report({**NOTHING, "ring full": 7, "truncated": 1}, 3)
    reports.reporter.finish({**NOTHING, "ring full": 7, "truncated": 1}, 4)
    full, cut = (MEANINGS[cause] for cause in ("ring full", "truncated"))
    assert reports.warnings == [
        f"warning: 5 {full}\n",
        f"warning: 2 {full}\nwarning: 1 {cut}\n",
        f"warning: in all 7 {full}\nwarning: in all 1 {cut}\n",
    ]
    assert [json.loads(record)["ring_full"] for record in reports.records] == [5, 7, 7]


def test_what_the_kernel_does_not_count_is_null() -> None:
    reports = Reports()
    reports.reporter.report({"recursion": None, "new cause": 3}, 1)
    assert reports.warnings == ["warning: 3 new cause\n"]
    record = json.loads(reports.records[0])
    assert record["recursion"] is None
    assert record["new_cause"] == 3


def test_without_json_there_are_only_warnings() -> None:
    warnings: list[str] = []
    reporter = LossReporter(warnings.append, None)
    reporter.finish({"ring full": 1}, 1)
    assert warnings == [f"warning: 1 {MEANINGS['ring full']}\n"]


RECEIPT = Receipt(
    "opened", "tracepoint:syscalls:sys_exit_open", "", [("fexit", "not permitted")]
)


def test_receipts() -> None:
    assert RECEIPT.text() == (
        "opened: tracepoint:syscalls:sys_exit_open\n  not fexit: not permitted\n"
    )
    assert Receipt("p", None).text() == "p: not attached\n"
    assert Receipt("p", "kprobe:f", "no x").text() == "p: kprobe:f (no x)\n"


def test_receipts_in_json() -> None:
    assert json.loads(RECEIPT.line(5)) == {
        "type": "receipt",
        "schema": "skep.receipt/1",
        "time_ns": 5,
        "program": "opened",
        "attached": "tracepoint:syscalls:sys_exit_open",
        "note": "",
        "refused": [{"candidate": "fexit", "reason": "not permitted"}],
    }


def test_errors_in_json() -> None:
    span = Span("tool.py", 3, 4, 8, "x = y")
    line = json.loads(error_line(CompileError("no such", span, ["a"], "b"), 6))
    assert line == {
        "type": "error",
        "schema": "skep.error/1",
        "time_ns": 6,
        "message": "no such",
        "place": "tool.py:3:5",
        "notes": ["a"],
        "hint": "b",
    }
