"""Many kernel functions by a pattern: one program for all of them.

By one link (kprobe_multi, 5.18), else by a kprobe each.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.errors import (
    NotPermitted,
    NotSupported,
    ProbeNotFound,
    SkepError,
    TargetError,
)
from skep.probes.candidate import (
    Candidate,
    Clock,
    Elapsed,
    Frame,
    Param,
    Saved,
    SessionCell,
    Site,
)
from skep.probes.function_lookup import unknown
from skep.probes.intention import FunctionEntry, FunctionExit
from skep.probes.parameters import parse_function, require
from skep.probes.places import PLACE, place_fetch, place_params
from skep.probes.registers import Registers
from skep.spec import AttachSpec
from skep.symbols.name_pattern import is_pattern
from skep.target import Target

MOST_PROBES = 1000
"""Functions that are probed one by one at most; each takes about a millisecond."""

_LINKS = "BPF_TRACE_KPROBE_MULTI"

_ONE_BY_ONE = "slower to attach: each function by itself"

_NO_MODULES = (
    "{} functions of modules are left out: this kernel finds those one by one only"
)


def resolve(
    intention: FunctionEntry | FunctionExit, needs: AbstractSet[str], target: Target
) -> Sequence[Candidate]:
    """The ways to run a program at all functions that match, best first."""
    symbols = _symbols(intention, target)
    names = " ".join(intention.names)
    side = "kretprobe" if isinstance(intention, FunctionExit) else "kprobe"
    attach = AttachSpec(
        side,
        names,
        module=intention.module,
        symbols=symbols,
    )
    site = _site(attach, intention, needs, target)
    if PLACE in needs or site.entry is not None:
        site = _named(site, symbols)
    ladder = []
    if site.entry is not None and has_sessions(target):
        ladder.append(Candidate((_as_session(site),)))
    elif target.has_enumerator(_LINKS):
        ladder.append(Candidate((_of_kind(site, "_multi"),)))
    if len(symbols) <= MOST_PROBES:
        ladder.append(Candidate((_of_kind(site, "s"),), _ONE_BY_ONE))
    elif ladder:
        ladder += _without_modules(intention, ladder[0], symbols, target)
    else:
        raise NotSupported(
            f"{len(symbols)} functions match {names!r}, and this kernel can only probe"
            f" them one by one, up to {MOST_PROBES}"
        )
    return ladder


def _without_modules(
    intention: FunctionEntry | FunctionExit,
    candidate: Candidate,
    symbols: tuple[str, ...],
    target: Target,
) -> Sequence[Candidate]:
    """For kernels before 6.2, whose links find no functions of modules by name: the
    functions of the kernel itself, if there are others, too."""
    if intention.module:
        return ()
    listed = (target.functions_like(name, "") for name in intention.names)
    own = set().union(*listed).intersection(symbols)
    if len(own) in (0, len(symbols)):
        return ()
    chosen = tuple(name for name in symbols if name in own)
    sites = tuple(_at_others(site, chosen) for site in candidate.sites)
    return (Candidate(sites, _NO_MODULES.format(len(symbols) - len(own))),)


def _at_others(site: Site, symbols: tuple[str, ...]) -> Site:
    """The same site at other functions."""
    names = symbols if site.attach.names else ()
    attach = site.attach._replace(symbols=symbols, names=names)
    entry = None if site.entry is None else _at_others(site.entry, symbols)
    return site._replace(attach=attach, entry=entry)


def _named(site: Site, names: tuple[str, ...]) -> Site:
    """The site where programs learn at which of the functions they are."""
    entry = None if site.entry is None else _named(site.entry, names)
    return site._replace(attach=site.attach._replace(names=names), entry=entry)


def has_sessions(target: Target) -> bool:
    """Whether one program can be at the entry and the return of many functions (6.10).

    Where it can, kprobe_multi must not be used for both: since 6.14 it is built on
    fgraph, which does not tell the stack pointer at the return.
    """
    if not target.has_enumerator("BPF_TRACE_KPROBE_SESSION"):
        return False
    return target.btf.find("func", "bpf_session_cookie") is not None


def _as_session(site: Site) -> Site:
    """The pair of sites as one program, whose calls have 8 bytes for the frame."""
    frame = Frame(SessionCell(), abandoned=True)
    attach = site.attach._replace(kind="kprobe_session")
    assert site.entry is not None
    entry = site.entry._replace(attach=attach, frame=frame)
    return site._replace(attach=attach, entry=entry, frame=frame)


def _of_kind(site: Site, suffix: str) -> Site:
    attach = site.attach._replace(kind=f"{site.attach.kind}{suffix}")
    entry = None if site.entry is None else _of_kind(site.entry, suffix)
    return site._replace(attach=attach, entry=entry)


def _symbols(
    intention: FunctionEntry | FunctionExit, target: Target
) -> tuple[str, ...]:
    """The functions that match.  Raises `ProbeNotFound` if there are none."""
    module = intention.module or None
    try:
        groups = [_matching(name, module, target) for name in intention.names]
    except TargetError as error:
        raise NotSupported(error.diagnostic.message, hint=INSTEAD) from None
    except NotPermitted as error:
        if not error.diagnostic.hint:  # at what would permit it
            error.diagnostic = error.diagnostic._replace(hint=INSTEAD)
        raise
    for name, group in zip(intention.names, groups):
        if not group and not is_pattern(name) and not intention.optional:
            raise unknown(name, intention.module, target)
    symbols = tuple(dict.fromkeys(name for group in groups for name in group))
    if not symbols:
        raise _none(intention)
    return symbols


def _matching(name: str, module: str | None, target: Target) -> Sequence[str]:
    """The functions that a name or pattern means.

    Of a function with several names, such as those of system calls without arguments,
    the kernel lists but one.
    """
    try:
        found = target.functions_like(name, module)
    except NotPermitted:
        if is_pattern(name):
            raise
        found = []  # the list is closed, but the name is known
    if found or is_pattern(name) or name not in dict(target.function_symbols(name)):
        return found
    return [name]


INSTEAD = (
    "what can be traced everywhere: tracepoints (t:CATEGORY:EVENT), USDT probes"
    " (u:LIBRARY:PROBE), functions of libraries and programs (LIBRARY:FUNCTION), and"
    " system calls (p::__x64_sys_read)"
)


def _none(intention: FunctionEntry | FunctionExit) -> SkepError:
    names = " ".join(intention.names)
    return ProbeNotFound(
        f"no function that can be traced matches {names!r}",
        notes=["/sys/kernel/tracing/available_filter_functions lists them"],
    )


def _site(
    attach: AttachSpec,
    intention: FunctionEntry | FunctionExit,
    needs: AbstractSet[str],
    target: Target,
) -> Site:
    """The site, made for one function, with what it needs from registers."""
    prototype = parse_function(intention.prototype)
    registers = Registers(target)
    named = [(each.name, each.type) for each in prototype.parameters]
    paths = target.arch.function_args
    numbered = [(f"arg{n + 1}", "u64") for n in range(len(paths))]
    arguments = [
        Param(name, type_, registers.member(path))
        for (name, type_), path in zip(named or numbered, paths)
    ]
    exits = isinstance(intention, FunctionExit)
    known = [param.name for param in arguments] + [PLACE]
    known += ["ret", "elapsed_ns"] if exits else []
    hint = "" if named else "without a prototype they are arg1, arg2, ..."
    require(needs, known, f"functions {intention.names[0]}", hint)
    wanted = [param for param in arguments if param.name in needs]
    place = place_params(needs, target)
    if not exits:
        return Site(attach, (*wanted, *place))
    params = [*place]
    if "ret" in needs:
        params.append(Param("ret", prototype.returns, registers.returned))
    return _paired(Site(attach, tuple(params)), wanted, needs, target)


def _paired(
    site: Site, wanted: Sequence[Param], needs: AbstractSet[str], target: Target
) -> Site:
    """The site at the return with one at the entry that saves what is wanted of it."""
    saved = list(wanted)
    params = [each._replace(fetch=Saved(each.name)) for each in wanted]
    if "elapsed_ns" in needs:
        saved.append(Param("elapsed_ns", "u64", Clock()))
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    if not saved:
        return site
    stack = Registers(target).member(target.arch.stack_pointer)
    at_return = Frame(stack, abandoned=True, place=place_fetch(target))
    # On x86_64 the return address is on the stack at the entry, not at the return.
    before = at_return._replace(add=target.arch.return_address_size)
    attach = site.attach._replace(kind="kprobe")
    entry = Site(attach, tuple(saved), frame=before)
    return site._replace(params=(*site.params, *params), entry=entry, frame=at_return)
