"""Field types: annotations that say what a member of a record means.

`pid: Pid` in a record class decides the member's C type, how the kernel side fills it,
its column, and its form in JSON.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skep.fields.base import Cell, Column, Context, Field, Member, Value, column
    from skep.fields.block import Disk, IoFlags
    from skep.fields.clock import Clock
    from skep.fields.execs import ExecArgs, Interpreted
    from skep.fields.files import FileMode, FileOperation, OpenFlags
    from skep.fields.integers import S32, S64, U8, U16, U32, U64, Hex
    from skep.fields.internet import IpAddress, IpVersion, Port
    from skep.fields.lookups import LookupResult
    from skep.fields.paths import FullPath
    from skep.fields.results import Errno, FdOrErrno, Ret
    from skep.fields.sizes import KiloBytes
    from skep.fields.task import CgroupId, Comm, Cpu, Pid, Ppid, Tid, Uid
    from skep.fields.text import Args, Bytes, Text
    from skep.fields.times import (
        DurationNs,
        Latency,
        LatencyMs,
        LatencyUs,
        MonotonicUs,
        SinceStart,
        Time,
        UnixTime,
        WallClock,
    )

__all__ = [
    "S32",
    "S64",
    "U16",
    "U32",
    "U64",
    "U8",
    "Args",
    "Bytes",
    "Cell",
    "CgroupId",
    "Clock",
    "Column",
    "Comm",
    "Context",
    "Cpu",
    "Disk",
    "DurationNs",
    "Errno",
    "ExecArgs",
    "FdOrErrno",
    "Field",
    "FileMode",
    "FileOperation",
    "FullPath",
    "Hex",
    "Interpreted",
    "IoFlags",
    "IpAddress",
    "IpVersion",
    "KiloBytes",
    "Latency",
    "LatencyMs",
    "LatencyUs",
    "LookupResult",
    "Member",
    "MonotonicUs",
    "OpenFlags",
    "Pid",
    "Port",
    "Ppid",
    "Ret",
    "SinceStart",
    "Text",
    "Tid",
    "Time",
    "Uid",
    "UnixTime",
    "Value",
    "WallClock",
    "column",
]

_NAMES = {
    "base": "Cell Column Context Field Member Value column",
    "block": "Disk IoFlags",
    "clock": "Clock",
    "execs": "ExecArgs Interpreted",
    "files": "FileMode FileOperation OpenFlags",
    "integers": "S32 S64 U8 U16 U32 U64 Hex",
    "internet": "IpAddress IpVersion Port",
    "lookups": "LookupResult",
    "paths": "FullPath",
    "results": "Errno FdOrErrno Ret",
    "sizes": "KiloBytes",
    "task": "CgroupId Comm Cpu Pid Ppid Tid Uid",
    "text": "Args Bytes Text",
    "times": "DurationNs Latency LatencyMs LatencyUs MonotonicUs SinceStart"
    " Time UnixTime WallClock",
}

_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    # A tool that shows no addresses of the Internet shall not wait for them (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module 'skep.fields' has no attribute '{name}'")
    found = getattr(import_module(f"skep.fields.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
