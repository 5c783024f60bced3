from __future__ import annotations

import struct

import pytest

from skep.btf import Btf
from skep.btf.program import ProgramBtf, SourceLine, describe_program
from skep.btf.types import Func, FuncProto, Int, Pointer, Void


def lines_of(described: ProgramBtf) -> list[tuple[int, str, str, int, int]]:
    """(slot, file, text, line, column) of each entry."""
    # Of the strings only the offsets matter here: read them from the section itself.
    blob = described.blob
    header, _, _, strings, _ = struct.unpack_from("=IIIII", blob, 4)
    found = []
    for slot, file, text, place in struct.iter_unpack("=IIII", described.line_info):
        start = header + strings
        names = [blob[start + at :].split(b"\0")[0].decode() for at in (file, text)]
        found.append((slot, *names, place >> 10, place & 1023))
    return found


def test_one_function_with_a_context() -> None:
    described = describe_program("opened", [])
    btf = Btf.from_bytes(described.blob)
    slot, func_id = struct.unpack("=II", described.func_info)
    func = btf.type(func_id)
    assert isinstance(func, Func)
    proto = btf.type(func.proto)
    assert isinstance(proto, FuncProto)
    assert (slot, func.name) == (0, "opened")
    assert btf.type(proto.ret) == Int("int", 4, 32, signed=True)
    [(name, context)] = proto.params
    assert name == "ctx"
    pointer = btf.type(context)
    assert isinstance(pointer, Pointer)
    assert btf.type(pointer.target) == Void()


def test_lines() -> None:
    described = describe_program(
        "opened",
        [
            SourceLine(0, "opensnoop.py", 12, 4, "    if ret < 0:  # é"),
            SourceLine(7, "opensnoop.py", 13, 8, "        return"),
        ],
    )
    assert lines_of(described) == [
        (0, "opensnoop.py", "if ret < 0:  # é", 12, 4),
        (7, "opensnoop.py", "return", 13, 8),
    ]


def test_the_first_line_begins_at_the_first_slot() -> None:
    described = describe_program("f", [SourceLine(3, "t.py", 1, 0, "x")])
    assert lines_of(described) == [(0, "t.py", "x", 1, 0)]


def test_a_line_is_told_once_while_it_lasts() -> None:
    lines = [SourceLine(slot, "t.py", 1, 0, "x") for slot in range(3)]
    lines.append(SourceLine(3, "t.py", 2, 0, "y"))
    lines.append(SourceLine(4, "t.py", 1, 0, "x"))
    described = describe_program("f", lines)
    assert [(slot, text) for slot, _, text, _, _ in lines_of(described)] == [
        (0, "x"),
        (3, "y"),
        (4, "x"),
    ]


def test_numbers_that_do_not_fit_are_the_largest_that_do() -> None:
    described = describe_program("f", [SourceLine(0, "t.py", 1 << 30, 5000, "x")])
    assert lines_of(described) == [(0, "t.py", "x", (1 << 22) - 1, 1023)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("open-snoop", "open_snoop"),
        ("9p", "_9p"),
        ("", "_"),
        ("é", "_"),
        ("_a1", "_a1"),
    ],
)
def test_names_become_identifiers(name: str, expected: str) -> None:
    btf = Btf.from_bytes(describe_program(name, []).blob)
    assert btf.find("func", expected) is not None
