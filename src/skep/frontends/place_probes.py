"""Probes at the places that a pattern means, all with the same handler."""

from __future__ import annotations

from typing import Any

from skep.authoring import on
from skep.authoring.on import Plan, Probe
from skep.frontends.function_pattern import Places

FUNCTIONS = Plan("kernel functions")
SYSTEM_CALLS = Plan("tracepoints of system calls")


def probes_at(places: Places, handler: Any, pid: int | None) -> dict[str, Probe]:
    """The probes by name.  Where functions of the kernel cannot be traced, those that
    are system calls are traced at their tracepoints."""
    if places.kind == "t":
        return {"events": on.tracepoint(places.name)(handler)}
    if places.kind == "u":
        return {"probes": on.usdt(places.library, places.name, pid=pid)(handler)}
    if places.library:
        entries = on.uprobe(places.library, places.name, pid=pid)
        return {"functions": entries(handler)}
    probes = {"functions": FUNCTIONS(on.entry(places.name)(handler))}
    if places.syscall:
        events = on.tracepoint(places.syscall_tracepoint)
        probes["system calls"] = SYSTEM_CALLS(events(handler))
    return probes
