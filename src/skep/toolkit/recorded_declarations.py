"""Outputs that a tool declared for one run, as a recording has them.

They follow from the options and the kernel's types, which a replay lacks.  What the
tool's own record classes declare is only named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep.authoring.outputs import Stream, Table
from skep.authoring.records import Record
from skep.errors import SkepError, Span
from skep.fields import Member
from skep.fields.distributions import Number
from skep.fields.formats import parse_format
from skep.fields.messages import Message, message_members
from skep.fields.parts import TextPart, number_part, text_part
from skep.frontends.made_outputs import (
    counting_table,
    distribution,
    message_stream,
)
from skep.output.recording_file import Damaged
from skep.toolkit.tool import Tool, tool_of

_CTYPES = [f"{sign}{bits}" for sign in "us" for bits in (8, 16, 32, 64)]
_LONGEST_TEXT = 1 << 20


def record_classes(tool: Tool) -> Mapping[str, type[Record]]:
    """The record classes of the tool's module by name."""
    return {
        name: value
        for name, value in vars(tool.module).items()
        if isinstance(value, type) and issubclass(value, Record)
    }


def written(tool: Tool) -> dict[str, Any]:
    """What `declare` added to a tool, as JSON has it."""
    own = tool_of(tool.module)
    names = {id(member): name for name, member in _known(tool).items()}
    return {
        "streams": {
            name: _stream(each, names)
            for name, each in tool.streams.items()
            if name not in own.streams
        },
        "tables": {
            name: _table(each)
            for name, each in tool.tables.items()
            if name not in own.tables
        },
        "histograms": {
            name: {"label": each.title, "unit": each.unit}
            for name, each in tool.histograms.items()
            if name not in own.histograms
        },
    }


def _known(tool: Tool) -> dict[str, Member]:
    """The members that the module declares, by what they are called in a recording."""
    return {
        f"{name}.{member.name}": member
        for name, record in record_classes(tool).items()
        for member in record.members
    }


def _stream(stream: Stream, names: Mapping[int, str]) -> list[Any]:
    items: list[Any] = []
    arguments: Sequence[Member] = ()
    for member in stream.record.members:
        field: Any = member.field
        if issubclass(field, Message):
            arguments = field.arguments
            items.append(
                {
                    "function": field.function,
                    "format": field.format.source if field.format else None,
                    "text_size": field.text_size,
                    "heading": field.heading,
                }
            )
        elif member not in arguments:
            items.append(names[id(member)])
    return items


def _table(table: Table) -> dict[str, Any]:
    (count,) = table.value.members
    number: Any = count.field
    assert issubclass(number, Number)
    return {
        "label": table.title,
        "titles": list(number.titles),
        "values": [_value(member.field) for member in table.key.members],
    }


def _value(field: Any) -> dict[str, Any]:
    if issubclass(field, TextPart):
        return {"size": field.size}
    return {"ctype": field.ctype, "is_address": field.is_address}


def restored(tool: Tool, found: object) -> Tool:
    """The tool with what was added to it.  Raises Damaged."""
    try:
        declared = _fields(found, streams=dict, tables=dict, histograms=dict)
        known = _known(tool)
        streams = {
            name: _restored_stream(number, each, known)
            for number, (name, each) in enumerate(declared["streams"].items(), 1)
        }
        tables = {
            name: _restored_table(number, each)
            for number, (name, each) in enumerate(declared["tables"].items(), 1)
        }
        histograms = {
            name: distribution(**_fields(each, label=str, unit=str))
            for name, each in declared["histograms"].items()
        }
    except (SkepError, ValueError):
        raise Damaged("its header has declarations that are none") from None
    return tool._replace(
        streams={**tool.streams, **streams},
        tables={**tool.tables, **tables},
        histograms={**tool.histograms, **histograms},
    )


def _restored_stream(number: int, items: object, known: Mapping[str, Member]) -> Stream:
    members: list[Member] = []
    for item in items if isinstance(items, list) else [None]:
        if isinstance(item, str) and item in known:
            members.append(known[item])
            continue
        kinds: Any = {"format": (str, type(None)), "text_size": int, "heading": str}
        given = _fields(item, function=str, **kinds)
        if given["format"] is not None:
            given["format"] = parse_format(given["format"], _place)
        _check_size(given["text_size"])
        members += message_members(**given)
    names = [member.name for member in members]
    if len(set(names)) < len(names) or not {"pid", "probe"} <= set(names):
        raise ValueError(names)
    return message_stream(number, members)


def _place(start: int, end: int) -> Span:
    """Of a format that is wrong: nobody can do anything about it."""
    return Span("", 1, start, end, "")


def _restored_table(number: int, found: object) -> Table:
    given = _fields(found, label=str, titles=list, values=list)
    members = []
    for index, value in enumerate(given["values"], 1):
        if isinstance(value, dict) and "size" in value:
            _check_size(_fields(value, size=int)["size"])
            members.append(text_part(f"arg{index}", value["size"]))
            continue
        part = _fields(value, ctype=str, is_address=bool)
        if part["ctype"] not in _CTYPES:
            raise ValueError(part)
        members.append(number_part(f"arg{index}", **part))
    titles = given["titles"]
    if len(titles) not in (0, len(members)) or not members:
        raise ValueError(titles)
    if not all(isinstance(title, str) for title in titles):
        raise ValueError(titles)
    return counting_table(number, given["label"], titles, members)


def _check_size(size: int) -> None:
    if not 0 < size < _LONGEST_TEXT:
        raise ValueError(size)


def _fields(found: object, **kinds: Any) -> dict[str, Any]:
    """The object `found`, if it has these keys with values of these types."""
    if not isinstance(found, dict) or found.keys() != kinds.keys():
        raise ValueError(found)
    for name, kind in kinds.items():
        if not isinstance(found[name], kind):
            raise ValueError(found)
    return dict(found)
