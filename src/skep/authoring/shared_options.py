"""The options that tools share: how to run, and which tasks to look at."""

from __future__ import annotations

import os

from skep.authoring.annotations import own_annotations
from skep.authoring.bpf import bpf
from skep.authoring.options import Options, option
from skep.authoring.outputs import Map
from skep.errors import UsageError
from skep.fields import CgroupId, Pid, Tid, Uid

FORMATS = ("table", "json", "csv")
STAGES = ("tree", "ir", "asm", "spec", "log")

_COMM_BYTES = 15  # TASK_COMM_LEN without the NUL, include/linux/sched.h


def _comm(name: str) -> str:
    """A name that a thread can have; the kernel cuts longer ones."""
    if len(os.fsencode(name)) > _COMM_BYTES:
        raise UsageError(f"'{name}' is longer than {_COMM_BYTES} bytes, as no name is")
    return name


def _path(path: str) -> str:
    if not path:
        raise UsageError("the path is empty")
    return path


def _new_file(path: str) -> str:
    """Where a recording goes; a file of the name "-" would be meant by nobody."""
    if path == "-":
        raise UsageError("a recording is a file, and not the output", hint="./- is one")
    return _path(path)


def _inode(number: int) -> int:
    """The inode of a namespace, `unsigned int inum` of struct ns_common."""
    if not 0 < number < 1 << 32:
        raise UsageError(f"{number} is not the inode of a namespace")
    return number


def _share(percent: float) -> float:
    """A share of a CPU; several CPUs are more than 100 %."""
    if not 0 < percent < float("inf"):  # NaN is neither
        raise UsageError(f"{percent:g} is no share of a CPU in percent")
    return percent


class RunOptions(Options):
    """How long a tool runs and how it shows what it sees: the same for every tool."""

    heading = "output"

    duration: float = option(
        "--duration", metavar="SECONDS", help="stop after this time"
    )
    count: int = option(
        "--count", metavar="N", help="stop after this many rows or reports"
    )
    format: str = option(
        "--format",
        metavar="FORMAT",
        choices=FORMATS,
        help="table, json (one object a line) or csv",
    )
    json: bool = option("--json", help="the same as --format json")
    columns: str = option("--columns", metavar="A,B", help="show these columns only")
    sort: str = option(
        "--sort", metavar="COLUMN", help="sort by a column (--sort=-COLUMN: descending)"
    )
    limit: int = option("--limit", metavar="N", help="show N rows and stop")
    verbose: bool = option(
        "-v", "--verbose", help="tell on standard error what is attached, and its cost"
    )
    strict: bool = option("--strict", help="end with status 3 if anything was lost")
    max_overhead: float = option(
        "--max-overhead",
        metavar="PCT",
        check=_share,
        help="stop, with status 4, when the programs take more of one CPU",
    )
    record: str = option(
        "--record",
        metavar="FILE",
        check=_new_file,
        help="keep what is shown in a new file, for 'skep replay FILE'",
    )
    dump: str = option(
        "--dump",
        metavar="STAGE",
        choices=STAGES,
        help="print tree, ir, asm, spec or log of each program, and stop",
    )


class TaskFilters(RunOptions):
    """The filters of tools about tasks, in the kernel-side `selected`."""

    heading = "filters"

    pid: Pid = option("--pid", metavar="PID", help="only this process")
    tid: Tid = option("--tid", metavar="TID", help="only this thread")
    uid: Uid = option("--uid", metavar="USER", help="only this user (name or number)")
    comm: str = option(
        "--comm", metavar="NAME", check=_comm, help="only threads with this name"
    )
    cgroup: CgroupId = option(
        "--cgroup", metavar="PATH", help="only this cgroup-v2 (path or id)"
    )
    mntns: int = option(
        "--mntns", metavar="INODE", check=_inode, help="only this mount namespace"
    )
    cgroupmap: str = option(
        "--cgroupmap", metavar="PATH", check=_path, help="only cgroups in a pinned map"
    )
    mntnsmap: str = option(
        "--mntnsmap",
        metavar="PATH",
        check=_path,
        help="only mount namespaces in a pinned map",
    )

    @property
    def filters_tasks(self) -> bool:
        """Whether any of the filters is set; a constant in kernel-side code."""
        names = own_annotations(TaskFilters)
        return any(getattr(self, name) is not None for name in names)

    @staticmethod
    @bpf.inline
    def selected():
        """Whether the current task is one of those that the options ask for."""
        if TaskFilters.pid is not None and bpf.pid() != TaskFilters.pid:
            return False
        if TaskFilters.tid is not None and bpf.tid() != TaskFilters.tid:
            return False
        if TaskFilters.uid is not None and bpf.uid() != TaskFilters.uid:
            return False
        if TaskFilters.comm is not None and bpf.comm() != TaskFilters.comm:
            return False
        if TaskFilters.cgroup is not None and bpf.cgroup_id() != TaskFilters.cgroup:
            return False
        if TaskFilters.mntns is not None and bpf.mntns() != TaskFilters.mntns:
            return False
        if TaskFilters.cgroupmap is not None:
            if listed_cgroups.lookup(bpf.cgroup_id()) is None:
                return False
        if TaskFilters.mntnsmap is not None:
            if listed_mntns.lookup(bpf.mntns()) is None:
                return False
        return True


class TaskOptions(TaskFilters):
    """The options of tools that show what tasks do: filters, and columns besides the
    tool's own."""

    heading = "output"

    timestamp: bool = option("--timestamp", help="show the time")
    show_uid: bool = option("--print-uid", help="show the user id")
    show_cgroup: bool = option("--container", help="show the cgroup of the task")


# bcc's pinned maps: keys are ids as u64, whatever the value is.
listed_cgroups = Map("u64", "u32", pinned=TaskFilters.cgroupmap)
listed_mntns = Map("u64", "u32", pinned=TaskFilters.mntnsmap)
