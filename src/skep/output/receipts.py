"""Receipts: what was attached, what was tried before it, and errors as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skep.errors import SkepError
from skep.named_tuple import NamedTuple
from skep.output.json_lines import line

SCHEMA = "skep.receipt/1"
ERROR_SCHEMA = "skep.error/1"
COST_SCHEMA = "skep.cost/1"


class Receipt(NamedTuple):
    """How one program came to be attached.

    `attached` is the candidate in use ("tp_btf:sys_exit"), None if all failed; `note`
    says what precision it gives up.  `refused` has the candidates that were tried
    before, each with the reason why not.
    """

    program: str
    attached: str | None
    note: str = ""
    refused: Sequence[tuple[str, str]] = ()

    def text(self) -> str:
        """Lines for standard error."""
        note = f" ({self.note})" if self.note else ""
        lines = [f"{self.program}: {self.attached or 'not attached'}{note}\n"]
        lines += [f"  not {name}: {reason}\n" for name, reason in self.refused]
        return "".join(lines)

    def items(self) -> dict[str, Any]:
        """What JSON has; the keys are those of this class."""
        refused = [
            {"candidate": name, "reason": reason} for name, reason in self.refused
        ]
        return {**self._asdict(), "refused": refused}

    def line(self, time_ns: int) -> str:
        """The JSON line."""
        return line("receipt", SCHEMA, time_ns, self.items())


def error_line(error: SkepError, time_ns: int) -> str:
    """The JSON line of an error, as far as the output got."""
    diagnostic = error.diagnostic
    items = {
        "message": diagnostic.message,
        "place": str(diagnostic.span) if diagnostic.span else None,
        "notes": list(diagnostic.notes),
        "hint": diagnostic.hint,
    }
    return line("error", ERROR_SCHEMA, time_ns, items)
