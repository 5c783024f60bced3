"""Many kernel functions by a pattern: one program for all of them.

By one link (kprobe_multi, 5.18), else by a kprobe each.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.errors import NotSupported, ProbeNotFound
from skep.probes.candidate import Candidate, Param, Site
from skep.probes.intention import FunctionEntry, FunctionExit
from skep.probes.parameters import parse_function, require
from skep.probes.registers import Registers
from skep.spec import AttachSpec
from skep.target import Target

MOST_PROBES = 1000
"""Functions that are probed one by one at most; each takes about a millisecond."""


def resolve(
    intention: FunctionEntry | FunctionExit, needs: AbstractSet[str], target: Target
) -> Sequence[Candidate]:
    """The ways to run a program at all functions that match, best first."""
    names = " ".join(intention.names)
    matching = [target.functions_like(n, intention.module) for n in intention.names]
    symbols = tuple(dict.fromkeys(name for group in matching for name in group))
    if not symbols:
        raise ProbeNotFound(
            f"no function that can be traced matches {names!r}",
            notes=["/sys/kernel/tracing/available_filter_functions lists them"],
        )
    params = _params(intention, needs, target)
    side = "kretprobe" if isinstance(intention, FunctionExit) else "kprobe"
    attach = AttachSpec(side, names, module=intention.module, symbols=symbols)
    one_link = Site(attach._replace(kind=f"{side}_multi"), params)
    ladder = [Candidate((one_link,))] if target.has_enumerator(_LINKS) else []
    if len(symbols) <= MOST_PROBES:
        each = Site(attach._replace(kind=f"{side}s"), params)
        ladder.append(Candidate((each,), "slower to attach: each function by itself"))
    elif not ladder:
        raise NotSupported(
            f"{len(symbols)} functions match {names!r}, and this kernel can only probe"
            f" them one by one, up to {MOST_PROBES}"
        )
    return ladder


_LINKS = "BPF_TRACE_KPROBE_MULTI"


def _params(
    intention: FunctionEntry | FunctionExit, needs: AbstractSet[str], target: Target
) -> tuple[Param, ...]:
    """The arguments, or the result, from registers; calls are not paired."""
    prototype = parse_function(intention.prototype)
    registers = Registers(target)
    paths = target.arch.function_args
    if isinstance(intention, FunctionExit):
        known = [Param("ret", prototype.returns, registers.returned)]
        hint = "at the return of many functions only ret is known"
    else:
        named = [(each.name, each.type) for each in prototype.parameters]
        numbered = [(f"arg{n + 1}", "u64") for n in range(len(paths))]
        known = [
            Param(name, type_, registers.member(path))
            for (name, type_), path in zip(named or numbered, paths)
        ]
        hint = "" if named else "without a prototype they are arg1, arg2, ..."
    names = [param.name for param in known]
    require(needs, names, f"functions {intention.names[0]}", hint)
    return tuple(param for param in known if param.name in needs)
