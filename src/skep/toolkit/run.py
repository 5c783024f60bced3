"""Running a tool from the command line: events, intervals, the end."""

from __future__ import annotations

import gc
import mmap
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from skep.authoring.outputs import Stream, Table
from skep.errors import Incomplete, InternalError, SkepError
from skep.fields import Clock, Context, IoFlags
from skep.fields.block import ENUMS as IO_ENUMS
from skep.output.decoder import Ring
from skep.output.events import Events
from skep.output.loss import LossReporter, sentence
from skep.output.receipts import error_line
from skep.output.record_types import RecordType
from skep.output.writer import OutputClosed, Writer
from skep.runtime.dropping import (
    NAMING_PROGRAMS,
    NAMING_THE_KERNEL,
    WRITING,
    keep_only,
)
from skep.runtime.ledger import Ledger, Reader
from skep.runtime.poller import Event, Poller
from skep.runtime.signals import StopSignals
from skep.target import Target
from skep.toolkit.binding import RING_SIZE, Binding
from skep.toolkit.child import Child
from skep.toolkit.session import Session
from skep.toolkit.tool import Tool

if TYPE_CHECKING:
    from skep.toolkit.overhead import Overhead
    from skep.toolkit.recording import Recording
    from skep.toolkit.symbol_watch import SymbolWatch

LOSS_PERIOD_S = 1.0
"""Losses are told while the tool runs, but not more often than this."""


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
    """Where events come from: a run, or the recording of one."""

    tool: Tool
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
            options.limit if options.sort else _smaller(options.limit, options.count),
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


def _smaller(a: int | None, b: int | None) -> int | None:
    """The smaller of two limits that may be missing."""
    return min((limit for limit in (a, b) if limit is not None), default=None)


