"""The probes of `trace`: where to look, when, and what to show.

    SPEC[(SIGNATURE)] [(PREDICATE)] ["FORMAT"[, VALUE]...]

SPEC is `function`, `library:function`, `p:library:function`, `r:library:function`,
`t:category:event` or `u:library:[provider:]probe`; a `+offset` may follow a function.
"""

from __future__ import annotations

from collections.abc import Sequence

from skep.compiler.intrinsics.registry import counted
from skep.errors import UsageError
from skep.fields.formats import Format, parse_format
from skep.frontends.cexpr import balanced_end, split_list
from skep.frontends.probe_text import Part, number_of, whole
from skep.frontends.signature import Parameter, parse_signature
from skep.named_tuple import NamedTuple

FORMS = (
    "a probe is 'function', 'library:function', 'p:library:function',"
    " 'r:library:function', 't:category:event' or 'u:library:probe'"
)

KINDS = ("p", "r", "t", "u")


class ProbeText(NamedTuple):
    """A probe as the user wrote it.

    kind        "p" (entry), "r" (return), "t" (tracepoint) or "u" (USDT)
    library     of a user function; the category of a tracepoint; "" for the kernel
    name        function, event, or USDT probe with its provider if that is given
    offset      bytes behind the start of the function
    signature   what the function takes, None if that is not said
    predicate   C: show only if that is true
    format      how to show the values
    """

    text: Part
    kind: str
    library: str
    name: Part
    offset: int
    signature: Sequence[Parameter] | None
    predicate: Part | None
    format: Format | None
    values: Sequence[Part]


def parse(text: str) -> ProbeText:
    """Read the text of a probe.  Raises UsageError with the place in the text."""
    everything = whole(text).stripped()
    if not everything.text:
        raise UsageError("the probe is empty", hint=FORMS)
    nul = text.find("\0")
    if nul >= 0:
        raise UsageError("there is a NUL in the probe", whole(text).span(nul, nul + 1))
    end = next((i for i, c in enumerate(everything.text) if c in " \t\n("), None)
    spec, rest = everything.part(0, end), everything.part(len(everything.text))
    if end is not None:
        rest = everything.part(end)
    kind, library, name = _spec(spec)
    name, offset = _offset(name, kind)
    signature = None
    if rest.text.startswith("("):
        signature, rest = _signature(rest, kind)
    rest = rest.stripped()
    predicate = None
    if rest.text.startswith("("):
        close = balanced_end(rest.text, 0, rest.span)
        predicate, rest = rest.part(1, close - 1), rest.part(close).stripped()
    format, values = _action(rest)
    return ProbeText(
        *(everything, kind, library, name, offset, signature, predicate),
        *(format, values),
    )


def _spec(spec: Part) -> tuple[str, str, Part]:
    """Kind, library or category, and name."""
    first, *others = parts = spec.split(":")
    if not others:
        kind, library, name = "p", "", first
    elif len(parts) == 2 and first.text in KINDS:
        raise UsageError(
            f"'{first.text}:' wants two more parts", spec.place, hint=FORMS
        )
    elif len(parts) == 2:
        kind, library, name = "p", first.text, others[0]
    else:
        kind = first.text or "p"
        if kind not in KINDS:
            raise UsageError(
                f"probe type must be '', 'p', 't', 'r', or 'u', but got '{kind}'",
                first.place,
                hint=FORMS,
            )
        library, name = ":".join(part.text for part in parts[1:-1]), parts[-1]
    if kind == "t" and len(parts) != 3:
        raise UsageError("a tracepoint is 't:category:event'", spec.place)
    if kind == "u":
        library, name = _usdt(spec, parts)
    if not name.text:
        raise UsageError("the name of a function is missing", spec.place, hint=FORMS)
    for sign in "*|":
        at = name.text.find(sign)
        if at >= 0:
            raise UsageError(
                f"'{sign}' in a name: a probe is at one place",
                name.span(at, at + 1),
                hint="funccount and its like take patterns",
            )
    if kind in ("t", "u") and not library:
        missing = "category" if kind == "t" else "library"
        raise UsageError(f"the {missing} is missing", spec.place, hint=FORMS)
    return kind, library, name


def _usdt(spec: Part, parts: Sequence[Part]) -> tuple[str, Part]:
    """The library, and the name with its provider, if there is one."""
    library = parts[1].text
    if len(parts) > 4:
        raise UsageError(
            "there are too many colons", spec.place, hint="'u:library:provider:probe'"
        )
    provider = spec.part(parts[2].start - spec.start)
    return library, provider


def _offset(name: Part, kind: str) -> tuple[Part, int]:
    """The name without its offset, and that."""
    function, plus, _ = name.text.partition("+")
    if not plus:
        return name, 0
    behind = name.part(len(function) + 1)
    if not behind.text:
        raise UsageError("the offset is missing", name.place, hint="expected +0x10")
    if kind != "p":
        raise UsageError(
            "only a probe at an entry can have an offset", name.place, hint=FORMS
        )
    offset = number_of(behind)
    if not 0 <= offset < 1 << 63:
        raise UsageError("this is no offset in a function", behind.place)
    return name.part(0, len(function)), offset


def _signature(rest: Part, kind: str) -> tuple[Sequence[Parameter], Part]:
    """The parameters in parentheses, and what follows."""
    close = rest.text.find(")")
    if kind in ("t", "u"):
        raise UsageError(
            "USDT probes and tracepoints have no signature",
            rest.span(0, close + 1 if close > 0 else len(rest.text)),
            hint="use arg1, arg2, ... or args->field; a predicate follows a blank",
        )
    end = balanced_end(rest.text, 0, rest.span)
    return parse_signature(rest.part(1, end - 1)), rest.part(end)


def _action(rest: Part) -> tuple[Format | None, Sequence[Part]]:
    """The format and the values behind it."""
    if not rest.text:
        return None, ()
    if not rest.text.startswith('"'):
        hint = "a predicate is in parentheses" if rest.start else ""
        raise UsageError("expected a format in double quotes", rest.place, hint=hint)
    end = _closing_quote(rest)
    inner, behind = rest.part(1, end), rest.part(end + 1).stripped()
    format = parse_format(inner.text, inner.span)
    if not behind.text:
        values: list[Part] = []
    elif not behind.text.startswith(","):
        raise UsageError("expected a comma and values here", behind.place)
    else:
        listed = behind.part(1)
        values = [listed.part(*p) for p in split_list(listed.text, listed.span)]
    _check_number(inner, format, values, rest)
    return format, values


def _closing_quote(rest: Part) -> int:
    """Where the format ends: at the first quote that no backslash precedes."""
    position = 1
    while position < len(rest.text):
        if rest.text[position] == "\\":
            position += 1
        elif rest.text[position] == '"':
            return position
        position += 1
    raise UsageError(
        "the format has no closing quote", rest.span(0, 1), hint='expected "'
    )


def _check_number(
    inner: Part, format: Format, values: Sequence[Part], rest: Part
) -> None:
    wanted, given = len(format.conversions), len(values)
    for value in values:
        if not value.text:
            raise UsageError("a value is missing", value.span(0, 1))
    if wanted > given:
        place = format.conversions[given]
        raise UsageError(
            f"the format takes {counted(wanted, 'value')}, not {given}",
            inner.span(place.start, place.end),
        )
    if given > wanted:
        raise UsageError(
            f"the format takes {counted(wanted, 'value')}, not {given}",
            values[wanted].place,
            hint="'%%' shows a percent sign" if wanted == 0 else "",
        )
