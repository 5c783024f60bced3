"""Where a probe of `trace` runs, and what its words stand for there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skep.btf import parse_c_type
from skep.compiler import tree
from skep.compiler.types import from_c, needs_btf
from skep.errors import ProbeNotFound, Span, TargetError, UsageError
from skep.frontends.cexpr import Words
from skep.frontends.signature import Parameter
from skep.frontends.trace import ProbeText
from skep.frontends.words import Word, task_words
from skep.named_tuple import NamedTuple
from skep.probes import tracepoint
from skep.probes.function_lookup import find, module_of
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    Intention,
    SyscallEnter,
    SyscallExit,
    Tracepoint,
    Uprobe,
    Uretprobe,
    Usdt,
)
from skep.probes.syscall_table import SystemCall, lookup, name_of_event
from skep.symbols.name_pattern import is_pattern
from skep.target import Target

MOST_ARGUMENTS = 12
"""arg1 and so on of user functions: those behind the registers are on the stack."""

_SYSCALL = re.compile(r"(?:__(x64|arm64|se|do)_)?(?:sys|SyS)_(\w+)")
_ARCHITECTURES = {"x64": "x86_64", "arm64": "arm64"}


class Place(NamedTuple):
    """Where a probe runs.

    `parameters` are the names that its handler may have; `words` are others, and what
    they mean.
    """

    intention: Intention
    parameters: Sequence[str]
    words: Words


def place_of(probe: ProbeText, pid: int | None, target: Target) -> Place:
    """Where the probe runs; `pid` is the only process of interest.

    Raises SkepError for what the kernel does not have.
    """
    if is_pattern(probe.name.text):
        raise UsageError(
            f"'{probe.name.text}' may be several",
            probe.name.place,
            hint="a probe is at one place; funccount and its like take patterns",
        )
    try:
        return _place_of(probe, pid, target)
    except ProbeNotFound as error:
        if error.diagnostic.span is None:
            place = probe.name.place
            error.diagnostic = error.diagnostic._replace(span=place)
        raise


def _place_of(probe: ProbeText, pid: int | None, target: Target) -> Place:
    if probe.kind == "t":
        return _tracepoint(probe, target)
    if probe.kind == "u":
        usdt = Usdt(probe.library, probe.name.text, pid)
        return Place(usdt, _numbered(MOST_ARGUMENTS), Words(task_words()))
    if probe.library:
        return _user_function(_with_known_types(probe, target), pid)
    call = _system_call(probe, target)
    return _syscall(probe, call) if call else _kernel_function(probe, target)


def _tracepoint(probe: ProbeText, target: Target) -> Place:
    """The fields of the record are members of `args`."""
    intention = Tracepoint(f"{probe.library}:{probe.name.text}")
    tracepoint.resolve(intention, set(), target)
    record = target.tracepoint(probe.library, probe.name.text)
    assert record is not None

    def field(span: Span, name: str) -> tree.Expression:
        return tree.Name(name, span)

    words = Words(task_words(), {}, {"args": field})
    names = [each.name for each in tracepoint.readable(record)]
    return Place(intention, names, words)


def _with_known_types(probe: ProbeText, target: Target) -> ProbeText:
    """A probe of a user function: pointers to what only the program knows are `void *`,
    which can be shown and compared."""
    if not probe.signature:
        return probe
    known = [_with_known_type(each, probe, target) for each in probe.signature]
    return probe._replace(signature=known)


def _with_known_type(
    parameter: Parameter, probe: ProbeText, target: Target
) -> Parameter:
    parsed = parse_c_type(parameter.type)
    if parsed.kind in ("struct", "union") and not parsed.pointers:
        raise UsageError(
            f"'{parameter.type} {parameter.name}' is a structure, which is not passed"
            " as one argument",
            probe.name.place,
            hint="one of up to 16 bytes is like a number for each 8 of them; leave out"
            " a larger one",
        )
    if parsed.pointers and needs_btf(parameter.type):
        try:
            from_c(parameter.type, target.btf)
        except TargetError:
            return parameter._replace(type="void *")
    return parameter


def _user_function(probe: ProbeText, pid: int | None) -> Place:
    functions = (probe.name.text,)
    words = _words(probe, _numbered(MOST_ARGUMENTS))
    if probe.kind == "r":
        returns = Uretprobe(probe.library, functions, pid)
        return Place(returns, [*_numbered(MOST_ARGUMENTS), "ret"], words)
    entry = Uprobe(probe.library, functions, pid, probe.offset)
    return Place(entry, _numbered(MOST_ARGUMENTS), words)


def _numbered(count: int) -> list[str]:
    return [f"arg{number}" for number in range(1, count + 1)]


def _words(probe: ProbeText, arguments: Sequence[str]) -> Words:
    """`retval`, and the parameters of the signature: casts of `arguments`."""
    names: dict[str, Word] = task_words()
    if probe.kind == "r":
        names["retval"] = lambda span: tree.Name("ret", span)
    numbers = iter(arguments)
    for parameter in probe.signature or ():
        if _is_floating(parameter):  # they have registers of their own
            names[parameter.name] = _floating(parameter)
        else:
            argument = next(numbers, None)
            if argument is not None:
                names[parameter.name] = _cast(parameter, argument)
    return Words(names)


def _is_floating(parameter: Parameter) -> bool:
    parsed = parse_c_type(parameter.type)
    return parsed.name in ("float", "double") and not parsed.pointers


def _floating(parameter: Parameter) -> Word:
    def word(span: Span) -> tree.Expression:
        raise UsageError(
            f"{parameter.name} is a {parameter.type}, which BPF programs cannot use",
            span,
        )

    return word


def _cast(parameter: Parameter, argument: str) -> Word:
    return lambda span: tree.CCast(parameter.type, tree.Name(argument, span), span)


def _system_call(probe: ProbeText, target: Target) -> SystemCall | None:
    """The system call that a function is the entry of, by its name."""
    match = _SYSCALL.fullmatch(probe.name.text)
    if match is None or probe.offset:
        return None
    architecture = _ARCHITECTURES.get(match[1] or "")
    if architecture not in (None, target.arch.name):
        return None
    arch = target.arch.name
    return lookup(arch, name_of_event(arch, match[2]) or match[2])


def _syscall(probe: ProbeText, call: SystemCall) -> Place:
    """A system call, whose arguments are those of its man page."""
    names = call.parameter_names
    words = _words(probe, names)
    numbered = {f"arg{i}": _alias(name) for i, name in enumerate(names, 1)}
    words = words._replace(names={**numbered, **words.names})
    if probe.kind == "r":
        return Place(SyscallExit((call.name,)), [*names, "ret"], words)
    return Place(SyscallEnter((call.name,)), names, words)


def _alias(name: str) -> Word:
    return lambda span: tree.Name(name, span)


def _kernel_function(probe: ProbeText, target: Target) -> Place:
    name = probe.name.text
    module = module_of(name, target)
    intention: FunctionEntry | FunctionExit
    if probe.kind == "r":
        intention = FunctionExit((name,), module)
    elif probe.offset:
        kinds = ("kprobe",)
        intention = FunctionEntry((name,), module, kinds=kinds, offset=probe.offset)
    else:
        intention = FunctionEntry((name,), module)
    function = find(name, intention, target)
    known = function.parameter_names
    numbered = _numbered(len(function.arguments))
    words = _words(probe, numbered)
    return Place(intention, [*known, *(["ret"] if probe.kind == "r" else [])], words)
