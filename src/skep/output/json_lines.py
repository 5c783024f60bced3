"""JSON Lines: what every line has, and how text that is not UTF-8 is carried.

Every line is one object with `type` (event, histogram, table, listing, stacks, loss,
cost, receipt, error, doctor or recording), `schema` (a name and a version,
"opensnoop.open/1"), `time_ns` (nanoseconds since the Unix epoch) and the fields.  A
field's value is raw; symbolic forms have keys of their own (`ret` and `error`, `flags`
and `flags_names`).

Text is always a JSON string.  Where the bytes are not UTF-8, U+FFFD takes the place of
each one that does not belong, and NAME_base64 has the exact bytes; for a list of
strings NAME_base64 is the list of all of them.  Raw bytes have NAME_base64 only.
Text whose memory could not be read is null.

The output is ASCII: other characters are escaped as \\uXXXX, so no line can drive a
terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable


def quoter() -> Callable[[str], str]:
    """The function that turns a str into a JSON string."""
    # Only needed with JSON output, and json takes 3 ms to import.
    from json.encoder import encode_basestring_ascii

    return encode_basestring_ascii


def pairs(items: Mapping[str, Any]) -> str:
    """The inside of a JSON object, without braces: `"pid":1,"comm":"init"`."""
    import json

    plain: dict[str, Any] = {}
    for key, value in items.items():
        plain.update(_encodable(key, value))
    return json.dumps(plain, separators=(",", ":"))[1:-1]


def line(kind: str, schema: str, time_ns: int, items: Mapping[str, Any]) -> str:
    """One line with its newline; `kind` is its `type`."""
    return f"{{{head(kind, schema)}{time_ns},{pairs(items)}}}\n"


def head(kind: str, schema: str) -> str:
    """The beginning that all lines share, up to the number of `time_ns`."""
    return pairs({"type": kind, "schema": schema}) + ',"time_ns":'


def _encodable(key: str, value: Any) -> Mapping[str, Any]:
    """The keys and values that stand for one that JSON may not be able to carry."""
    if isinstance(value, bytes):
        return {f"{key}_base64": _base64(value)}
    if isinstance(value, str) and _is_odd(value):
        return {key: _replaced(value), f"{key}_base64": _base64(_bytes(value))}
    if isinstance(value, list) and any(map(_is_odd, value)):
        return {
            key: [_replaced(text) for text in value],
            f"{key}_base64": [_base64(_bytes(text)) for text in value],
        }
    return {key: value}


def _is_odd(text: Any) -> bool:
    """True for text with bytes that are not UTF-8 (as lone surrogates, PEP 383)."""
    return isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _replaced(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def _base64(raw: bytes) -> str:
    import binascii

    return binascii.b2a_base64(raw, newline=False).decode("ascii")
