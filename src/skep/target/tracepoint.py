"""Records of classic tracepoints, as tracefs describes them."""

from __future__ import annotations

import re

from skep.btf import base_type
from skep.errors import TargetError
from skep.named_tuple import NamedTuple

# Patterns are compiled by `re` when first used, not at import.
_ID = r"(?m)^ID:\s*(\d+)"
_FIELD = (
    r"field:(?P<type>.*?)\s*(?P<name>\w+)(?P<array>\[[^\]]*\])?;"
    r"\s*offset:(?P<offset>\d+);\s*size:(?P<size>\d+);(?:\s*signed:(?P<signed>\d);)?"
)
_LONGEST_FIELD = 300  # characters; the pattern is slow with long ones
_DYNAMIC = r"__(data_loc|rel_loc)\s+(.*?)\s*(?:\[\])?$"


class TracepointField(NamedTuple):
    """A field of a tracepoint's record; `offset` and `size` in bytes.

    `ctype` is in C spelling ("unsigned int", "char[16]").  A field of an integer type
    may have more bytes than its type: arguments of system calls always have 8.

    `dynamic` is "" for a field with its value in place.  Otherwise the field is a u32,
    a length in the upper and an offset in the lower half, that says where in the record
    the value is: for "data_loc" counted from the start of the record, for "rel_loc"
    (since 5.17) from the end of the field.
    """

    name: str
    ctype: str
    offset: int
    size: int
    signed: bool
    dynamic: str = ""


class TracepointFormat(NamedTuple):
    """A tracepoint's id and the fields of its record, common_ ones included."""

    category: str
    event: str
    id: int
    fields: tuple[TracepointField, ...]

    def field(self, name: str) -> TracepointField | None:
        """The field with a name."""
        return next((each for each in self.fields if each.name == name), None)


def parse_format(category: str, event: str, text: str) -> TracepointFormat:
    """Parse a `format` file of tracefs (kernel/trace/trace_events.c, f_show)."""
    number = re.search(_ID, text)
    if not number:
        raise TargetError(f"cannot parse the format of tracepoint {category}:{event}")
    lines = [line for line in text.splitlines() if "field:" in line]
    if any(len(line) > _LONGEST_FIELD for line in lines):
        raise TargetError(f"a field of tracepoint {category}:{event} has no end")
    found = (re.search(_FIELD, line) for line in lines)
    fields = tuple(_field(match) for match in found if match)
    return TracepointFormat(category, event, int(number[1]), fields)


def _field(match: re.Match[str]) -> TracepointField:
    size = int(match["size"])
    ctype, array = match["type"], match["array"]
    dynamic = re.match(_DYNAMIC, ctype)
    if dynamic:
        ctype = f"{dynamic[2]}[]"
    elif array:
        ctype += _array(array, ctype, size)
    return TracepointField(
        match["name"],
        ctype,
        int(match["offset"]),
        size,
        match["signed"] == "1",
        dynamic[1] if dynamic else "",
    )


def _array(text: str, element: str, size: int) -> str:
    """The array suffix, with a number where the kernel left a macro's name."""
    known = base_type(element)
    if text[1:-1].isdigit() or not known:
        return text
    return f"[{size // known.size}]"
