"""Plain descriptions of kernel objects, before any kernel is involved.

A spec is comparable and printable and knows nothing of the running kernel;
`skep.runtime` turns specs into kernel objects.
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.asm import Instruction
from skep.named_tuple import NamedTuple

LEDGER_CAUSES = (
    "ring full",
    "map full",
    "failed read",
    "truncated",
    "scratch busy",
    "loop limit",
    "unpaired",
    "stack collision",
)
"""Causes of loss that programs count, in the order of the ledger's u64 counters.

The ledger is an array map with one element, all the counters, so that programs have
their address as a constant; a program adds one atomically where it loses something.
"""


STACK_FRAMES = 127
"""Addresses of a stack, as many as the kernel gives (PERF_MAX_STACK_DEPTH).

In a record a stack is an s64, the bytes of addresses or a negative error, a u64, the
process or 0 for the kernel, and the addresses as u64s, the innermost first.
"""

STACK_HEADER = 16
"""Bytes before the addresses."""

SECOND_STACK_MAP = 1 << 20
"""Added to the ids of stacks for which the first of two maps had no room."""


PLACE = "the place"
"""What the instruction refers to whose number is put in when a program is loaded: that
of the place where this copy of the program will run."""


class MapSpec(NamedTuple):
    """A BPF map.

    `kind` is the kernel's map type without its prefix, in lower case ("hash",
    "lru_hash", "array", "percpu_array", "percpu_hash", "ringbuf", "stack_trace",
    "task_storage").  Sizes are in bytes; for a ring buffer `max_entries` is the size
    of its data area, a power of two and a multiple of the page size.  A map that is
    `pinned` under a path exists already and is opened instead of made.
    """

    name: str
    kind: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    pinned: str = ""


class UserPlace(NamedTuple):
    """An instruction of a user program: `offset` in the file that `path` opens.

    `semaphore` is where in the file a counter of those who trace this place is; the
    kernel adds to it in each process.  0 for none.
    """

    path: str
    offset: int
    semaphore: int = 0


class AttachSpec(NamedTuple):
    """Where a program is attached.

    kind              name                      id
    "tp_btf"          tracepoint ("sys_exit")   BTF id of btf_trace_NAME (vmlinux)
    "raw_tracepoint"  tracepoint                -
    "tracepoint"      "category:event"          tracefs id of the event
    "tracepoints"     pattern                   - (`ids`, each by a perf event)
    "perf_event"      "cpu-clock", "cycles"...  sample period (ns for clocks)
    "profile"         "cpu-clock", "cycles"...  samples per second
    "interval"        ""                        period in nanoseconds
    "test_run"        ""                        - (BPF_PROG_TEST_RUN only)
    "fentry"          kernel function           BTF id, in the BTF of `module` if set
    "fexit"           kernel function           the same
    "kprobe"          symbol                    -
    "kretprobe"       symbol                    -
    "kprobe_multi"    pattern                   - (`symbols`, by one link)
    "kretprobe_multi" pattern                   -
    "kprobe_session"  pattern                   - (`symbols`, at entry and return, 6.10)
    "kprobes"         pattern                   - (`symbols`, each by itself)
    "kretprobes"      pattern                   -
    "uprobe"          "library:functions"       - (each of `places`, by a perf event)
    "uretprobe"       "library:functions"       -
    "uprobe_multi"    "library:functions"       - (`places`, by a link for each file)
    "uretprobe_multi" "library:functions"       -

    `offset` of a kprobe is in bytes from the symbol.  `pid` is the only process that a
    user probe is for, 0 for all.

    `names` are what the places are called, one for each of `symbols`, `ids` or
    `places`, where the program asks which of them it runs at.  `numbers` are what it
    then gets: those of its names among all of the run.  It gets them by the cookies of
    the links or, if it refers to `PLACE`, as there is a copy of it for each number.
    """

    kind: str
    name: str
    id: int = 0
    module: str = ""
    offset: int = 0
    places: tuple[UserPlace, ...] = ()
    pid: int = 0
    symbols: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()


class LineInfo(NamedTuple):
    """Source line of the instruction `at` this position in the instruction list."""

    at: int
    file: str
    line: int
    column: int
    text: str


LEDGER = MapSpec("ledger", "array", 4, 8 * len(LEDGER_CAUSES), 1)


class ProgramSpec(NamedTuple):
    """A BPF program: instructions, where they attach, and where they came from.

    Instructions refer to maps by name (`Instruction.ref`); loading replaces the name by
    a file descriptor.  `lines` is ascending by position.
    """

    name: str
    attach: AttachSpec
    instructions: Sequence[Instruction]
    lines: Sequence[LineInfo] = ()
    license: str = "GPL"


class FieldLayout(NamedTuple):
    """One field of a record's fixed part.

    `format` is its struct-module code without byte order ("I", "q", "16s").
    """

    name: str
    format: str
    offset: int
    size: int


class RecordLayout(NamedTuple):
    """How a record lies in the ring buffer.

    A record starts with a u32, `type_id`; `fields` follow, naturally aligned, sorted by
    offset; the fixed part ends at `size`.  When `tail` names a field, the rest of the
    record is that field's text:

    * tail_kind "string": the bytes of one C string with its NUL.  No bytes at all mean
      that the memory could not be read (an empty string is one NUL).  More than
      `tail_max` + 1 bytes mean that the text was longer than `tail_max` bytes
      and is cut.
    * tail_kind "strings": NUL-terminated strings one after the other.
    * tail_kind "bytes": raw bytes.
    """

    name: str
    type_id: int
    fields: Sequence[FieldLayout]
    size: int
    tail: str | None = None
    tail_kind: str = ""
    tail_max: int = 0


class CollectionSpec(NamedTuple):
    """All maps and programs of one tool run."""

    maps: Sequence[MapSpec]
    programs: Sequence[ProgramSpec]
