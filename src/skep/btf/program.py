"""BTF that tells the kernel where a program comes from.

The verifier prints the source line above the instructions that were made from it, and
`bpftool prog dump` does so later.  Source: check_btf_func and check_btf_line in
kernel/bpf/verifier.c (kernel/bpf/check_btf.c since 7.0).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from skep.btf.types import Func, FuncProto, Int, Pointer
from skep.btf.writer import BtfWriter
from skep.named_tuple import NamedTuple

_FUNC_INFO = "=II"  # slot, type id
_LINE_INFO = "=IIII"  # slot, file, line's text, line << 10 | column
_LAST_LINE = (1 << 22) - 1
_LAST_COLUMN = (1 << 10) - 1
_STATIC = 0


class SourceLine(NamedTuple):
    """The source of the instructions from `slot` on, up to the next line's.

    `line` counts from 1.
    """

    slot: int
    file: str
    line: int
    column: int
    text: str


class ProgramBtf(NamedTuple):
    """What BPF_BTF_LOAD (`blob`) and BPF_PROG_LOAD (the two arrays) take."""

    blob: bytes
    func_info: bytes
    line_info: bytes


def describe_program(name: str, lines: Iterable[SourceLine]) -> ProgramBtf:
    """The BTF of a program of one function, `int name(void *ctx)`.

    `lines` are strictly ascending by slot; a slot must be an instruction's first.
    Characters that C does not allow in `name` become "_".
    """
    writer = BtfWriter()
    number = writer.add(Int("int", 4, 32, signed=True))
    context = writer.add(Pointer(0))
    proto = writer.add(FuncProto(number, (("ctx", context),)))
    func = writer.add(Func(_identifier(name), proto, _STATIC))
    line_info = b"".join(_line_infos(writer, lines))
    return ProgramBtf(writer.to_bytes(), struct.pack(_FUNC_INFO, 0, func), line_info)


def _line_infos(writer: BtfWriter, lines: Iterable[SourceLine]) -> Iterable[bytes]:
    previous = None
    for line in lines:
        slot = line.slot if previous else 0  # the kernel insists on a line for slot 0
        source = line._replace(slot=0)
        if source != previous:
            place = min(line.line, _LAST_LINE) << 10 | min(line.column, _LAST_COLUMN)
            # The kernel, too, leaves out the indentation.
            texts = writer.string(line.file), writer.string(line.text.strip())
            yield struct.pack(_LINE_INFO, slot, *texts, place)
        previous = source


def _identifier(name: str) -> str:
    """`name` as the kernel takes it for a function (btf_name_valid_identifier)."""
    return re.sub(r"^(?=[0-9]|$)|[^A-Za-z0-9_]", "_", name)
