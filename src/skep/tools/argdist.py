"""Count what functions are called with and return, as tables or histograms.

A SPEC is TYPE:[LIBRARY]:FUNCTION(SIGNATURE)[:TYPES:VALUES[:FILTER]][#LABEL].  TYPE is
p (entry), r (return), t (tracepoint, t:CATEGORY:EVENT()) or u (USDT probe,
u:LIBRARY:PROBE()).  Without a library the function is one of the kernel.  Values and
filter are C, with parameters by name, arg1 and so on, args->FIELD, $retval,
$entry(PARAMETER), $latency (in ns), $PID and $COMM.

Examples:
    argdist -C 'p:c:write(int fd):int:fd'      the files that are written to
    argdist -T 5 -C 'p::vfs_read():u32:$PID'   the five processes that read most
    argdist -H 'r:c:fsync():u64:$latency'      how long that takes, in ns
    argdist -C 't:sched:sched_switch()' -i 5   how often, every five seconds
    argdist -p 181 -C 'r:c:close()'          what it returns in one process
"""

from skep import TaskFilters, option
from skep.errors import UsageError
from skep.frontends.argdist import parse
from skep.frontends.argdist_handler import Settings, counting, distributing
from skep.toolkit import Declared, positive

SAMPLE = {
    "counts": ["p:c:getaddrinfo(char *name):char *:name"],
    "histograms": ["r:c:getaddrinfo():u64:$latency"],
}
SHOWN = ("cumulative", "top")


class Options(TaskFilters):
    letters = {"pid": "-p", "tid": "-t", "duration": "-d"}

    histograms: str = option(
        "-H",
        "--histogram",
        metavar="SPEC",
        repeat=True,
        help="show values by powers of two",
    )
    counts: str = option(
        "-C", "--count", metavar="SPEC", repeat=True, help="count values"
    )
    text_size: int = option(
        "-z",
        "--string-size",
        metavar="BYTES",
        default=80,
        check=positive,
        help="most bytes of a text that are compared and shown (80)",
    )
    interval: float = option(
        "-i",
        "--interval",
        metavar="SECONDS",
        default=1,
        check=positive,
        help="seconds between reports (1)",
    )
    count: int = option(
        "-n", "--number", metavar="N", check=positive, help="stop after N reports"
    )
    cumulative: bool = option(
        "-c", "--cumulative", help="count from the start, not for each report"
    )
    top: int = option(
        "-T", "--top", metavar="N", check=positive, help="show the N largest counts"
    )
    include: str = option(
        "-I",
        "--include",
        metavar="HEADER",
        repeat=True,
        help="not needed: types are known",
    )


def declare(options, target):
    counts = [parse(text, histogram=False) for text in options.counts or ()]
    histograms = [parse(text, histogram=True) for text in options.histograms or ()]
    if not counts and not histograms:
        raise UsageError(
            "at least one specifier is required", hint="see 'skep argdist --help'"
        )
    settings = Settings(options.pid, options.text_size, Options.selected)
    probes, tables, distributions = {}, {}, {}
    for number, specifier in enumerate(counts, 1):
        name = f"count{number}"
        probes[name], tables[name] = counting(specifier, number, settings, target)
    for number, specifier in enumerate(histograms, 1):
        name = f"hist{number}"
        probes[name], distributions[name] = distributing(
            specifier, number, settings, target
        )
    return Declared(probes, histograms=distributions, tables=tables)
