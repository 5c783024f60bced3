"""ELF files: functions, versions, USDT probes; and whatever else a file may be."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skep.errors import SkepError
from skep.symbols import functions, usdt
from skep.symbols.elf import BinaryError, Elf
from skep.symbols.instructions import can_be_probed
from tests.unit.elf_builder import (
    CODE,
    INDIRECT,
    LOAD_ADDRESS,
    OBJECT,
    Symbol,
    elf,
    note,
)

PLACE = LOAD_ADDRESS + CODE


def written(path: Path, content: bytes) -> Elf:
    file = path / "program"
    file.write_bytes(content)
    return Elf(str(file))


def names_of(found: list[functions.Function]) -> list[str]:
    return [f"{each.name}@{each.version}" for each in found]


def test_functions_of_both_tables_once(tmp_path: Path) -> None:
    both = Symbol("both", PLACE + 8)
    content = elf(
        symbols=[both, Symbol("local", PLACE + 16), Symbol("data", PLACE, OBJECT)],
        dynamic=[both, Symbol("imported", 0), Symbol("chosen", PLACE + 32, INDIRECT)],
    )
    with written(tmp_path, content) as file:
        found = functions.find(file, ["*", "lo*l", "nothing"])
    assert sorted(each.name for each in found["*"]) == ["both", "chosen", "local"]
    assert [each.offset for each in found["lo*l"]] == [CODE + 16]
    assert found["nothing"] == []
    assert [each.name for each in found["*"] if each.indirect] == ["chosen"]


def test_go_is_known_by_its_table(tmp_path: Path) -> None:
    for name in (".gopclntab", ".data.rel.ro.gopclntab"):
        with written(tmp_path, elf(more={name: b"x"})) as file:
            assert file.is_go
    with written(tmp_path, elf()) as file:
        assert not file.is_go


def test_versions_are_all_meant_unless_one_is_said(tmp_path: Path) -> None:
    content = elf(
        symbols=[Symbol("copy@OLD", PLACE), Symbol("copy@@NEW", PLACE + 64)],
        dynamic=[
            Symbol("copy", PLACE, version=0x8002),
            Symbol("copy", PLACE + 64, version=3),
            Symbol("plain", PLACE + 128, version=1),
        ],
        versions=["OLD", "NEW"],
    )
    with written(tmp_path, content) as file:
        found = functions.find(file, ["copy", "copy@OLD", "copy@@NEW", "plain", "opy"])
    assert names_of(found["copy"]) == ["copy@OLD", "copy@NEW"]
    assert [each.offset for each in found["copy@OLD"]] == [CODE]
    assert [each.offset for each in found["copy@@NEW"]] == [CODE + 64]
    assert names_of(found["plain"]) == ["plain@"]
    assert found["opy"] == []


def test_names_may_be_the_ends_of_others(tmp_path: Path) -> None:
    content = bytearray(elf(symbols=[Symbol("xget", PLACE), Symbol("get", PLACE + 8)]))
    # Let "get" be the end of "xget", as linkers do.
    table = content.find(struct.pack("<Q", PLACE + 8)) - 8
    (xget,) = struct.unpack_from("<I", content, table - 24)
    struct.pack_into("<I", content, table, xget + 1)
    with written(tmp_path, bytes(content)) as file:
        (found,) = functions.find(file, ["get"])["get"]
    assert found.offset == CODE + 8


def test_addresses_of_symbols_of_any_kind(tmp_path: Path) -> None:
    content = elf(
        symbols=[
            Symbol("data", PLACE + 4, OBJECT),
            Symbol("twice", PLACE, OBJECT),
            Symbol("twice", PLACE + 8, OBJECT),
        ]
    )
    with written(tmp_path, content) as file:
        found = functions.addresses(file, {"data", "twice", "nothing"})
    assert found == {"data": PLACE + 4}


def test_probes_move_with_their_base(tmp_path: Path) -> None:
    notes = note("app", "begin", "-4@%eax 8@$5", PLACE + 16, base=0x9000)
    notes += note("app", "end", "", PLACE + 32, 0x9000, PLACE + 512)
    with written(tmp_path, elf(notes=notes, base=0x9100)) as file:
        begin, end = usdt.probes(file)
    assert begin == usdt.UsdtProbe(
        "app", "begin", PLACE + 0x110, CODE + 0x110, 0, "-4@%eax 8@$5"
    )
    assert end.semaphore == CODE + 512 + 0x100


@pytest.mark.parametrize(
    "notes, said",
    [
        (note("app", "begin", "", 0x10), "a USDT note leads nowhere"),
        (note("app", "begin", "", PLACE, semaphore=0x10), "a USDT note leads nowhere"),
        (note("", "", "", PLACE), "a USDT note leads nowhere"),
        (struct.pack("<III", 8, 8, 3) + b"stapsdt\0" + bytes(8), "is too short"),
    ],
)
def test_probes_that_cannot_be(tmp_path: Path, notes: bytes, said: str) -> None:
    with (
        written(tmp_path, elf(notes=notes)) as file,
        pytest.raises(BinaryError, match=said),
    ):
        list(usdt.probes(file))


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "not an ELF file"),
        (b"#!/bin/sh\n", "not an ELF file"),
        (b"\x7fELF\x01\x01" + bytes(60), "only 64-bit little-endian"),
        (b"\x7fELF\x02\x02" + bytes(60), "only 64-bit little-endian"),
        (b"\x7fELF\x02\x01", "beyond its end"),
    ],
)
def test_what_is_no_program(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BinaryError, match=said):
        written(tmp_path, content)


def test_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/null", str(tmp_path)):
        with pytest.raises(BinaryError, match="not a regular file"):
            Elf(path)


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    with written(tmp_path, elf(symbols=[Symbol("main", PLACE)])) as file:
        os.truncate(tmp_path / "program", 100)
        with pytest.raises(BinaryError, match="it was cut while it was read"):
            functions.find(file, ["main"])


SAMPLE = elf(
    symbols=[Symbol("main", PLACE), Symbol("data", PLACE, OBJECT)],
    dynamic=[Symbol("copy", PLACE, version=2), Symbol("chosen", PLACE, INDIRECT)],
    versions=["OLD", "NEW"],
    notes=note("app", "begin", "-4@%eax", PLACE, 5, PLACE),
    base=9,
    code=bytes(64),
)
INTERESTING = [i for i in range(len(SAMPLE)) if i < 120 or i >= CODE + 64]


@settings(max_examples=600, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(INTERESTING), st.binary(min_size=1, max_size=8)),
        max_size=6,
    ),
    length=st.one_of(st.just(len(SAMPLE)), st.integers(0, len(SAMPLE))),
)
def test_corrupted_files_are_errors(
    tmp_path: Path, changes: list[tuple[int, bytes]], length: int
) -> None:
    content = bytearray(SAMPLE)
    for place, change in changes:
        content[place : place + len(change)] = change
    try:
        with written(tmp_path, bytes(content[:length])) as file:
            functions.find(file, ["*", "main", "copy@OLD"])
            functions.addresses(file, {"data"})
            list(usdt.probes(file))
    except SkepError:
        pass


@pytest.mark.parametrize(
    "code, expected",
    [
        (b"\x55", True),  # push %rbp
        (b"\xf3\x0f\x1e\xfa", True),  # endbr64
        (b"\x66\x0f\x6f", True),
        (b"\xf0\xff\x0f", False),  # lock decl (%rdi)
        (b"\x2e\x90", False),
        (b"\xcc", False),
        (b"\xf4", False),
        (b"\x62\xe2\x7d\x28\x7a\xce", False),  # vpbroadcastb %esi,%ymm17
        (b"\xc5\xf9\x74\xc0", True),  # vpcmpeqb %xmm0,%xmm0,%xmm0
        (b"\xc5\xc1\xef\xff", False),  # vpxor %xmm7,%xmm7,%xmm7
        (b"\xc4\xe2\x7d\x78\xc0", True),  # vpbroadcastb %xmm0,%ymm0
        (b"\xc4\xe1\xf9\x6e\xc6", False),  # vmovq %rsi,%xmm0
    ],
)
def test_instructions_that_can_be_probed(
    tmp_path: Path, code: bytes, expected: bool
) -> None:
    with written(tmp_path, elf(code=code.ljust(32, b"\x90"))) as file:
        assert can_be_probed(file, CODE) is expected
        assert not can_be_probed(file, 1 << 40)
    with written(tmp_path, elf(code=code.ljust(32, b"\x90"), machine=183)) as file:
        assert can_be_probed(file, CODE)


def test_this_python() -> None:
    with open("/proc/self/maps") as maps:
        library = next(line.split()[5] for line in maps if "/libc.so" in line)
    with Elf(library) as file:
        found = functions.find(file, ["getaddrinfo", "gethostby*"])
    assert found["getaddrinfo"]
    assert len(found["gethostby*"]) >= 4
    assert Elf(sys.executable).machine == os.uname().machine
