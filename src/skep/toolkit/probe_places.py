"""Tracepoints and USDT probes as lines for people and objects for programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Any

from skep.arch import Arch
from skep.errors import NotSupported, ProbeNotFound, TargetError, did_you_mean
from skep.fields.listed import Detail
from skep.symbols import usdt_arguments
from skep.symbols.usdt import UsdtProbe
from skep.symbols.usdt_arguments import Argument, Constant, Memory, Register
from skep.target import Target

Place = tuple[str, UsdtProbe]
"""The path of a file, and a USDT probe in it."""


def tracepoints(target: Target, pattern: str) -> Sequence[str]:
    """The names of tracepoints that a shell pattern matches.

    Raises SkepError if there is none, or tracefs cannot be read.
    """
    problem = target.tracefs_problem
    if problem:
        raise problem
    return _matching("tracepoint", target.tracepoint_names(), pattern)


def fields(target: Target, name: str) -> Detail:
    """The fields of a tracepoint, without those that all have.

    Raises TargetError if it is gone.
    """
    found = target.tracepoint(*name.split(":", 1))
    if found is None:
        raise TargetError(f"tracefs has no format of tracepoint {name}")
    own = [each for each in found.fields if not each.name.startswith("common_")]
    items = [
        {
            "name": each.name,
            "type": each.ctype,
            "offset": each.offset,
            "size": each.size,
            "signed": each.signed,
        }
        for each in own
    ]
    return Detail([f"{_declared(each.ctype, each.name)};" for each in own], items)


def _declared(ctype: str, name: str) -> str:
    """A declaration as C has it: "char comm[16]"."""
    element, bracket, length = ctype.partition("[")
    return f"{element} {name}{bracket}{length}"


def usdt(target: Target, library: str, pid: int, pattern: str) -> list[list[Place]]:
    """The USDT probes that a shell pattern matches, each with all its places.

    Raises SkepError if there is none.
    """
    files = target.usdt_probes(library, "", "*", pid)
    groups: dict[str, list[Place]] = {}
    for file in files:
        for probe in file.probes:
            name = f"{probe.provider}:{probe.name}"
            groups.setdefault(name, []).append((file.shown, probe))
    if not groups:
        where = ", ".join(file.shown for file in files) or f"process {pid}"
        raise ProbeNotFound(f"there are no USDT probes in {where}")
    return [groups[name] for name in _matching("USDT probe", list(groups), pattern)]


def _matching(kind: str, names: Sequence[str], pattern: str) -> list[str]:
    match = re.compile(translate(pattern)).match
    found = [name for name in names if match(name)]
    if not found:
        raise ProbeNotFound(
            f"there is no {kind} {pattern}", hint=did_you_mean(pattern, names)
        )
    return found


def locations(places: Sequence[Place], arch: Arch, level: int) -> Detail:
    """Where a USDT probe is; from `level` 2 the lines have each place."""
    items = [_location(path, probe, arch) for path, probe in places]
    if level < 2:
        arguments = len(items[0]["arguments"])
        lines = [f"{len(items)} location(s)", f"{arguments} argument(s)"]
        return Detail(lines, items)
    lines = []
    for number, each in enumerate(items, 1):
        lines.append(f"location #{number} {each['path']} 0x{each['address']:x}")
        lines += [
            f"  argument #{index} {argument['size']} "
            f"{'signed  ' if argument['signed'] else 'unsigned'} bytes "
            f"@ {argument['value']}"
            if argument["value"]
            else f"  argument #{index} {argument['operand']} (not understood)"
            for index, argument in enumerate(each["arguments"], 1)
        ]
    return Detail(lines, items)


def _location(path: str, probe: UsdtProbe, arch: Arch) -> dict[str, Any]:
    texts = usdt_arguments.split(probe.arguments)
    return {
        "path": path,
        "address": probe.address,
        "offset": probe.offset,
        "arguments": [_argument(text, arch) for text in texts],
    }


def _argument(text: str, arch: Arch) -> dict[str, Any]:
    """An argument; `value` is None where it is one that skep cannot read."""
    try:
        found = usdt_arguments.parse(text, arch)
    except NotSupported:
        return {"operand": text, "size": None, "signed": None, "value": None}
    value = expression(found)
    return {
        "operand": text,
        "size": found.size,
        "signed": found.signed,
        "value": value,
    }


def expression(argument: Argument) -> str:
    """Where an argument is, by the names of `struct pt_regs`: `*(bp - 8)`."""
    operand = argument.operand
    if isinstance(operand, Constant):
        return _sum(f"&{operand.symbol}" if operand.symbol else "", operand.value)
    if isinstance(operand, Register):
        return operand.part.path or "0"
    return f"*({_address(operand)})"


def _address(operand: Memory) -> str:
    if operand.symbol:
        return _sum(f"&{operand.symbol}", operand.offset)
    base = operand.base.path if operand.base else ""
    if operand.scaled is None:
        return _sum(base, operand.offset)
    # The offset is said even if it is 0.
    place = f"{base} {'-' if operand.offset < 0 else '+'} {abs(operand.offset)}"
    return f"{place.strip()} + {operand.scaled.path} * {operand.scale}"


def _sum(base: str, offset: int) -> str:
    if not base:
        return str(offset)
    sign = "-" if offset < 0 else "+"
    return f"{base} {sign} {abs(offset)}" if offset else base
