"""Raw tracepoints: the tracepoint's own arguments, without a record made of them.

First as tp_btf, where programs load directly from the structs that arguments point to;
then as raw_tracepoint, where every argument is a number to the verifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.btf import Btf
from skep.errors import ProbeNotFound, did_you_mean
from skep.probes.candidate import Candidate, CtxWord, Param, Site
from skep.probes.intention import RawTracepoint
from skep.probes.nullable import nullable_arguments
from skep.probes.parameters import Declared, parse_prototype, require, split_user
from skep.probes.typed_argument import typed_argument
from skep.spec import AttachSpec
from skep.target import Target

# How the kernel itself marks the names of arguments that may be null (6.12).
_MARK = "__nullable"

_SLOWER = "slower: helper calls read what the arguments point to"


def resolve(
    intention: RawTracepoint, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at a tracepoint, best first."""
    name = intention.name
    module = _module_of(intention, target)
    btf = (target.module_btf(module) if module else None) or target.btf
    arguments = target.raw_tracepoint_args(name, module)
    if arguments is None and not intention.prototype:
        raise _unknown(name, target)
    if arguments is None:
        declared = parse_prototype(intention.prototype)
    else:
        declared = _declared(arguments, btf)
    plain = _params(name, declared)
    require(needs, [each.name for each in plain], f"tracepoint {name}")
    wanted = tuple(each for each in plain if each.name in needs)
    raw = AttachSpec("raw_tracepoint", name, module=module)
    fallback = Candidate((Site(raw, wanted),), _SLOWER)
    # The verifier takes every argument of a module's tracepoint for one that may be
    # null (btf_ctx_access, kernel/bpf/btf.c, 6.13 and stable releases since).
    trace_id = None if module else target.btf_trace_id(name)
    if arguments is None or trace_id is None:
        return [fallback]
    typed = [
        typed_argument(param, position, arguments[position][1], target.btf)
        for position, param in enumerate(plain)
        if param.name in needs
    ]
    direct = Site(AttachSpec("tp_btf", name, trace_id), tuple(typed))
    return [Candidate((direct,)), fallback]


def _module_of(intention: RawTracepoint, target: Target) -> str:
    """The module that has the tracepoint, "" if that is the kernel itself."""
    built_in = target.raw_tracepoint_args(intention.name) is not None
    return "" if built_in else intention.module


def _declared(arguments: Sequence[tuple[str, int]], btf: Btf) -> tuple[Declared, ...]:
    spelled = ((name, *split_user(btf.spell(type_id))) for name, type_id in arguments)
    return tuple(Declared(*each) for each in spelled)


def _params(tracepoint: str, declared: Sequence[Declared]) -> list[Param]:
    """The arguments as a raw_tracepoint program gets them."""
    known = nullable_arguments(tracepoint)
    params = []
    for index, each in enumerate(declared):
        name, marked = each.name, each.name.endswith(_MARK)
        name = name[: -len(_MARK)] if marked else name
        nullable = marked or index in known
        params.append(Param(name, each.type, CtxWord(index), each.user, nullable))
    return params


def _unknown(name: str, target: Target) -> ProbeNotFound:
    prefix = "btf_trace_"
    known = [each[len(prefix) :] for each in target.btf.names(prefix)]
    return ProbeNotFound(
        f"the kernel has no tracepoint {name!r}",
        notes=["tracepoints of modules need a prototype"],
        hint=did_you_mean(name, known),
    )
