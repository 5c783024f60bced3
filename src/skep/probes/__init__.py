"""Probes: from what a tool asks for to ordered candidates.

Pure: everything about the kernel comes from the `Target`.
"""

from skep.probes.candidate import (
    Candidate,
    Clock,
    CtxAddress,
    CtxField,
    CtxWord,
    DataLoc,
    Elapsed,
    Fetch,
    Frame,
    Param,
    ProbedWord,
    RegsMember,
    RegsPair,
    Saved,
    Site,
    SyscallCase,
    SyscallMatch,
)
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    Intention,
    Interval,
    PerfEvent,
    RawTracepoint,
    SyscallEnter,
    SyscallExit,
    TestRun,
    Tracepoint,
)
from skep.probes.parameters import NoSuchParameter
from skep.probes.resolve import resolve

__all__ = [
    "Candidate",
    "Clock",
    "CtxAddress",
    "CtxField",
    "CtxWord",
    "DataLoc",
    "Elapsed",
    "Fetch",
    "Frame",
    "FunctionEntry",
    "FunctionExit",
    "Intention",
    "Interval",
    "NoSuchParameter",
    "Param",
    "PerfEvent",
    "ProbedWord",
    "RawTracepoint",
    "RegsMember",
    "RegsPair",
    "Saved",
    "Site",
    "SyscallCase",
    "SyscallEnter",
    "SyscallExit",
    "SyscallMatch",
    "TestRun",
    "Tracepoint",
    "resolve",
]
