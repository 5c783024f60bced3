"""Recording a run: what comes from the ring buffer goes to a file, too."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from skep import __version__
from skep.authoring.outputs import Stream
from skep.errors import UsageError
from skep.fields import Context
from skep.fields.cgroupfs import Cgroups
from skep.output.decoder import Ring
from skep.output.recording_file import CGROUPS, END, HEADER, RECORDS, FileWriter
from skep.toolkit.binding import Binding
from skep.toolkit.tool import Tool

OF_TOOLS = "skep.tools."
"""The package of the tools whose recordings can be shown: its name in a file runs no
code but skep's."""


def check_recordable(tool: Tool) -> None:
    """Raise UsageError if the tool's output cannot be recorded."""
    if not tool.module.__name__.startswith(OF_TOOLS):
        reason = "only tools that come with skep can"
    elif tool.hook("declare") or tool.hook("listing"):
        reason = "what it shows depends on the kernel that it runs on"
    elif not tool.streams:
        reason = "only events can, and it shows histograms"
    else:
        return
    raise UsageError(f"--record: {tool.name} cannot be recorded: {reason}")


def layouts_of(binding: Binding) -> list[list[Any]]:
    """The layouts of all streams, as JSON has them."""
    return [_plain(binding, stream) for stream in binding.tool.streams.values()]


def _plain(binding: Binding, stream: Stream) -> list[Any]:
    bound: Any = binding.bind(stream)
    layout = bound.layout
    return [*layout._replace(fields=[list(field) for field in layout.fields])]


class Recording:
    """The file of `--record` while a tool runs.  Raises SkepError.

    A run that does not begin leaves no file.
    """

    def __init__(self, path: str) -> None:
        self._file = FileWriter(path)
        self._cgroups = Cgroups()
        self._named = 0
        self._has_begun = False

    def begin(self, binding: Binding, context: Context) -> None:
        """Record what the run is: everything is attached."""
        options: Any = binding.options
        system = os.uname()
        self._cgroups = context.cgroups
        self._file.add_json(
            HEADER,
            {
                "skep": __version__,
                "tool": binding.tool.name,
                "options": {n: getattr(options, n) for n in options.options},
                "layouts": layouts_of(binding),
                "clock": list(context.clock),
                "host": system.nodename,
                "kernel": system.release,
                "architecture": system.machine,
            },
        )
        self._has_begun = True

    def tee(self, ring: Ring) -> Ring:
        """The same ring; what is taken from it is recorded."""
        return _Tee(ring, self)

    def add(self, records: bytes) -> None:
        """Record what was read, after the names that were looked up to show it."""
        names = self._cgroups.known()
        if len(names) > self._named:
            new = dict(islice(names.items(), self._named, None))
            self._named = len(names)
            self._file.add_json(CGROUPS, new)
        self._file.add(RECORDS, records)

    def finish(self, losses: Mapping[str, int | None]) -> None:
        """Record the end of the run and what the programs lost."""
        self._file.add_json(END, {"losses": dict(losses), "time_ns": time.time_ns()})

    def close(self) -> None:
        """Close the file."""
        self._file.close(keep=self._has_begun)


class _Tee:
    """A ring buffer whose records are recorded when their space is given back."""

    def __init__(self, ring: Ring, recording: Recording) -> None:
        self._ring = ring
        self._recording = recording

    def pending(self) -> tuple[Any, int, int]:
        """What waits in the ring."""
        return self._ring.pending()

    def release(self, position: int) -> None:
        """Record what was read up to `position`, and give the space back."""
        data, start, _ = self._ring.pending()
        size = len(data)
        first, length = start & size - 1, position - start
        records = data[first : first + length]
        self._recording.add(records + data[: length - len(records)])
        self._ring.release(position)
