"""Keeping what is needed to name addresses of processes, which may end before their
stacks are looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from skep.errors import SkepError
from skep.runtime.memory_events import Executed, Forked, Mapped, MemoryEvents
from skep.symbols.resolver import Symbols


class SymbolWatch:
    """Tells symbols of all processes that there are, and then of what these map.

    `pid` is the only process of interest.  `problem` says why the kernel does not tell
    of mappings; processes that end at once then stay unknown.
    """

    def __init__(self, symbols: Symbols, pid: int | None) -> None:
        self._symbols = symbols
        self._events: MemoryEvents | None = None
        self.problem = ""
        try:
            self._events = MemoryEvents()
        except OSError as error:
            self.problem = f"what ends soon stays unknown: {error.strerror}"
        except SkepError as error:
            self.problem = f"what ends soon stays unknown: {error}"
        for each in _processes() if pid is None else (pid,):
            symbols.remember(each)

    def readers(self) -> Mapping[int, Callable[[], None]]:
        """Descriptors to wait for, with what to call."""
        events = self._events
        return dict.fromkeys(events.filenos(), self.read) if events else {}

    def read(self) -> None:
        """Pass on what the kernel has told."""
        symbols = self._symbols
        for event in self._events.read() if self._events else ():
            if isinstance(event, Mapped):
                symbols.mapped(event.pid, event.line)
            elif isinstance(event, Forked):
                symbols.forked(event.pid, event.parent)
            elif isinstance(event, Executed):
                symbols.executed(event.pid)

    def update(self) -> None:
        """Before addresses are looked up: what has changed shall be seen."""
        self.read()
        self._symbols.refresh()

    def problems(self) -> list[str]:
        """Why addresses may be unknown."""
        told = [self.problem] if self.problem else []
        if self._events is not None and self._events.lost:
            told.append(f"{self._events.lost} mappings of programs were missed")
        return told + self._symbols.problems()

    def close(self) -> None:
        """Stop listening, and let go of open files."""
        if self._events is not None:
            self._events.close()
        self._symbols.close()


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
