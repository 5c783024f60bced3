"""What a function takes, as the user wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from skep.btf import parse_c_type
from skep.errors import UsageError
from skep.frontends.cexpr import split_list
from skep.frontends.probe_text import Part
from skep.named_tuple import NamedTuple


class Parameter(NamedTuple):
    """A parameter of a signature: its C type and its name."""

    type: str
    name: str


def parse_signature(inner: Part) -> Sequence[Parameter]:
    """The parameters between the parentheses of a signature.

    Raises UsageError with the place.
    """
    if "(" in inner.text:
        raise UsageError(
            "a signature cannot have parentheses inside",
            inner.place,
            hint="a pointer to a function can be 'void *'; a predicate follows a blank",
        )
    parts = [inner.part(*place) for place in split_list(inner.text, inner.span)]
    if [part.text for part in parts] == ["void"]:
        return []
    parameters = [_parameter(part) for part in parts]
    names = [each.name for each in parameters]
    for part, name in zip(parts, names):
        if names.count(name) > 1:
            raise UsageError(f"'{name}' is there twice", part.place)
    return parameters


def _parameter(part: Part) -> Parameter:
    text = part.text
    type_ = text.rstrip(
        "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    name = text[len(type_) :]
    if type_.strip() in ("", "struct", "union", "enum") or not name.isidentifier():
        raise UsageError(
            f"'{text}' is no parameter", part.place, hint="expected 'struct file *file'"
        )
    try:
        parse_c_type(type_)
    except UsageError as error:
        diagnostic = error.diagnostic
        raise UsageError(diagnostic.message, part.place, hint=diagnostic.hint) from None
    return Parameter(" ".join(type_.split()), name)
