"""What a tool shows: reports, fed by a run or by the recording of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from skep.authoring.outputs import Stream, Table
from skep.errors import InternalError
from skep.escape import escape
from skep.fields import Context
from skep.output.decoder import Ring
from skep.output.events import Events
from skep.output.record_types import RecordType
from skep.output.writer import Writer
from skep.runtime.ledger import Reader
from skep.toolkit.binding import Binding
from skep.toolkit.tool import Tool

if TYPE_CHECKING:
    from skep.toolkit.snapshot import Snapshot


class Report(Protocol):
    """What a tool shows, fed by the run loop."""

    def start(self) -> None:
        """Everything is attached."""

    def records(self) -> None:
        """There are records in the ring buffer."""

    def interval(self) -> bool:
        """An interval is over; False ends the run."""

    def finish(self) -> None:
        """The run ends."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be shown."""


class Following(Protocol):
    """A ledger of losses, which adds those that readers notice."""

    def follow(self, reader: Reader) -> None:
        """Add what this reader counts, now and later."""


class Source(Protocol):
    """Where it comes from: a run, or the recording of one."""

    tool: Tool
    options: Any
    binding: Binding
    context: Context
    writer: Writer

    @property
    def ring(self) -> Ring:
        """What the records are read from."""

    @property
    def ledger(self) -> Following:
        """What counts the losses."""

    def record_type(self, stream: Stream) -> RecordType:
        """A stream's records as output sees them."""

    def snapshot(self) -> Snapshot:
        """What was counted since the last call."""

    def show_banner(self) -> None:
        """Write what the tool says at its start."""


class EventReport:
    """The rows of a tool's streams."""

    def __init__(self, run: Source, streams: Sequence[Stream]) -> None:
        self.ring = run.ring
        self._run = run
        records = [run.record_type(stream) for stream in streams]
        filters = run.tool.hook("filters")
        options: Any = run.binding.options
        self._form = options.format
        self.events = Events(
            records,
            options.format,
            run.context,
            run.writer,
            filters(options) if filters else (),
            options.sort,
            most_rows(options),
            getattr(options, "aggregate", False),
        )
        run.ledger.follow(self.events.counters)

    def start(self) -> None:
        """Show the banner and the header."""
        if self._form == "table":
            self._run.show_banner()
        self.events.header()

    def records(self) -> None:
        """Show the records that have come."""
        self.events.drain(self.ring)

    def interval(self) -> bool:
        """Rows have no intervals."""
        return True

    def finish(self) -> None:
        """Show the last rows."""
        self.records()
        self.events.finish()

    @property
    def is_done(self) -> bool:
        """Whether the limit of rows is reached."""
        return self.events.is_full


def most_rows(options: Any) -> int | None:
    """After how many rows of a stream to stop, None for no limit."""
    limits = [options.limit] if options.sort else [options.limit, options.count]
    return min((limit for limit in limits if limit is not None), default=None)


def record_type(binding: Binding, stream: Stream) -> RecordType:
    """A stream's records as output sees them."""
    bound: Any = binding.bind(stream)
    options: Any = binding.options
    columns = options.columns.split(",") if options.columns else None
    schema = f"{binding.tool.name}.{stream.record.__name__.lower()}/1"
    return RecordType(
        bound.layout, binding.stream_members(stream), schema, columns=columns
    )


def banner_of(binding: Binding, places: int) -> str:
    """The lines that a tool shows at its start; "" for none."""
    hook = binding.tool.hook("banner")
    if hook:
        text = hook(binding.options, places)
    else:
        text = binding.value_of(getattr(binding.tool.module, "BANNER", ""))
    # What it quotes may be from a file of somebody else's.
    return "".join(f"{escape(line)}\n" for line in text.splitlines())


def report_of(run: Source) -> Report:
    """The report that the tool and its options ask for."""
    streams = list(run.tool.streams.values())
    for name in ("folded", "flamegraph") if streams else ():
        if getattr(run.options, name, None):
            from skep.toolkit.folded_report import FoldedReport

            return FoldedReport(run, streams)
    if streams:
        return EventReport(run, streams)
    histograms, tables = run.tool.histograms, run.tool.tables
    outputs: list[Any] = [*tables.values(), *histograms.values()]
    if any(output.title for output in outputs):
        from skep.toolkit.several_reports import SeveralReports

        return SeveralReports(run)
    for name, histogram in histograms.items():
        from skep.toolkit.histogram_report import HistogramReport

        return HistogramReport(run, name, histogram)
    for name, table in tables.items():
        return _table_report(run, name, table)
    raise InternalError(f"{run.tool.name} declares no output")


def _table_report(run: Source, name: str, table: Table) -> Report:
    if any(member.field.is_stack for member in table.key.members):
        from skep.toolkit.stack_report import StackReport

        return StackReport(run, name, table)
    from skep.toolkit.table_report import TableReport

    return TableReport(run, name, table)
