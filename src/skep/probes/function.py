"""Kernel functions: by fentry and fexit, else by kprobes.

A program at fexit has the arguments of the call still at hand; one at a kretprobe has
only registers of which the function made what it wanted, so another one saves the
arguments at the entry.  Calls of one task may nest: they are told apart by their frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain

from skep.errors import NotLoaded, NotSupported, ProbeNotFound
from skep.probes.candidate import (
    Candidate,
    Clock,
    CtxAddress,
    CtxWord,
    Elapsed,
    Fetch,
    Frame,
    Number,
    Param,
    PlaceNumber,
    ProbedWord,
    Saved,
    Site,
)
from skep.probes.function_lookup import Function, find, variants
from skep.probes.intention import FunctionEntry, FunctionExit
from skep.probes.parameters import require
from skep.probes.places import PLACE
from skep.probes.registers import Registers
from skep.probes.typed_argument import typed_argument
from skep.spec import AttachSpec
from skep.symbols.name_pattern import is_pattern
from skep.target import Target

_ENTRIES = {"fexit": "fentry", "kretprobe": "kprobe"}

_KPROBE_NOTE = "slower: a breakpoint, and helper calls read what arguments point to"


def resolve(
    intention: FunctionEntry | FunctionExit, needs: AbstractSet[str], target: Target
) -> Iterator[Candidate]:
    """The ways to run a program at the entry or the return of functions, best first."""
    if PLACE in needs or any(map(is_pattern, intention.names)):
        from skep.probes import function_pattern

        ladder = function_pattern.resolve(intention, needs, target)
        return chain(ladder, _typed_at_place(intention, needs, target))
    functions, left_out = _find_all(intention, target)
    exits = isinstance(intention, FunctionExit)
    for each in functions:
        known = [*each.parameter_names, *(_exit_names(each) if exits else ())]
        hint = "" if exits or "ret" not in needs else "ret is for on.exit"
        require(needs, known, f"the function {each.name}", hint)
    candidates = _candidates(intention.kinds, functions, needs, target, left_out)
    if isinstance(intention, FunctionEntry) and intention.offset:
        return (_shifted(each, intention.offset) for each in candidates)
    return candidates


def _typed_at_place(
    intention: FunctionEntry | FunctionExit, needs: AbstractSet[str], target: Target
) -> Iterator[Candidate]:
    """One function by its name, with the parameters that functions of a pattern have.

    For kernels that close kprobes: those that are locked down, and by their sysctl
    perf_event_paranoid those of Debian.
    """
    (text, *others) = intention.names
    if others or is_pattern(text) or intention.prototype:
        return
    try:
        function = find(text, intention, target)
    except (NotLoaded, ProbeNotFound):
        return  # it is in the kernel's list all the same
    exits = isinstance(intention, FunctionExit)
    if function.btf_id is None or ("ret" in needs and function.returns == "void"):
        return
    # Arguments that the function does not have are 0.
    fetches: dict[str, Fetch] = {
        f"arg{word + 1}": CtxWord(word) if word < function.words else Number(0)
        for word in range(len(target.arch.function_args))
    }
    fetches["ret"] = CtxWord(function.words)
    fetches[PLACE] = PlaceNumber()
    types = {"ret": "long", PLACE: "u32"}
    params = [
        Param(name, types.get(name, "u64"), fetch)
        for name, fetch in fetches.items()
        if name in needs
    ]
    site = _typed_site("fexit" if exits else "fentry", function, needs & {"elapsed_ns"})
    attach = site.attach._replace(names=(function.name,))
    yield Candidate((site._replace(attach=attach, params=(*site.params, *params)),))


def _shifted(candidate: Candidate, offset: int) -> Candidate:
    """The candidate, behind the start of the functions."""
    sites = [
        site._replace(attach=site.attach._replace(offset=offset))
        for site in candidate.sites
    ]
    return candidate._replace(sites=tuple(sites))


def _exit_names(function: Function) -> list[str]:
    names = ["elapsed_ns"]
    return names if function.returns == "void" else ["ret", *names]


def _find_all(
    intention: FunctionEntry | FunctionExit, target: Target
) -> tuple[list[Function], str]:
    """The functions, and a note on those that are left out."""
    found: list[Function] = []
    missing: list[str] = []
    for name in intention.names:
        try:
            found.append(find(name, intention, target))
        except (NotLoaded, ProbeNotFound):
            if not intention.optional:
                raise
            missing.append(name)
    return found, f"this kernel has no {', '.join(missing)}" if missing else ""


def _candidates(
    kinds: Sequence[str],
    functions: Sequence[Function],
    needs: AbstractSet[str],
    target: Target,
    left_out: str,
) -> Iterator[Candidate]:
    typed = all(each.btf_id is not None for each in functions)
    if not typed and all(kind.startswith("f") for kind in kinds):
        name = next(each.name for each in functions if each.btf_id is None)
        raise NotSupported(f"fentry needs BTF, and this kernel has none of {name}")
    for kind in kinds:
        if kind in ("fentry", "fexit"):
            if typed:
                sites = [_typed_site(kind, each, needs) for each in functions]
                yield Candidate(tuple(sites), left_out)
            continue
        build = partial(_plain_site, kind, needs=needs, target=target)
        notes = _join(left_out, _doubts(functions, target), _KPROBE_NOTE)
        yield Candidate(tuple(map(build, functions)), notes)
        changed = [variants(each, target) for each in functions]
        if changed != functions:
            names = ", ".join(v.name for v, f in zip(changed, functions) if v != f)
            note = f"the compiler's variant {names} may have other arguments"
            yield Candidate(tuple(map(build, changed)), _join(left_out, note))


def _doubts(functions: Sequence[Function], target: Target) -> str:
    """What is said of functions that are missing where BTF describes others.

    pahole leaves out those whose arguments are not where they should be.
    """
    names = [
        each.name
        for each in functions
        if each.btf is None and (not each.module or target.module_btf(each.module))
    ]
    if not names:
        return ""
    return f"BTF leaves out {', '.join(names)}: arguments and results may be wrong"


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _typed_site(kind: str, function: Function, needs: AbstractSet[str]) -> Site:
    """The site of an fentry or fexit program."""
    assert function.btf_id is not None
    attach = AttachSpec(kind, function.name, function.btf_id, function.module)
    params = _typed_params(function, needs)
    if "ret" in needs:
        params.append(_typed_result(function))
    if "elapsed_ns" not in needs:
        return Site(attach, tuple(params))
    params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    frame = Frame(CtxAddress())
    clock = Param("elapsed_ns", "u64", Clock())
    entry = Site(attach._replace(kind=_ENTRIES[kind]), (clock,), frame=frame)
    return Site(attach, tuple(params), entry=entry, frame=frame)


def _typed_params(function: Function, needs: AbstractSet[str]) -> list[Param]:
    params = []
    assert function.btf is not None
    for argument in function.arguments:
        for name in dict.fromkeys(argument.names):
            if name not in needs:
                continue
            word = argument.word
            plain = Param(name, argument.type, CtxWord(word), argument.user)
            params.append(typed_argument(plain, word, argument.type_id, function.btf))
    return params


def _typed_result(function: Function) -> Param:
    """What the function returned; it lies behind the arguments.

    A pointer may be an error number, so it is not loaded from directly.
    """
    word = function.words
    fetch: Fetch = ProbedWord(word) if "*" in function.returns else CtxWord(word)
    return Param("ret", function.returns, fetch)


def _plain_site(
    kind: str, function: Function, needs: AbstractSet[str], target: Target
) -> Site:
    """The site of a kprobe or kretprobe program: arguments are in registers."""
    attach = AttachSpec(kind, function.name, module=function.module)
    registers = Registers(target)
    arguments = _register_params(function, needs, target)
    if kind == "kprobe":
        return Site(attach, tuple(arguments))
    params = [each._replace(fetch=Saved(each.name)) for each in arguments]
    if "elapsed_ns" in needs:
        arguments.append(Param("elapsed_ns", "u64", Clock()))
        params.append(Param("elapsed_ns", "u64", Elapsed("elapsed_ns")))
    if "ret" in needs:
        params.append(Param("ret", function.returns, registers.returned))
    if not arguments:
        return Site(attach, tuple(params))
    stack = registers.member(target.arch.stack_pointer)
    # On x86_64 the return address is on the stack at the entry, not at the return.
    before = Frame(stack, target.arch.return_address_size)
    entry = Site(attach._replace(kind="kprobe"), tuple(arguments), frame=before)
    return Site(attach, tuple(params), entry=entry, frame=Frame(stack))


def _register_params(
    function: Function, needs: AbstractSet[str], target: Target
) -> list[Param]:
    paths = target.arch.function_args
    registers = Registers(target)
    params = []
    for argument in function.arguments:
        names = [name for name in dict.fromkeys(argument.names) if name in needs]
        if not names:
            continue
        if argument.word >= len(paths):
            raise NotSupported(
                f"a kprobe cannot read {names[0]} of {function.name}: only"
                f" {len(paths)} arguments are in registers"
            )
        fetch = registers.member(paths[argument.word])
        params += [Param(n, argument.type, fetch, argument.user) for n in names]
    return params
