"""The specifiers of `argdist`: where to look, and what to count.

    TYPE:[LIBRARY|CATEGORY]:FUNCTION(SIGNATURE)[:TYPES:VALUES[:FILTER]][#LABEL]

TYPE is `p` (entry), `r` (return), `t` (tracepoint) or `u` (USDT).  TYPES are C types,
VALUES and FILTER are C expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.errors import UsageError
from skep.frontends.cexpr import balanced_end, split_list
from skep.frontends.probe_text import Part, whole
from skep.frontends.signature import Parameter, parse_signature
from skep.frontends.trace import ProbeText
from skep.named_tuple import NamedTuple

FORM = "TYPE:[LIBRARY|CATEGORY]:FUNCTION(SIGNATURE)[:TYPES:VALUES[:FILTER]][#LABEL]"

_TYPES = ("p", "r", "t", "u")


class Value(NamedTuple):
    """A value to count: its C type and its expression; `shown` is how rows call it."""

    type: str
    place: Part
    expression: Part | None
    shown: str


class Specifier(NamedTuple):
    """A specifier as the user wrote it; `label` is its label or all of the text.

    Without `values` it is only counted how often the probe is reached.
    """

    label: str
    is_labelled: bool
    probe: ProbeText
    values: Sequence[Value]
    filter: Part | None


def parse(text: str, histogram: bool) -> Specifier:
    """Read a specifier.  Raises UsageError with the place in the text."""
    everything = whole(text).stripped()
    spec, label = _label(everything)
    kind, library, function, behind = _probe(spec)
    name, signature = _function(function, kind)
    probe = ProbeText(spec, kind, library, name, 0, signature, None, None, ())
    values, filter_ = _values(behind, kind)
    if not values and kind == "r":
        nothing = function.part(len(function.text))
        values = [Value("int", nothing, None, "retval")]
    if histogram:
        _check_histogram(values, spec)
    shown = label.text if label else spec.text
    return Specifier(shown, label is not None, probe, values, filter_)


def _label(everything: Part) -> tuple[Part, Part | None]:
    places = split_list(everything.text, everything.span, "#")
    if not places or not everything.part(*places[0]).text:
        raise UsageError(
            "the specifier is empty", everything.span(0, 1), hint=f"expected {FORM}"
        )
    spec, *labels = [everything.part(*place) for place in places]
    if len(labels) > 1:
        raise UsageError(
            "there is more than one label",
            labels[1].span(-1, len(labels[1].text)),
            hint="only one '#' is allowed",
        )
    if labels and not labels[0].text:
        raise UsageError("the label is empty", labels[0].span(-1, 0))
    return spec, labels[0] if labels else None


def _probe(spec: Part) -> tuple[str, str, Part, Sequence[Part]]:
    """Kind, library or category, function with its signature, and what follows."""
    parts = [spec.part(*place) for place in split_list(spec.text, spec.span, ":")]
    kind = parts[0].text
    if kind not in _TYPES:
        raise UsageError(
            f"probe type must be 'p', 'r', 't' or 'u', but got '{kind}'",
            parts[0].place,
            hint=f"expected {FORM}",
        )
    # A path may have colons, and before the name of a USDT probe may be its provider.
    at = next((i for i, part in enumerate(parts) if "(" in part.text), 0)
    if at < 2:
        raise UsageError(
            "at least the probe type, library, and function signature must be "
            "specified",
            spec.place,
            hint=f"expected {FORM}; the parentheses may be empty",
        )
    start = at - 1 if kind == "u" and at > 2 else at
    function = _joined(parts[start : at + 1])
    library = _joined(parts[1:start])
    if not library.text and kind in ("t", "u"):
        missing = "category" if kind == "t" else "library"
        raise UsageError(
            f"the {missing} is missing", library.span(-1, 0), hint=f"expected {FORM}"
        )
    return kind, library.text, function, parts[at + 1 :]


def _joined(parts: Sequence[Part]) -> Part:
    """Neighbours and what separates them as one part."""
    first, last = parts[0], parts[-1]
    return Part(first.whole, first.start, first.whole[first.start : last.end])


def _function(part: Part, kind: str) -> tuple[Part, Sequence[Parameter]]:
    """The name, and the parameters in parentheses."""
    open_ = part.text.index("(")
    end = balanced_end(part.text, open_, part.span)
    name, inner = part.part(0, open_).stripped(), part.part(open_ + 1, end - 1)
    if part.text[end:].strip():
        raise UsageError(
            "expected ':' behind the signature", part.span(end, len(part.text))
        )
    if not name.text:
        raise UsageError("the name of a function is missing", part.span(0, 1))
    if kind in ("t", "u") and inner.text.strip():
        raise UsageError(
            "USDT probes and tracepoints have no signature",
            inner.place,
            hint="leave the parentheses empty; use arg1, arg2, ... or args->field",
        )
    return name, parse_signature(inner)


def _values(parts: Sequence[Part], kind: str) -> tuple[Sequence[Value], Part | None]:
    """What to count, and the filter."""
    if not parts:
        return [], None
    if len(parts) > 3:
        raise UsageError(
            "extraneous ':'-separated parts detected",
            parts[3].place,
            hint="put an expression with '?:' in parentheses",
        )
    if len(parts) == 1:
        raise UsageError(
            "a type is given, but no value",
            parts[0].place,
            hint="expected TYPES:VALUES, for instance 'int:fd'",
        )
    types, expressions = (
        [part.part(*place) for place in split_list(part.text, part.span)]
        for part in parts[:2]
    )
    if len(types) != len(expressions) or not types:
        raise UsageError(
            "mismatched # of exprs and types",
            parts[1].place if parts[1].text else parts[1].span(0, 1),
            hint=f"types: {len(types)}, values: {len(expressions)}",
        )
    for part in (*types, *expressions):
        if not part.text:
            raise UsageError("nothing stands between the commas", part.span(-1, 0))
    filter_ = parts[2] if len(parts) == 3 and parts[2].text else None
    pairs = zip(types, expressions)
    return [Value(t.text, t, e, e.text) for t, e in pairs], filter_


def _check_histogram(values: Sequence[Value], spec: Part) -> None:
    if not values:
        raise UsageError(
            "histograms must have expr",
            spec.place,
            hint="expected ':TYPE:VALUE' at the end",
        )
    if len(values) > 1:
        second = values[1].expression
        assert second is not None
        raise UsageError("histograms can only have 1 expr", second.place)
