"""Trace lookups of host names: getaddrinfo(3), gethostbyname(3) and gethostbyname2(3).

Shows each name that a program asks its C library for, and how long that took.

Examples:
    gethostlatency         every lookup of every process
    gethostlatency -p 181  one process
"""

from skep import Record, Stream, TaskOptions, column, on
from skep.fields import (
    Comm,
    LatencyMs,
    LookupResult,
    Pid,
    Text,
    Time,
    Uid,
    WallClock,
)
from skep.fields.lookups import NOT_FOUND


class Options(TaskOptions):
    letters = {"pid": "-p"}


class Lookup(Record):
    time: WallClock = column(width=9)
    timestamp: Time = column(when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    pid: Pid
    comm: Comm
    latency_ns: LatencyMs = column(title="LATms", width=10)
    ret: LookupResult
    host: Text = column(size=80)


lookups = Stream(Lookup)


# Processes in containers have other files of the C library: copies.  A program that is
# linked statically has only those functions that it calls.
@on.uretprobe(
    "c",
    "getaddrinfo",
    pid=Options.pid,
    prototype="int (char *node)",
    optional=True,
    copies=True,
    when=Options.selected,
)
def got_addresses(node, ret, elapsed_ns):
    # Without a node the caller wants addresses to listen at: nothing is looked up.
    if node:
        lookups.emit(latency_ns=elapsed_ns, ret=ret, host=node)


@on.uretprobe(
    "c",
    "gethostbyname",
    "gethostbyname2",
    pid=Options.pid,
    prototype="void *(char *name)",
    optional=True,
    copies=True,
    when=Options.selected,
)
def got_host(name, ret, elapsed_ns):
    if name:
        result = 0 if ret else NOT_FOUND
        lookups.emit(latency_ns=elapsed_ns, ret=result, host=name)
