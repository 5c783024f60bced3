"""From a specifier of `argdist` to a probe and the table or histogram that it fills."""

from __future__ import annotations

from collections.abc import Sequence

from skep.authoring.on import Probe
from skep.authoring.outputs import Histogram, Table
from skep.compiler import tree
from skep.compiler.environment import WrittenFunction
from skep.compiler.types import (
    Array,
    Int,
    Layout,
    Pointer,
    Struct,
    Type,
    from_c,
    needs_btf,
)
from skep.errors import SkepError, Span, UsageError
from skep.fields import Member
from skep.fields.parts import number_part, text_part
from skep.frontends.argdist import Specifier, Value
from skep.frontends.cexpr import Words, parse_expression
from skep.frontends.made_outputs import counting_table, distribution
from skep.frontends.trace_places import Place, place_of
from skep.frontends.words import Scope, Word, intrinsic, used_parameters
from skep.named_tuple import NamedTuple
from skep.target import Target

_OUTPUT = "output"
"""What the handler calls its table or histogram."""


class Settings(NamedTuple):
    """What the options say of all specifiers.

    pid        the only process of interest
    text_size  most bytes of a text
    when       see `skep.authoring.on.Probe`
    """

    pid: int | None
    text_size: int
    when: object


def counting(
    specifier: Specifier, number: int, settings: Settings, target: Target
) -> tuple[Probe, Table]:
    """A probe that counts how often its values came, and the table of the counts.

    `number` tells the specifiers of a run apart.  Raises SkepError, with the place in
    the text where there is one.
    """
    values = specifier.values
    members = [
        _member(f"arg{index}", value, settings.text_size, target)
        for index, value in enumerate(values, 1)
    ] or [number_part("arg1", "u32")]
    titles = [value.shown for value in values]
    table = counting_table(number, specifier.label, titles, members)
    place, words = _place(specifier, settings, target)
    shown = [_typed(value, words) for value in values] or [_literal(1, specifier)]
    given = [(member.name, each) for member, each in zip(members, shown)]
    given.append(("count", _literal(1, specifier)))
    scope = Scope(target, **{_OUTPUT: table})
    body = _Body("add", (), given)
    return _probe(specifier, place, words, scope, body, settings), table


def distributing(
    specifier: Specifier, number: int, settings: Settings, target: Target
) -> tuple[Probe, Histogram]:
    """A probe that counts a value by powers of two, and the histogram.

    Raises as `counting` does.
    """
    (value,) = specifier.values
    if not isinstance(_type(value, target), Int):
        raise UsageError(
            f"a histogram is of numbers, not of '{value.type}'", value.place.place
        )
    unit = specifier.label if specifier.is_labelled else value.shown
    histogram = distribution(specifier.label, unit)
    place, words = _place(specifier, settings, target)
    scope = Scope(target, **{_OUTPUT: histogram})
    body = _Body("record", (_typed(value, words),), ())
    return _probe(specifier, place, words, scope, body, settings), histogram


class _Body(NamedTuple):
    """The method of the output to call, and what with."""

    method: str
    arguments: Sequence[tree.Expression]
    keywords: Sequence[tuple[str, tree.Expression]]


def _probe(
    specifier: Specifier,
    place: Place,
    words: Words,
    scope: Scope,
    body: _Body,
    settings: Settings,
) -> Probe:
    """The probe: call the method of the output, if the filter holds."""
    span = specifier.probe.text.place
    filter_ = specifier.filter
    test = parse_expression(filter_.text, filter_.span, words) if filter_ else None
    expressions = [*body.arguments, *(e for _, e in body.keywords)]
    tested = [*expressions, *([test] if test else [])]
    parameters = used_parameters(tested, place.parameters, scope, list(words.names))
    method = tree.Attribute(tree.Name(_OUTPUT, span), body.method, span)
    call = tree.Call(method, body.arguments, body.keywords, span)
    count = tree.Evaluate(call, span)
    statement = tree.If(test, [count], (), span) if test else count
    function = tree.Function("probe", parameters, (), [statement], span)
    return Probe(WrittenFunction(function, scope), place.intention, settings.when)


def _literal(value: int, specifier: Specifier) -> tree.Expression:
    return tree.Literal(value, specifier.probe.text.place)


def _place(
    specifier: Specifier, settings: Settings, target: Target
) -> tuple[Place, Words]:
    """Where the probe runs, and its words with those of argdist."""
    probe = specifier.probe
    place = place_of(probe, settings.pid, target)
    is_return = probe.kind == "r"
    if is_return:
        place = place._replace(parameters=[*place.parameters, "elapsed_ns"])
    names: dict[str, Word] = {
        **place.words.names,
        "$PID": lambda span: intrinsic("pid", span),
        "$COMM": lambda span: intrinsic("comm", span),
        "$retval": _at_return("ret", is_return),
        "$latency": _at_return("elapsed_ns", is_return),
    }

    def entry(span: Span, arguments: Sequence[tree.Expression]) -> tree.Expression:
        if not is_return:
            raise _not_at_return("$entry()", span)
        if len(arguments) != 1:
            raise UsageError(
                "$entry() takes the name of a parameter", span, hint="$entry(size)"
            )
        return arguments[0]

    functions = {**place.words.functions, "$entry": entry}
    words = place.words._replace(names=names, functions=functions)
    return place, words


def _at_return(parameter: str, is_return: bool) -> Word:
    """A word that means something at returns only."""

    def word(span: Span) -> tree.Expression:
        if not is_return:
            name = {"ret": "$retval", "elapsed_ns": "$latency"}[parameter]
            raise _not_at_return(name, span)
        return tree.Name(parameter, span)

    return word


def _not_at_return(word: str, span: Span) -> UsageError:
    return UsageError(
        f"{word} is known at the return of a function only",
        span,
        hint="such probes begin with 'r:'",
    )


def _type(value: Value, target: Target) -> Type:
    """The type that the user gives a value."""
    try:
        type_ = _from_c(value.type, target)
    except SkepError as error:
        message, hint = error.diagnostic.message, error.diagnostic.hint
        raise UsageError(message, value.place.place, hint=hint) from None
    if isinstance(type_, (Struct, Layout, Array)) or not type_.size:
        raise UsageError(
            f"'{value.type}' can be neither counted nor compared",
            value.place.place,
            hint="values are numbers, addresses, or texts ('char *')",
        )
    return type_


def _from_c(text: str, target: Target) -> Type:
    """A type in C spelling; BTF is opened only when the type needs it."""
    return from_c(text, target.btf if needs_btf(text) else None)


def _is_text(type_: Type) -> bool:
    return isinstance(type_, Pointer) and type_.target in (Int(1, False), Int(1, True))


def _member(name: str, value: Value, text_size: int, target: Target) -> Member:
    """The member of the key for a value."""
    type_ = _type(value, target)
    if isinstance(type_, Pointer):
        if "char" in value.type and _is_text(type_):
            return text_part(name, text_size)
        return number_part(name, "u64", is_address=True)
    assert isinstance(type_, Int)
    return number_part(name, str(Int(type_.size, type_.signed)))


def _typed(value: Value, words: Words) -> tree.Expression:
    """A value as its type."""
    if value.expression is None:
        word = words.names["$retval"]
        return tree.CCast(value.type, word(value.place.place), value.place.place)
    part = value.expression
    parsed = parse_expression(part.text, part.span, words)
    if isinstance(parsed, tree.Literal):
        return parsed
    return tree.CCast(value.type, parsed, parsed.span)
