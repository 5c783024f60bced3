"""Running a tool from the command line: events, intervals, the end."""

from __future__ import annotations

import gc
import mmap
import time
from typing import TYPE_CHECKING, Any

from skep.authoring.outputs import Stream
from skep.errors import MACHINE_ERRORS, Incomplete, SkepError, refusal
from skep.escape import escape
from skep.fields import Clock, Context
from skep.output.decoder import Ring
from skep.output.json_lines import quoter
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
from skep.runtime.ledger import Ledger
from skep.runtime.poller import Event, Poller
from skep.runtime.signals import StopSignals
from skep.standard_error import tell
from skep.target import Target
from skep.toolkit.binding import RING_SIZE, Binding
from skep.toolkit.child import Child
from skep.toolkit.reports import Report, banner_of, record_type, report_of
from skep.toolkit.session import Session
from skep.toolkit.tool import Tool

if TYPE_CHECKING:
    from skep.toolkit.map_readers import SnapshotReader
    from skep.toolkit.overhead import Overhead
    from skep.toolkit.recording import Recording
    from skep.toolkit.snapshot import Snapshot
    from skep.toolkit.symbol_watch import SymbolWatch

LOSS_PERIOD_S = 1.0
"""Losses are told while the tool runs, but not more often than this."""


def collect_garbage() -> None:
    """Let Python collect garbage, which it does not while a tool starts.

    What has been made by now lives as long as the process: collections that do not look
    at it again are cheap.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def context_of(binding: Binding, target: Target) -> Context:
    """What the fields of this run need to know of the machine."""
    records = [s.record for s in binding.tool.streams.values()]
    records += [h.key for h in binding.tool.histograms.values() if h.key]
    names: dict[str, int] = {}
    fields = {member.field for each in records for member in binding.visible(each)}
    for enum in {name for field in fields for name in field.enums}:
        names.update(target.enumerators(enum))
    return Context(Clock.measure(), names, places=binding.places)


class Run:
    """One run of a tool: made, run, and gone.

    It ends as at Ctrl-C when `control`, a file descriptor, can be read, or is closed at
    its other end.
    """

    def __init__(
        self,
        tool: Tool,
        options: Any,
        target: Target,
        writer: Writer | None = None,
        control: int | None = None,
    ) -> None:
        self.tool = tool
        self.options = options
        self.target = target
        self.writer = writer or Writer(1)
        self._control = control
        self.session: Session
        self.watch: SymbolWatch | None = None
        self.overhead: Overhead | None = None
        self.recording: Recording | None = None
        self._reader: SnapshotReader | None = None

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

    def snapshot(self) -> Snapshot:
        """What was counted since the last call; it goes to the recording, too."""
        assert self._reader is not None
        snapshot = self._reader.read()
        if self.watch is not None:
            self.watch.update()  # now, when all is known of what was counted
        if self.recording is not None:
            self.recording.add_snapshot(snapshot)
        return snapshot

    def execute(self) -> int:
        """Run until something ends it; the exit status.  Raises SkepError."""
        child = Child.start(self.options)
        try:
            with StopSignals() as stop:
                return self._execute(stop, child)
        except SkepError as error:
            self._record(error)
            raise
        except MACHINE_ERRORS as error:
            self._record(refusal(error))
            raise
        finally:
            if self.overhead is not None:
                self.overhead.close()
            if self.watch is not None:
                self.watch.close()
            if self._reader is not None:
                self._reader.close()
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

            self.overhead = Overhead(self.options, tell)
        self._tell_of_namespace()
        # Before anything is attached: whoever is traced shall be known, and what skep
        # opens itself is none of the rows.
        self.watch = self._watch()
        if is_json:
            quoter()
        if self.options.record:
            from skep.toolkit.recording import Recording

            self.recording = Recording(self.options.record)
        with Session(self.binding, self.target) as self.session:
            if self.overhead is not None:
                programs = self.session.collection.programs
                self.overhead.start(programs, self.session.detach)
                self.writer.waiting = self.overhead.waiting
            if stop.stopped():
                # Nothing has been shown: the status says why, as shells have it.
                return 128 + (stop.received or 0)
            if self.options.verbose:
                self._show_receipts()
            if self.recording is not None:
                self.recording.begin(self.binding, self.context, self.session.places)
            if self.tool.tables or self.tool.histograms:
                from skep.toolkit.map_readers import SnapshotReader

                self._reader = SnapshotReader(self.session, self.binding)
            try:
                report = report_of(self)
                collect_garbage()
                self._drop()
                self._loop(report, stop, child)
            except OutputClosed:
                pass
            finally:
                self.writer.waiting = None
            if self.recording is not None:
                self.recording.finish(self.ledger.counted())
            self._judge(child)
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
            tell(f"skep: the privileges of this process are kept: {error}\n")

    def _watch(self) -> SymbolWatch | None:
        """What follows the processes, if addresses of programs are shown."""
        if not any(m.field.names_programs for m in self.binding.all_members()):
            return None
        from skep.symbols.resolver import Symbols
        from skep.toolkit.symbol_watch import SymbolWatch

        self.context.symbols = symbols = Symbols()
        if symbols.is_blind:
            return None
        return SymbolWatch(symbols, getattr(self.options, "pid", None))

    def _tell_of_namespace(self) -> None:
        """Warn of what numbers of processes do not mean in a container."""
        options = self.options
        is_chosen = any(getattr(options, name, None) for name in ("pid", "tid"))
        members = self.binding.all_members()
        if not is_chosen and not any(m.field.names_programs for m in members):
            return
        from skep.symbols import processes

        if processes.are_others():
            tell(
                "warning: this is a pid namespace of its own, as of a container:"
                " numbers of processes are those of the machine, also in filters, and"
                " functions of programs have no names\n"
            )

    def _judge(self, child: Child | None) -> None:
        """Raise an error if the run has not been what the options ask for."""
        if child is not None:
            child.check()
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
        self.writer.banner(banner_of(self.binding, self.session.places))

    def _record(self, error: SkepError) -> None:
        """An error as JSON, too, unless it is that nothing can be written."""
        if self.options.format == "json":
            try:
                self._write(error_line(error, time.time_ns()))
            except SkepError:
                pass

    def _show_receipts(self) -> None:
        for receipt in self.session.receipts:
            tell(receipt.text())
            if self.options.format == "json":
                self._write(receipt.line(time.time_ns()))

    def _loop(self, report: Report, stop: StopSignals, child: Child | None) -> None:
        losses = LossReporter(tell, self._loss_record())
        rings = [self.session.ring] if self.session.ring else []
        interval = getattr(self.options, "interval", None)
        duration = self.options.duration
        readers = dict(self.watch.readers()) if self.watch else {}
        if self._control is not None:
            readers[self._control] = stop.ask
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
            if self.watch is not None and rings:
                self.watch.update()
            if event is Event.RECORDS:
                report.records()
            elif event is Event.INTERVAL and not report.interval():
                break
            elif event is Event.BEAT and overhead:
                overhead.check()
            if report.is_done or (overhead and overhead.excess):
                break
            now = time.monotonic()
            if now - told >= LOSS_PERIOD_S:
                told = now
                losses.report(self.session.ledger.losses(), time.time_ns())
        report.finish()
        if self.watch is not None and self.options.verbose:
            tell("".join(f"symbols: {escape(p)}\n" for p in self.watch.problems()))
        elif self.context.kernel_problem():  # which leaves no name at all
            tell(f"symbols: {self.context.kernel_problem()}\n")
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


def run(
    tool: Tool,
    options: Any,
    writer: Writer | None = None,
    control: int | None = None,
) -> int:
    """Run a tool with these options until it ends; its exit status.

    `writer` takes the output, else standard output does; `control` as for `Run`.
    """
    return Run(tool, options, Target.from_host(), writer, control).execute()
