"""What several hosts report, as the output of one tool."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from skep.escape import escape
from skep.output.text_rows import quoted
from skep.output.writer import HEADS, Writer
from skep.remote.hosts import Host
from skep.remote.parts import part_of
from skep.remote.reports import Report, Reports
from skep.remote.wire import (
    Frame,
    NotWire,
    json_object,
    number_of,
    pairs_of,
    text_of,
    texts_of,
)

ON_HOST = "on_host"
"""The key in JSON: `host` is what some tool looks up."""

_TITLE, _OTHER_TITLE = "HOST", "ON_HOST"

_JSON_ROWS = ('{"type":"event"', '{"type":"listing"')
"""How lines of JSON begin that `limit` is about."""


class Merged:
    """Writes what comes from hosts, rows with the name of the host before them.

    `form` is "table", "csv" or "json"; `is_descending` that of `--sort`; with `limit`
    that many rows are written and no more.  `tell` writes a line about a host to
    standard error.  All that comes is as hostile as what is traced there.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        form: str,
        writer: Writer,
        tell: Callable[[Host, str], None],
        is_descending: bool = False,
        limit: int | None = None,
    ) -> None:
        self._form = form
        self._writer = writer
        self._tell = tell
        self._is_descending = is_descending
        self._left = limit
        self._banner: str | None = None
        self._header: str | None = None
        self._ranked: dict[Host, list[tuple[Any, str]]] = {host: [] for host in hosts}
        self._counted: dict[str, int] = {}
        self._reports = Reports(writer, tell)
        self._farewell = ""
        self._labels = {host: escape(host.label) for host in hosts}
        self._width = 0
        self._set_title(_TITLE)
        self._kinds: Mapping[str, Callable[[Host, Any], None]] = {
            "banner": self._add_banner,
            "header": self._add_header,
            "rows": self._add_rows,
            "ranked": self._add_ranked,
            "counted": self._add_counted,
            "bare": self._add_bare,
            "report": self._add_report,
            "farewell": self._add_farewell,
        }

    def show(self, host: Host, frame: Frame) -> None:
        """Show what a host says, now or at the end.

        Raises NotWire, OutputClosed.
        """
        kind, content = frame
        if kind not in self._kinds:
            raise NotWire
        self._kinds[kind](host, content)

    @property
    def is_full(self) -> bool:
        """Whether `limit` rows have been written."""
        return self._left is not None and self._left <= 0

    def settle(self, running: AbstractSet[Host]) -> None:
        """Show the reports that are complete, while these hosts run.

        Raises OutputClosed.
        """
        self._reports.settle(running)

    def finish(self) -> None:
        """Show what was kept for the end.  Raises OutputClosed."""
        ranked = [pair for pairs in self._ranked.values() for pair in pairs]
        ranked.sort(key=lambda pair: pair[0], reverse=self._is_descending)
        self._write([row for _, row in ranked])
        if self._counted:
            self._writer.counted(self._counted)
        self._reports.finish()
        self._writer.text(self._farewell)

    def _add_banner(self, host: Host, content: Any) -> None:
        text = _shown(text_of(content))
        if self._banner is None:
            self._banner = text
            self._writer.text(text)
        elif text != self._banner:
            self._writer.text(f"{escape(host.label)}: {text}")

    def _add_header(self, host: Host, content: Any) -> None:
        text = _shown(text_of(content))
        if self._header is None:
            self._header = text
            words = text.replace(",", " ").split()
            title = _OTHER_TITLE if _TITLE in words else _TITLE
            self._set_title(title)
            first = f"{title}," if self._form == "csv" else f"{title:<{self._width}}"
            self._writer.text(first + text)
        elif text != self._header:
            self._tell(host, f"its columns are others: {text.rstrip()}")

    def _set_title(self, title: str) -> None:
        """Begin rows with hosts under this title."""
        if self._form == "csv":
            cells = {host: f"{quoted(host.label)}," for host in self._labels}
        else:
            width = max(map(len, [title, *self._labels.values()]))
            cells = {h: f"{label:<{width}} " for h, label in self._labels.items()}
            self._width = width + 1
        self._before: Mapping[Host, str] = cells

    def _add_rows(self, host: Host, content: Any) -> None:
        self._write([self._row(host, row) for row in texts_of(content)])

    def _add_ranked(self, host: Host, content: Any) -> None:
        for key, row in pairs_of(content):
            shown = self._row(host, text_of(row))
            self._ranked[host].append((_ordered(key), shown))

    def _add_counted(self, host: Host, content: Any) -> None:
        for row, number in pairs_of(content):
            shown = self._row(host, text_of(row))
            self._counted[shown] = self._counted.get(shown, 0) + number_of(number)

    def _add_bare(self, host: Host, content: Any) -> None:
        lines = [_shown(line) for line in texts_of(content)]
        if self._left is not None:
            lines = lines[: max(self._left, 0)]
            self._left -= len(lines)
        self._writer.lines(lines)

    def _add_report(self, host: Host, content: Any) -> None:
        if (
            not isinstance(content, list)
            or len(content) != 4
            or content[0] not in HEADS
        ):
            raise NotWire
        head, is_last, is_cumulative, parts = content
        if not isinstance(parts, list):
            raise NotWire
        found = [part_of(part, self._form) for part in parts]
        self._reports.add(host, Report(head, bool(is_last), bool(is_cumulative), found))

    def _add_farewell(self, host: Host, content: Any) -> None:
        self._farewell = _shown(text_of(content))

    def _write(self, rows: Iterable[str]) -> None:
        if self._left is None:
            self._writer.lines(list(rows))
            return
        written = []
        for row in rows:
            is_row = self._form != "json" or row.startswith(_JSON_ROWS)
            if is_row and self._left <= 0:
                continue
            self._left -= is_row
            written.append(row)
        self._writer.lines(written)

    def _row(self, host: Host, row: str) -> str:
        if self._form == "json":
            return json_row(host, row)
        first, *others = _shown(row).splitlines(keepends=True) or ["\n"]
        indent = "" if self._form == "csv" else " " * self._width
        below = [indent + line if line != "\n" else line for line in others]
        return self._before[host] + first + "".join(below)


def json_row(host: Host, row: str) -> str:
    """A line of JSON that says from which host it is.  Raises NotWire."""
    found = json_object(row)
    common = {key: found.get(key) for key in ("type", "schema", "time_ns")}
    line = {**common, ON_HOST: host.label, **found, **common}
    line[ON_HOST] = host.label
    return json.dumps(line, separators=(",", ":")) + "\n"


def _shown(text: str) -> str:
    """Lines made safe once more: who knows what runs there."""
    lines = text.split("\n")
    return "\n".join(map(escape, lines))


def _ordered(key: Any) -> tuple[str, Any]:
    """A key of a row as something to sort by.  Raises NotWire."""
    if not isinstance(key, (int, str)):
        raise NotWire
    return type(key).__name__, key
