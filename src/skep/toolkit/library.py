"""Tools as a library: records for programs instead of lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from skep.authoring.outputs import Histogram, Stream
from skep.authoring.records import Record
from skep.errors import UsageError, near_matches
from skep.output.decoder import Decoder
from skep.output.record_types import RecordType
from skep.runtime.poller import Event, Poller
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.listing import listing_of
from skep.toolkit.map_readers import HistogramReader
from skep.toolkit.reports import record_type
from skep.toolkit.run import context_of
from skep.toolkit.session import Session
from skep.toolkit.tool import tool_of


def start(module: ModuleType, **options: Any) -> Tracer:
    """Start a tool with the options named as in its `Options`.

    Everything is attached when this returns.  Raises UsageError for unknown options,
    and whatever the kernel refuses as one of the errors of `skep.errors`.
    """
    tool = tool_of(module)
    for name in options:
        if name not in tool.options.options:
            near = near_matches(name, list(tool.options.options))
            hint = f"did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"{tool.name} has no option '{name}'", hint=hint)
    for name in ("strict", "max_overhead"):
        if options.get(name):
            raise UsageError(f"{name} is for the command line; a program asks losses()")
    return Tracer(module, bind(tool, dict(options)))


class Tracer:
    """A tool that runs; a context manager that ends it, and an iterator of records.

    Iterating waits for records without end, or until the option `duration` is over.
    A tool that makes histograms has none; ask `histogram()` instead.
    """

    def __init__(self, module: ModuleType, options: Any) -> None:
        self._target = target = Target.from_host()
        self._tool = tool_of(module).declared(options, target)
        self._options = options
        self._binding = Binding(self._tool, options)
        self._session = Session(self._binding, target)
        self._context = context_of(self._binding, target)
        self._decoder: Decoder | None = None
        self._reader: HistogramReader | None = None
        records = [self._record(stream) for stream in self._tool.streams.values()]
        if records:
            filters = self._tool.hook("filters")
            chosen = filters(options) if filters else ()
            self._decoder = Decoder(records, "values", self._context, chosen)
            self._session.ledger.follow(self._decoder.counters)

    def _record(self, stream: Stream) -> RecordType:
        """A stream's records, which become instances of its class."""
        names = [member.name for member in self._binding.stream_members(stream)]

        def factory(values: Sequence[Any]) -> Record:
            return stream.record(**dict(zip(names, values)))

        return record_type(self._binding, stream)._replace(factory=factory)

    def __iter__(self) -> Iterator[Any]:
        if self._tool.hook("listing"):
            yield from listing_of(self._tool, self._options, self._target).rows
            return
        if self._decoder is None or self._session.ring is None:
            raise UsageError(f"{self._tool.name} has no records, see histogram()")
        poller = Poller([self._session.ring], duration=self._options.duration)
        try:
            for event in poller.events():
                yield from self.read()
                if event is Event.STOP:
                    return
        finally:
            poller.close()

    def read(self) -> list[Any]:
        """The records that have come since the last call, without waiting."""
        rows: list[Any] = []
        if self._decoder is not None and self._session.ring is not None:
            self._decoder.drain(self._session.ring, rows.extend)
        return rows

    def histogram(self) -> Mapping[Sequence[Any], Sequence[int]]:
        """Counters since the last call by key; slot n for values with highest bit n."""
        declared = next(iter(self._tool.histograms.values()), None)
        if not isinstance(declared, Histogram):
            raise UsageError(f"{self._tool.name} has no histogram")
        if self._reader is None:
            self._reader = HistogramReader(self._session, self._binding, declared)
        slots = self._reader.bound.slots
        total = int(self._reader.bound.total)
        return {
            row[: len(row) - slots - total]: row[len(row) - slots - total :][:slots]
            for row in self._reader.read()
        }

    def losses(self) -> Mapping[str, int | None]:
        """How much was lost so far, by cause; None where the kernel cannot tell."""
        return self._session.ledger.losses()

    def close(self) -> None:
        """Detach and free everything."""
        self._session.close()

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
