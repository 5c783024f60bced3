"""Commits of NFS: requests to the server to write to disk what it was sent before."""

from skep.authoring.bpf import bpf
from skep.authoring.outputs import Map
from skep.authoring.records import Record
from skep.fields.integers import U64
from skep.fields.task import Comm

COMMIT = "struct nfs_commit_data *data"
COMMIT_DONE = "struct rpc_task *task, struct nfs_commit_data *data"
"""Prototypes of the tracepoints nfs_initiate_commit and nfs_commit_done, for modules
without BTF."""


class Commit(Record):
    """A commit that is under way, and the task that sent it."""

    begun_ns: U64
    comm: Comm
    pid: U64


commits = Map("u64", Commit)


@bpf.inline
def begin_commit(data):
    """Note a commit, at its start."""
    begun = Commit(begun_ns=bpf.ktime_ns(), pid=bpf.pid(), comm=bpf.comm())
    commits.update(bpf.address(data), begun)


@bpf.inline
def commit_of(data):
    """A commit that was noted, or None."""
    return commits.lookup(bpf.address(data))


@bpf.inline
def end_commit(data):
    """Forget a commit."""
    commits.delete(bpf.address(data))
