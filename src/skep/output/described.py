"""Descriptions of JSON Lines: which keys a line has, their types and meanings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from skep.fields.base import Context, Key, Member
from skep.fields.times import Time
from skep.output import loss, receipts

Shown = Callable[[Member], Mapping[str, Any]]
"""Tells whether a member is there by default, and the option that decides."""

_TEXT = {"type": "string"}
_INTEGER = {"type": "integer"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}

COMMON = (
    Key("type", _TEXT, "kind of the line"),
    Key("schema", _TEXT, "name and version of what follows"),
    Key("time_ns", _INTEGER, "when it happened, else when it was read; since 1970"),
    Key("on_host", _TEXT, "with --host: where it comes from", True),
)
"""What all lines have."""

BUCKETS = (
    Key("unit", _TEXT, "unit of low and high"),
    Key(
        "buckets",
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "low": _INTEGER,
                    "high": _INTEGER,
                    "count": _INTEGER,
                },
            },
        },
        "how many values are from low to high, both included",
    ),
)
"""What lines of histograms have besides their keys."""

PROBE = Key("probe", _TEXT, "which of several histograms it is")
"""What lines of one of several histograms have besides."""

_COUNT = {"type": ["integer", "null"]}

_RECEIPT = (
    Key("program", _TEXT, "programs that are attached together"),
    Key("attached", _MAYBE_TEXT, "what they are attached to"),
    Key("note", _TEXT, "what precision that gives up"),
    Key(
        "refused",
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"candidate": _TEXT, "reason": _TEXT},
            },
        },
        "what was tried before",
    ),
)

_ERROR = (
    Key("message", _TEXT, "what went wrong"),
    Key("place", _MAYBE_TEXT, "where in the source"),
    Key("notes", _TEXTS, "more about it"),
    Key("hint", _TEXT, "what to do"),
)


_COST = (
    Key("program", _TEXT, "program in the kernel"),
    Key("attached", _TEXT, "what it is attached to"),
    Key("runs", _INTEGER, "how often it ran"),
    Key("run_time_ns", _INTEGER, "how long it ran in all, in ns"),
    Key("elapsed_ns", _INTEGER, "how long it was attached, in ns"),
)


def keys(items: Iterable[Key], **more: Any) -> list[dict[str, Any]]:
    """Keys for JSON, each with `more` about it."""
    return [
        {
            "key": key.name,
            **key.type,
            "optional": key.optional,
            "meaning": key.meaning,
            **more,
        }
        for key in items
    ]


def common_lines() -> list[dict[str, Any]]:
    """The lines that every tool may write besides its own."""
    counts = [
        Key(cause.replace(" ", "_"), _COUNT, meaning, True)
        for cause, meaning in loss.MEANINGS.items()
    ]
    kinds: Sequence[tuple[str, str, Sequence[Key]]] = (
        ("loss", loss.SCHEMA, counts),
        ("receipt", receipts.SCHEMA, _RECEIPT),
        ("error", receipts.ERROR_SCHEMA, _ERROR),
        ("cost", receipts.COST_SCHEMA, _COST),
    )
    return [
        {"type": kind, "schema": schema, "fields": keys(fields)}
        for kind, schema, fields in kinds
    ]


def fields(members: Sequence[Member], shown: Shown) -> list[dict[str, Any]]:
    """The fields of a record, with all their keys.

    The first `Time` is the `time_ns` of the line, and others have keys of their own
    unless the first is not shown.
    """
    context = Context()
    times = [member for member in members if issubclass(member.field, Time)]
    found: list[dict[str, Any]] = []
    for member in members:
        about = {"field": member.name, **shown(member), "columns": _titles(member)}
        key, *symbols = _keys_of(member, context)
        if member in times:
            is_first = member is times[0]
            name = "time_ns" if is_first else key.name
            if name == "time_ns" and not is_first:
                continue
            key = key._replace(name=name, optional=not is_first)
        found += keys([key], **about, unit=member.field.unit)
        found += keys(symbols, **about, unit="")
    return found


def _keys_of(member: Member, context: Context) -> list[Key]:
    field = member.field
    name = field.value(member, context).key
    if "contentEncoding" in field.json:
        name += "_base64"
    return [Key(name, field.json, _meaning(member)), *field.symbol_keys(member)]


def _meaning(member: Member) -> str:
    return member.column.help or member.field.meaning or member.name.replace("_", " ")


def _titles(member: Member) -> list[str]:
    """The titles of a member's columns in a table."""
    cells = member.field.cells(member, [member], Context())
    return [cell.title for cell in cells]