def collect_garbage() -> None:
    """Let Python collect garbage, which it does not while a tool starts.

    What has been made by now lives as long as the process: collections that do not look
    at it again are cheap.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


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
    return f"{text}\n" if text else ""


def context_of(binding: Binding, target: Target) -> Context:
    """What the fields of this run need to know of the machine."""
    records = [s.record for s in binding.tool.streams.values()]
    records += [h.key for h in binding.tool.histograms.values() if h.key]
    names: dict[str, int] = {}
    if any(issubclass(m.field, IoFlags) for r in records for m in binding.visible(r)):
        for enum_name in IO_ENUMS:
            names.update(target.enumerators(enum_name))
    return Context(Clock.measure(), names, places=binding.places)


class Run:
    """One run of a tool: made, run, and gone."""

    def __init__(self, tool: Tool, options: Any, target: Target) -> None:
        self.tool = tool
        self.options = options
        self.target = target
        self.writer = Writer(1)
        self.session: Session
        self.watch: SymbolWatch | None = None
        self.overhead: Overhead | None = None
        self.recording: Recording | None = None

    @property
    def ring(self) -> Ring:
        """The ring buffer; what is read from it goes to the recording, too."""
        ring = self.session.ring
        assert ring is not None
        return self.recording.tee(ring) if self.recording else ring

    @property
    def ledger(self) -> Ledger:
        """The ledger of losses."""
        return self.session.ledger

    def record_type(self, stream: Stream) -> RecordType:
        """A stream's records as output sees them."""
        return record_type(self.binding, stream)

    def execute(self) -> int:
        """Run until something ends it; the exit status.  Raises SkepError."""
        child = Child.start(self.options)
        try:
            with StopSignals() as stop:
                return self._execute(stop, child)
        except SkepError as error:
            self._record(error)
            raise
        finally:
            if self.overhead is not None:
                self.overhead.close()
            if self.watch is not None:
                self.watch.close()
            if self.recording is not None:
                self.recording.close()
            if child is not None:
                child.close()

    def _execute(self, stop: StopSignals, child: Child | None) -> int:
        pages = getattr(self.options, "buffer_pages", None)
        ring_size = pages * mmap.PAGESIZE if pages else RING_SIZE
        is_json = self.options.format == "json"
        if self.options.record:
            from skep.toolkit.recording import check_recordable

            check_recordable(self.tool)
        if self.tool.hook("listing"):
            from skep.toolkit.listing import show_listing

            return show_listing(self.tool, self.options, self.target, self.writer)
        self.tool = self.tool.declared(self.options, self.target)
        self.binding = Binding(self.tool, self.options, ring_size, is_json)
        if self.options.dump:
            from skep.toolkit.dump import dump

            return dump(self.options.dump, self.binding, self.target)
        self.context = context_of(self.binding, self.target)
        if self.options.verbose or self.options.max_overhead is not None:
            from skep.toolkit.overhead import Overhead

            self.overhead = Overhead(self.options, self._warn)
        # Before anything is attached: whoever is traced shall be known.
        self.watch = self._watch()
        with Session(self.binding, self.target) as self.session:
            if self.overhead is not None:
                self.overhead.start(self.session.collection.programs)
            if stop.stopped():
                # Nothing has been shown: the status says why, as shells have it.
                return 128 + (stop.received or 0)
            if self.options.verbose:
                self._show_receipts()
            if self.options.record:
                from skep.toolkit.recording import Recording

                self.recording = Recording(self.binding, self.context)
            try:
                report = self._report()
                collect_garbage()
                self._drop()
                self._loop(report, stop, child)
            except OutputClosed:
                pass
            if self.recording is not None:
                self.recording.finish(self.ledger.counted())
            self._judge()
        return 0

    def _drop(self) -> None:
        """Everything is attached and made: keep what it takes to show what comes."""
        wanted = NAMING_THE_KERNEL
        if self.watch is not None:
            wanted |= NAMING_PROGRAMS
        if getattr(self.options, "flamegraph", None):
            wanted |= WRITING
        try:
            keep_only(wanted)
        except OSError as error:
            self._warn(f"skep: the privileges of this process are kept: {error}\n")

    def _watch(self) -> SymbolWatch | None:
        """What follows the processes, if addresses of programs are shown."""
        if not any(m.field.names_programs for m in self.binding.all_members()):
            return None
        from skep.toolkit.symbol_watch import SymbolWatch

        return SymbolWatch(self.context.symbols, getattr(self.options, "pid", None))

    def _judge(self) -> None:
        """Raise an error if the run has not been what the options ask for."""
        if self.overhead is not None and self.overhead.excess is not None:
            raise self.overhead.excess
        if self.options.strict:
            lost = sentence(self.session.ledger.losses())
            if lost:
                raise Incomplete(f"the output is not complete: {lost}")

    def show_banner(self) -> None:
        """Write what the tool says when everything is attached: its BANNER, a text or
        a function of the options; or its hook `banner`, which also gets the number of
        places where programs run."""
        self.writer.text(banner_of(self.binding, self.session.places))

    def _report(self) -> Report:
        streams = list(self.tool.streams.values())
        for name in ("folded", "flamegraph") if streams else ():
            if getattr(self.options, name, None):
                from skep.toolkit.folded_report import FoldedReport

                return FoldedReport(self, streams)
        if streams:
            return EventReport(self, streams)
        histograms = list(self.tool.histograms.values())
        tables = list(self.tool.tables.values())
        if any([*(t.title for t in tables), *(h.title for h in histograms)]):
            from skep.toolkit.several_reports import SeveralReports

            return SeveralReports(self)
        if histograms:
            from skep.toolkit.histogram_report import HistogramReport

            return HistogramReport(self, histograms[0])
        if tables:
            return self._table_report(tables[0])
        raise InternalError(f"{self.tool.name} declares no output")

    def _table_report(self, table: Table) -> Report:
        if any(member.field.is_stack for member in table.key.members):
            from skep.toolkit.stack_report import StackReport

            return StackReport(self, table)
        from skep.toolkit.table_report import TableReport

        return TableReport(self, table)

    def _record(self, error: SkepError) -> None:
        """An error as JSON, too, unless it is that nothing can be written."""
        if self.options.format == "json":
            try:
                self._write(error_line(error, time.time_ns()))
            except SkepError:
                pass

    def _show_receipts(self) -> None:
        for receipt in self.session.receipts:
            self._warn(receipt.text())
            if self.options.format == "json":
                self._write(receipt.line(time.time_ns()))

    def _loop(self, report: Report, stop: StopSignals, child: Child | None) -> None:
        losses = LossReporter(self._warn, self._loss_record())
        rings = [self.session.ring] if self.session.ring else []
        interval = getattr(self.options, "interval", None)
        duration = self.options.duration
        readers = self.watch.readers() if self.watch else {}
        output = self.writer.fd
        overhead = self.overhead
        beat = overhead.beat if overhead else None
        poller = Poller(
            rings, interval, duration, stop, output, others=readers, beat=beat
        )
        report.start()
        if child is not None:
            child.release(stop)
        told = time.monotonic()
        for event in poller.events():
            if self.watch is not None:
                self.watch.update()
            if event is Event.RECORDS:
                report.records()
            elif event is Event.INTERVAL and not report.interval():
                break
            elif event is Event.BEAT and overhead and overhead.is_exceeded():
                self.session.detach()
                break
            if report.is_done:
                break
            now = time.monotonic()
            if now - told >= LOSS_PERIOD_S:
                told = now
                losses.report(self.session.ledger.losses(), time.time_ns())
        report.finish()
        if self.watch is not None and self.options.verbose:
            self._warn("".join(f"symbols: {p}\n" for p in self.watch.problems()))
        elif self.context.kernel_problem():  # which leaves no name at all
            self._warn(f"symbols: {self.context.kernel_problem()}\n")
        if overhead:
            overhead.finish(self._loss_record(), time.time_ns())
        losses.finish(self.session.ledger.losses(), time.time_ns())
        poller.close()

    def _loss_record(self) -> Any:
        return self._write if self.options.format == "json" else None

    def _write(self, text: str) -> None:
        try:
            self.writer.text(text)
        except OutputClosed:
            pass

    def _warn(self, text: str) -> None:
        try:
            os.write(2, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # nobody can be told


def run(tool: Tool, options: Any) -> int:
    """Run a tool with these options until it ends; its exit status."""
    return Run(tool, options, Target.from_host()).execute()
