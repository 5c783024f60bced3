"""From the text of a probe of `trace` to a probe and the stream that it fills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skep.authoring.on import Probe
from skep.authoring.outputs import Stream
from skep.authoring.records import Record
from skep.compiler import tree
from skep.compiler.environment import WrittenFunction
from skep.errors import Span, UsageError
from skep.fields import Member
from skep.fields.formats import Conversion
from skep.fields.messages import message_members
from skep.frontends.cexpr import Words, parse_expression
from skep.frontends.made_outputs import message_stream
from skep.frontends.probe_text import Part
from skep.frontends.trace import ProbeText
from skep.frontends.trace_places import place_of
from skep.frontends.words import Scope, used_parameters
from skep.named_tuple import NamedTuple
from skep.target import Target

_MOST_RECORDS = 16
"""Different ways to send the record of one probe."""


class Settings(NamedTuple):
    """What the options say of all probes.

    pid          the only process of interest
    text_size    most bytes of a text
    binary       STRCMP compares bytes that its text lists: "{0x6c, 0x73}"
    base         the record class with the columns that all probes have
    below        members behind the message: stacks
    heading      title of the column with the messages
    when         see `skep.authoring.on.Probe`
    """

    pid: int | None
    text_size: int
    binary: bool
    base: type[Record]
    below: Sequence[Member]
    heading: str
    when: object


def traced(
    probe: ProbeText, number: int, settings: Settings, target: Target
) -> tuple[Probe, Stream]:
    """The probe with its handler, and the stream of its records.

    `number` tells the probes of a run apart.  Raises SkepError, with the place in the
    text where there is one.
    """
    place = place_of(probe, settings.pid, target)
    words = _with_comparison(place.words, settings.binary)
    conversions = probe.format.conversions if probe.format else ()
    text, size = probe.name.text, settings.text_size
    kind, *members = message_members(text, probe.format, size, settings.heading)
    values = [_expression(part, words) for part in probe.values]
    shown = [_converted(*pair) for pair in zip(values, conversions)]
    _check_choices(shown)
    test = _expression(probe.predicate, words) if probe.predicate else None
    shared = settings.base.members
    stream = message_stream(number, [*shared, kind, *members, *settings.below])
    scope = Scope(target, stream=stream)
    expressions = [*shown, *([test] if test else [])]
    parameters = used_parameters(expressions, place.parameters, scope)
    span = probe.name.place
    given = [
        ("probe", tree.Literal(number, span)),
        *((member.name, each) for member, each in zip(members, shown)),
    ]
    body = _body(given, test, span)
    function = tree.Function(f"probe{number}", parameters, (), body, span)
    handler = WrittenFunction(function, scope)
    return Probe(handler, place.intention, settings.when), stream


def _expression(part: Part, words: Words) -> tree.Expression:
    return parse_expression(part.text, part.span, words)


def _converted(value: tree.Expression, conversion: Conversion) -> tree.Expression:
    """A value as the type that its conversion asks for."""
    if conversion.ctype != "string":
        return tree.CCast(conversion.ctype, value, value.span)
    if isinstance(value, tree.Literal):
        return value
    if isinstance(value, tree.CConditional) and _has_text(value):
        body = _converted(value.body, conversion)
        orelse = _converted(value.orelse, conversion)
        return tree.CConditional(value.test, body, orelse, value.span)
    return tree.CCast("char *", value, value.span)


def _has_text(value: tree.Expression) -> bool:
    """Whether text in quotes may be what is chosen."""
    if isinstance(value, tree.CConditional):
        return _has_text(value.body) or _has_text(value.orelse)
    return isinstance(value, tree.Literal)


def _check_choices(values: Iterable[tree.Expression]) -> None:
    """Refuse more records than a program has room for."""
    records = 1
    for value in values:
        records *= _sides(value)
        if records > _MOST_RECORDS:
            raise UsageError(
                "there are too many choices between texts",
                value.span,
                hint=f"{_MOST_RECORDS} combinations are possible in one probe",
            )


def _sides(value: tree.Expression) -> int:
    if isinstance(value, tree.CConditional):
        return _sides(value.body) + _sides(value.orelse)
    return 1


def _body(
    given: Sequence[tuple[str, tree.Expression]],
    test: tree.Expression | None,
    span: Span,
) -> Sequence[tree.Statement]:
    """Send the record, if the predicate holds."""
    send = _send(given, span)
    return [send if test is None else tree.If(test, [send], (), span)]


def _send(given: Sequence[tuple[str, tree.Expression]], span: Span) -> tree.Statement:
    """Send the record.  Text in quotes is at no address, so that which of two texts it
    has (`_converted` leaves no other choice) is which of two records is sent."""
    for index, (name, value) in enumerate(given):
        if isinstance(value, tree.CConditional):
            then, orelse = (
                [_send([*given[:index], (name, side), *given[index + 1 :]], span)]
                for side in (value.body, value.orelse)
            )
            return tree.If(value.test, then, orelse, span)
    emit = tree.Attribute(tree.Name("stream", span), "emit", span)
    return tree.Evaluate(tree.Call(emit, (), given, span), span)


def _with_comparison(words: Words, binary: bool) -> Words:
    """The words with a STRCMP for bytes, if that is asked for."""
    if not binary:
        return words
    return words._replace(functions={**words.functions, "STRCMP": _compare_bytes})


def _compare_bytes(span: Span, arguments: Sequence[tree.Expression]) -> tree.Expression:
    """STRCMP("{0x6c, 0x73, 0x00}", pointer): all bytes but the last are compared."""
    hint = 'expected STRCMP("{0x6c, 0x73, 0x00}", pointer)'
    if len(arguments) != 2:
        raise UsageError("STRCMP takes bytes and a pointer", span, hint=hint)
    text = arguments[0]
    value = text.value if isinstance(text, tree.Literal) else None
    try:
        listed = bytes(value).decode().strip("{} ") if isinstance(value, bytes) else "?"
        known = bytes(int(byte, 0) for byte in listed.split(","))
    except ValueError:
        raise UsageError("this is no list of bytes", text.span, hint=hint) from None
    if len(known) < 2:
        raise UsageError("there is nothing to compare", text.span, hint=hint)
    literal = tree.Literal(known[:-1], text.span)
    return tree.CCall("STRCMP", [literal, arguments[1]], span)
