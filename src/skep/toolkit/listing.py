"""Tools that list what there is and trace nothing.

Such a tool has a function `listing(options, target)` that gives a record class and its
records; they are shown as rows are, but in a table without a header.
"""

from __future__ import annotations

from typing import Any

from skep.errors import UsageError
from skep.fields import Context
from skep.output.decode import format_function
from skep.output.events import header_line
from skep.output.ranking import Ranking
from skep.output.record_types import RecordType
from skep.output.writer import OutputClosed, Writer
from skep.target import Target
from skep.toolkit.binding import Binding
from skep.toolkit.key_values import named_layout
from skep.toolkit.tool import Listing, Tool


def listing_of(tool: Tool, options: Any, target: Target) -> Listing:
    """What a tool lists with these options.  Raises SkepError."""
    hook = tool.hook("listing")
    assert hook is not None
    found: Listing = hook(options, target)
    return found


def show_listing(tool: Tool, options: Any, target: Target, writer: Writer) -> int:
    """Write all of a listing; the exit status.  Raises SkepError."""
    if options.dump:
        raise UsageError(f"{tool.name} has no programs to dump")
    listing = listing_of(tool, options, target)
    members = Binding(tool, options).visible(listing.record)
    record = RecordType(
        named_layout(members),
        members,
        f"{tool.name}.{listing.record.__name__.lower()}/1",
        "listing",
        options.columns.split(",") if options.columns else None,
    )
    context = Context()
    rows = [tuple(getattr(row, m.name) for m in members) for row in listing.rows]
    limits = [each for each in (options.limit, options.count) if each is not None]
    limit = min(limits, default=None)
    ranking = Ranking(record, context, options.sort, limit) if options.sort else None
    if ranking is not None:
        ranking.add(rows)
        rows = list(map(tuple, ranking.take()))
    rows = rows[:limit]
    lines = format_function(record, options.format, context)(rows)
    header = header_line(record, "csv", context) if options.format == "csv" else ""
    try:
        writer.header(header)
        if ranking is None:
            writer.lines(lines)
        else:
            writer.ranked(lines, map(ranking.key, rows))
    except OutputClosed:
        pass
    return 0
