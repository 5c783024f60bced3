"""Stacks: addresses of the kernel or of a program, shown as names of functions."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from skep.fields.base import Cell, Context, Field, Member, Value
from skep.named_tuple import NamedTuple
from skep.spec import STACK_FRAMES, STACK_HEADER

_HEADER = struct.Struct("=qQ")


class Trace(NamedTuple):
    """A stack as it comes from the kernel.

    `error` is a negative number if there is none; `pid` is 0 for the kernel's.  The
    innermost address comes first.
    """

    error: int
    pid: int
    addresses: Sequence[int]


class Frame(NamedTuple):
    """An address with what is known of it: see `skep.symbols.symbol.Symbol`."""

    address: int
    symbol: str | None
    offset: int
    module: str


def trace_of(raw: bytes) -> Trace:
    """The stack in a record's bytes; see `skep.spec.STACK_FRAMES` for their layout."""
    size, pid = _HEADER.unpack_from(raw)
    if size < 0:
        return Trace(size, pid, ())
    addresses = struct.unpack_from(
        f"={min(size // 8, STACK_FRAMES)}Q", raw, STACK_HEADER
    )
    return Trace(0, pid, addresses)


def pack(addresses: bytes, pid: int) -> bytes:
    """The bytes of a stack that a stack map has: zeros come after the last address."""
    frames = memoryview(addresses).cast("Q").tolist()
    depth = frames.index(0) if 0 in frames else len(frames)
    return _HEADER.pack(8 * depth, pid) + addresses[: 8 * depth]


def missing(error: int, pid: int) -> bytes:
    """The bytes of a stack that could not be had."""
    return _HEADER.pack(error, pid)


class Stack(Field):
    """Base of the two kinds of stack.

    In text it stands below its row, one frame on a line; the column's width is how far
    it is moved to the right.  The column's format has words: "offset", "module" and
    "address" show more than names.  In JSON it is a list of frames, innermost first.
    """

    ctype = f"u64[{STACK_HEADER // 8 + STACK_FRAMES}]"
    key_ctype: str | None = "u64"
    spec = ""
    width = 4
    user = False
    is_stack = True
    has_order = False
    looks_up = True
    json: Mapping[str, Any] = {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {
                "address": {"type": "string"},
                "symbol": {"type": ["string", "null"]},
                "offset": {"type": "integer"},
                "module": {"type": "string"},
            },
        },
    }

    @classmethod
    def cells(
        cls, member: Member, members: Sequence[Member], context: Context
    ) -> Sequence[Cell]:
        """Lines below the row."""
        # A program's stack is not remembered: its number may become another's.
        cell = cls.cell(member, context)
        return (cell._replace(below=True, remember=not cls.user),)

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """One line for each frame."""
        trace = trace_of(raw)
        if trace.error:
            return f"[no stack: error {trace.error}]" if _is_odd(trace.error) else ""
        return "\n".join(frame_text(each, spec) for each in frames(raw, context))

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The frames; None where there is no stack."""

        def convert(raw: Any) -> list[Frame] | None:
            return None if trace_of(raw).error else frames(raw, context)

        def described(raw: Any) -> dict[str, Any]:
            found = convert(raw)
            return {member.name: found and [_described(frame) for frame in found]}

        return Value(member.name, member.raw, convert, described, remember=False)


class KernelStack(Stack):
    """How the kernel came here."""

    fill: str | None = "kernel_stack"
    title = "KSTACK"
    meaning = "stack in the kernel, innermost first"


class UserStack(Stack):
    """How the program came here."""

    fill: str | None = "user_stack"
    title = "USTACK"
    user = True
    names_programs = True
    meaning = "stack of the program, innermost first"


_NO_STACK = -14
"""EFAULT: there is no such stack, as a thread of the kernel has none of a program."""


def _is_odd(error: int) -> bool:
    return error != _NO_STACK


def frames(raw: bytes, context: Context) -> list[Frame]:
    """The frames of a stack, innermost first."""
    trace = trace_of(raw)
    return [
        _frame(address, trace.pid, context, is_return=depth > 0)
        for depth, address in enumerate(trace.addresses)
    ]


def _frame(address: int, pid: int, context: Context, is_return: bool = False) -> Frame:
    symbols = context.symbols
    if is_return:
        symbol = symbols.caller(pid, address)
    else:
        symbol = symbols.user(pid, address) if pid else symbols.kernel(address)
    return Frame(address, symbol.name, symbol.offset, symbol.module)


def symbol_text(address: int, pid: int, context: Context) -> str:
    """An address of a process, or of the kernel if that is 0, as "name+0x10 [file]"."""
    spec = "offset module" if pid else "offset"
    return frame_text(_frame(address, pid, context), spec)


def frame_text(frame: Frame, spec: str) -> str:
    """A frame in one line; what is not known is said to be unknown."""
    words = spec.split()
    text = frame.symbol or "[unknown]"
    if frame.symbol and "offset" in words:
        text += f"+0x{frame.offset:x}"
    if frame.module and ("module" in words or not frame.symbol):
        text += f" [{os.path.basename(frame.module)}]"
    return f"{frame.address:016x} {text}" if "address" in words else text


def folded_text(frame: Frame, spec: str) -> str:
    """A frame in a folded line or a flame graph: where the name is not known, that of
    the file in brackets."""
    return frame.symbol or f"[{os.path.basename(frame.module) or 'unknown'}]"


def _described(frame: Frame) -> dict[str, Any]:
    return {**frame._asdict(), "address": f"0x{frame.address:x}"}
