"""The options that tools share: how to run, and which tasks to look at."""

from __future__ import annotations

from skep.authoring.bpf import bpf
from skep.authoring.options import Options, option
from skep.authoring.outputs import Map
from skep.fields import CgroupId, Uid


class RunOptions(Options):
    """How long a tool runs and how it shows what it sees: the same for every tool."""

    duration: float = option(
        "--duration", metavar="SECONDS", help="stop after this time"
    )
    format: str = option(
        "--format", metavar="FORMAT", help="table, json (one object a line) or csv"
    )
    json: bool = option("--json", help="the same as --format json")
    columns: str = option("--columns", metavar="A,B", help="show these columns only")
    sort: str = option(
        "--sort", metavar="COLUMN", help="sort by a column ('-' in front: descending)"
    )
    limit: int = option("--limit", metavar="N", help="show N rows and stop")
    verbose: bool = option("--verbose", help="tell on standard error what is attached")
    dump: str = option(
        "--dump",
        metavar="STAGE",
        help="print tree, ir, asm, spec or log of each program, and stop",
    )


class TaskOptions(RunOptions):
    """The filters that every tool about tasks has, in the kernel-side `selected`."""

    pid: int = option("--pid", metavar="PID", help="only this process")
    tid: int = option("--tid", metavar="TID", help="only this thread")
    uid: Uid = option("--uid", metavar="USER", help="only this user (name or number)")
    comm: str = option("--comm", metavar="NAME", help="only threads with this name")
    cgroup: CgroupId = option(
        "--cgroup", metavar="PATH", help="only this cgroup-v2 (path or id)"
    )
    mntns: int = option(
        "--mntns", metavar="INODE", help="only this mount namespace"
    )
    cgroupmap: str = option(
        "--cgroupmap", metavar="PATH", help="only cgroups in this pinned map"
    )
    mntnsmap: str = option(
        "--mntnsmap", metavar="PATH", help="only mount namespaces in this pinned map"
    )
    timestamp: bool = option("--timestamp", help="show the time")
    show_uid: bool = option("--print-uid", help="show the user id")
    show_cgroup: bool = option("--container", help="show the cgroup")

    @staticmethod
    @bpf.inline
    def selected():  # type: ignore[no-untyped-def]
        if TaskOptions.pid is not None and bpf.pid() != TaskOptions.pid:
            return False
        if TaskOptions.tid is not None and bpf.tid() != TaskOptions.tid:
            return False
        if TaskOptions.uid is not None and bpf.uid() != TaskOptions.uid:
            return False
        if TaskOptions.comm is not None and bpf.comm() != TaskOptions.comm:
            return False
        if TaskOptions.cgroup is not None and bpf.cgroup_id() != TaskOptions.cgroup:
            return False
        if TaskOptions.mntns is not None and bpf.mntns() != TaskOptions.mntns:
            return False
        if TaskOptions.cgroupmap is not None:
            if listed_cgroups.lookup(bpf.cgroup_id()) is None:
                return False
        if TaskOptions.mntnsmap is not None:
            if listed_mntns.lookup(bpf.mntns()) is None:
                return False
        return True


# bcc's pinned maps: keys are ids as u64, whatever the value is.
listed_cgroups = Map("u64", "u32", pinned=TaskOptions.cgroupmap)
listed_mntns = Map("u64", "u32", pinned=TaskOptions.mntnsmap)
