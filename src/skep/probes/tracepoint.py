"""Classic tracepoints: the fields of the record that the kernel makes for tracefs."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from skep.errors import ProbeNotFound, UsageError, did_you_mean
from skep.probes.candidate import Candidate, CtxField, DataLoc, Fetch, Param, Site
from skep.probes.intention import Tracepoint
from skep.probes.parameters import require, split_user
from skep.probes.places import PLACE
from skep.spec import AttachSpec
from skep.symbols.name_pattern import is_pattern
from skep.target import Target, TracepointField
from skep.target.tracepoint import TracepointFormat

# The kernel puts a pointer of its own over the first 8 bytes of the record before the
# program runs, and does not let it read them (tp_prog_is_valid_access).
_HIDDEN = 8
_COMMON = "common_"

# Arguments of system calls; their formats leave out that pointers are the program's.
_OF_CALLERS = "syscalls"


def resolve(
    intention: Tracepoint, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The one way to run a program at a classic tracepoint."""
    if is_pattern(intention.name) or PLACE in needs:
        from skep.probes import tracepoint_pattern

        return tracepoint_pattern.resolve(intention, needs, target)
    category, colon, event = intention.name.partition(":")
    if not category or not colon or not event:
        raise UsageError(
            f"{intention.name!r} is not the name of a tracepoint",
            hint='tracepoints are called "category:event", "sched:sched_switch"',
        )
    record = target.tracepoint(category, event)
    if record is None:
        raise target.tracefs_problem or unknown(category, event, target)
    in_user = category == _OF_CALLERS
    params = [_param(field, in_user) for field in readable(record)]
    hint = ""
    if any(name.startswith(_COMMON) for name in needs):
        hint = "BPF programs cannot read common_ fields; bpf has functions for the task"
    known = [param.name for param in params]
    require(needs, known, f"tracepoint {intention.name}", hint)
    attach = AttachSpec("tracepoint", intention.name, record.id)
    wanted = tuple(param for param in params if param.name in needs)
    return [Candidate((Site(attach, wanted),))]


def readable(record: TracepointFormat) -> list[TracepointField]:
    """The fields that a program may read."""
    return [
        field
        for field in record.fields
        if field.offset >= _HIDDEN and not field.name.startswith(_COMMON)
    ]


def _param(field: TracepointField, in_user: bool) -> Param:
    fetch: Fetch = CtxField(field.offset, field.size, field.signed)
    if field.dynamic:
        fetch = DataLoc(field.offset, field.dynamic == "rel_loc")
    ctype, user = split_user(field.ctype)
    return Param(field.name, ctype, fetch, user or (in_user and "*" in ctype))


def unknown(category: str, event: str, target: Target) -> ProbeNotFound:
    """What to raise where there is no tracepoint of that name."""
    name = f"{category}:{event}"
    return ProbeNotFound(
        f"the kernel has no tracepoint {name}",
        hint=did_you_mean(name, target.tracepoint_names()),
    )
