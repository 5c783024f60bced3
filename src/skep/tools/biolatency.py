"""Show the latency of block device I/O as histograms.

Time is measured from the issue of a request to the device until it is complete; with -Q
from when it was queued.

Examples:
    biolatency            sum up until Ctrl-C
    biolatency 1 10       every second, ten times
    biolatency -mT 1      in milliseconds, with the time of day
    biolatency -D         a histogram per disk
    biolatency -F         a histogram per kind of request
"""

from skep import Histogram, Map, Record, RunOptions, bpf, column, on, option
from skep.errors import UsageError
from skep.fields import Disk, IoFlags
from skep.kernel import block
from skep.toolkit import positive

BANNER = "Tracing block device I/O... Hit Ctrl-C to end."
SHOWN = ("bcc_json",)
TIMES = ("timestamp",)


class Options(RunOptions):
    timestamp: bool = option("-T", "--timestamp", help="show the time of day")
    queued: bool = option("-Q", "--queued", help="count time in the queue, too")
    milliseconds: bool = option("-m", "--milliseconds", help="count milliseconds")
    disks: bool = option("-D", "--disks", help="a histogram per disk")
    flags: bool = option("-F", "--flags", help="a histogram per kind of request")
    extension: bool = option("-e", "--extension", help="show average and total")
    bcc_json: bool = option("-j", "--dict", help="print Python dicts, as bcc does")
    disk: Disk = option("-d", "--disk", metavar="DISK", help="only this disk")
    interval: float = option(check=positive, help="seconds between reports")
    reports: int = option(metavar="COUNT", check=positive, help="number of reports")

    def finish(self):
        self.count = self.count or self.reports
        if self.disks and self.flags:
            raise UsageError("-D and -F exclude each other")
        if self.bcc_json and self.format != "table":
            raise UsageError(f"-j and --format {self.format} exclude each other")


class Where(Record):
    disk: Disk = column(when=Options.disks)
    flags: IoFlags = column(when=Options.flags)


# Requests are made once and used again, so their entries are never deleted: in the long
# run no update of the map is needed, which costs more than all the rest.
issue_times = Map("u64", "u64", size=65536)
latency = Histogram(
    Where,
    unit=lambda options: "msecs" if options.milliseconds else "usecs",
    total=Options.extension,
)


@on.raw_tracepoint("block_rq_issue", when=lambda options: not options.queued)
def issued(rq):
    if Options.disk is not None and block.disk_of(rq) != Options.disk:
        return
    issue_time = issue_times.lookup(bpf.address(rq))
    if issue_time is None:
        issue_times.update(bpf.address(rq), bpf.ktime_ns())
    else:
        issue_time.value = bpf.ktime_ns()


@on.raw_tracepoint("block_rq_complete", when=lambda options: not options.queued)
def completed(rq, nr_bytes):
    if nr_bytes < rq.__data_len:
        return  # only a part of the request
    issue_time = issue_times.lookup(bpf.address(rq))
    if issue_time is None or issue_time.value == 0:
        return  # issued before tracing began
    record(rq, bpf.ktime_ns() - issue_time.value)
    issue_time.value = 0


@on.raw_tracepoint("block_rq_complete", when=Options.queued)
def completed_queued(rq, nr_bytes):
    # The block layer itself notes when a request was made, where it accounts for it
    # (/sys/block/*/queue/iostats).
    if nr_bytes < rq.__data_len or rq.start_time_ns == 0:
        return
    if Options.disk is None or block.disk_of(rq) == Options.disk:
        record(rq, bpf.ktime_ns() - rq.start_time_ns)


@bpf.inline
def record(rq, elapsed_ns):
    elapsed = elapsed_ns // (1000000 if Options.milliseconds else 1000)
    latency.record(elapsed, disk=block.disk_of(rq), flags=rq.cmd_flags)
