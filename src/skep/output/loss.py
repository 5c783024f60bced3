"""Reports of what was lost: on standard error, and as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skep.output.json_lines import line

Losses = Mapping[str, "int | None"]
"""Counts by cause, as `skep.runtime.ledger` gives them; None: the kernel can't tell."""

SCHEMA = "skep.loss/1"

MEANINGS: Mapping[str, str] = {
    "ring full": "events lost because the ring buffer was full",
    "map full": "events lost or not counted because a map was full",
    "failed read": "reads of memory failed, so that fields are zero or empty",
    "truncated": "texts were longer than their field and are cut",
    "scratch busy": "events lost because a program was interrupted by another",
    "loop limit": "loops reached their limit, so that results are incomplete",
    "unpaired": "events lost because their calls had been crowded out of a map",
    "stack collision": "stacks lost because others had their places in the map",
    "missed returns": "events lost because the kernel missed returns of functions",
    "recursion": "events lost because a program was already running on the CPU",
}
"""What a count of each cause says, after the number."""

AT_MOST = frozenset(("recursion",))
"""Causes whose events are counted before a program can tell whether they matter."""


def loss_text(losses: Losses, scope: str = "") -> str:
    """A line for each cause with a count, "" for none; `scope` is put before it."""
    return "".join(
        f"warning: {scope}{number(cause, count)} {MEANINGS.get(cause, cause)}\n"
        for cause, count in losses.items()
        if count
    )


def sentence(losses: Losses) -> str:
    """The same in one line, "" for nothing lost."""
    return "; ".join(
        f"{number(cause, count)} {MEANINGS.get(cause, cause)}"
        for cause, count in losses.items()
        if count
    )


def number(cause: str, count: int) -> str:
    """A count as text, which says so if there may be fewer."""
    return f"up to {count}" if cause in AT_MOST else str(count)


def loss_line(losses: Losses, time_ns: int) -> str:
    """All counts as one JSON line; null where the kernel can't tell."""
    counts = {cause.replace(" ", "_"): count for cause, count in losses.items()}
    return line("loss", SCHEMA, time_ns, counts)


class LossReporter:
    """Reports what was lost since the last report, and everything at the end.

    `warn` takes text for standard error; `record`, None without JSON output, takes the
    JSON line, whose counts are always those since the start.
    """

    def __init__(
        self,
        warn: Callable[[str], None],
        record: Callable[[str], None] | None,
    ) -> None:
        self._warn = warn
        self._record = record
        self._reported: dict[str, int | None] = {}

    def report(self, losses: Losses, time_ns: int) -> None:
        """Tell of new losses; silent when there are none."""
        new = {
            cause: count - (self._reported.get(cause) or 0)
            for cause, count in losses.items()
            if count
        }
        if not any(new.values()):
            return
        self._reported = dict(losses)
        self._warn(loss_text(new))
        if self._record:
            self._record(loss_line(losses, time_ns))

    def finish(self, losses: Losses, time_ns: int) -> None:
        """Tell the sums; JSON output ends with them even when nothing was lost."""
        # Sums are marked as such where parts of them were reported before.
        text = loss_text(losses, "in all " if self._reported else "")
        if text:
            self._warn(text)
        if self._record:
            self._record(loss_line(losses, time_ns))
