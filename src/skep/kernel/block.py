"""Block devices and requests."""

from skep.authoring.bpf import bpf


@bpf.inline
def disk_of(rq):
    """The number of a request's disk, major << 20 | minor, as the kernel's dev_t."""
    # struct request lost rq_disk in 5.17 (f3fa33acca9f); the queue had got it in 5.15.
    if bpf.has_field("struct request", "rq_disk"):
        disk = rq.rq_disk
    else:
        disk = rq.q.disk
    return bpf.u32(disk.major << 20 | disk.first_minor)
