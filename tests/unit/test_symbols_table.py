"""Symbol tables of files, wherever they are, and what addresses mean by them."""

from __future__ import annotations

import lzma
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.symbols import debug_files, symbol_table
from skep.symbols.elf import Elf
from skep.symbols.elf_image import ElfImage
from skep.symbols.intervals import ordered
from skep.symbols.object_file import ObjectFile
from skep.symbols.perf_map import PerfMap
from skep.symbols.symbol_table import SymbolTable
from tests.unit.elf_builder import (
    CODE,
    GLOBAL,
    LABEL,
    LOAD_ADDRESS,
    OBJECT,
    Symbol,
    elf,
)

PLACE = LOAD_ADDRESS + CODE
BUILD = b"\x12\x34\x56\x78"


def names_at(content: bytes, *offsets: int) -> list[str | None]:
    found = ObjectFile(ElfImage(content, "file"))
    return [found.lookup(PLACE + offset)[0] for offset in offsets]


def test_beyond_the_size_is_unknown() -> None:
    content = elf([Symbol("one", PLACE + 8, size=8), Symbol("two", PLACE + 32, size=4)])
    assert names_at(content, 7, 8, 15, 16, 31, 32, 36) == [
        *(None, "one", "one", None, None, "two", None)
    ]


def test_without_a_size_the_next_symbol_or_section_ends_it() -> None:
    content = elf(
        [
            Symbol("label", PLACE, LABEL, size=0),
            Symbol("$x", PLACE + 4, LABEL, size=0),
            Symbol("data", PLACE + 6, OBJECT),
            Symbol("last", PLACE + 16, size=0),
        ]
    )
    assert names_at(content, 0, 8, 15, 16, 0xFFF, 0x1000) == [
        *("label", "label", "label", "last", "last", None)
    ]


def test_within_another_the_inner_one_is_meant() -> None:
    content = elf([Symbol("outer", PLACE, size=64), Symbol("inner", PLACE + 8, size=8)])
    assert names_at(content, 4, 9, 20) == ["outer", "inner", "outer"]


def test_the_best_of_several_names() -> None:
    same = [
        Symbol("__libc_read", PLACE),
        Symbol("__read", PLACE, binding=GLOBAL),
        Symbol("read@@GLIBC_2.2.5", PLACE, binding=2),
        Symbol("read@@NEW", PLACE, binding=GLOBAL),
        Symbol("part", PLACE, size=2, binding=GLOBAL),
    ]
    assert names_at(elf(same), 0, 4) == ["read", "read"]
    assert names_at(elf(same[::-1]), 0) == ["read"]


def test_exported_names_where_there_are_no_others() -> None:
    exported = [Symbol("exported", PLACE)]
    assert names_at(elf(dynamic=exported), 0) == ["exported"]
    found = ObjectFile(ElfImage(elf(), "file"))
    # An empty table is no table.
    assert found.lookup(PLACE) == (None, PLACE)


def test_offsets_are_those_of_segments() -> None:
    found = ObjectFile(ElfImage(elf([Symbol("main", PLACE)]), "file"))
    assert found.address_of(CODE) == PLACE
    assert found.address_of(1 << 40) == 1 << 40


def stripped(**more: bytes) -> bytes:
    sections = {f".{name}": content for name, content in more.items()}
    return elf(dynamic=[Symbol("exported", PLACE)], more=sections, build=BUILD)


FULL = elf([Symbol("hidden", PLACE + 16)], build=BUILD)


def test_compressed_symbols_are_added_to_the_exported_ones() -> None:
    content = stripped(gnu_debugdata=lzma.compress(FULL))
    assert names_at(content, 0, 16) == ["exported", "hidden"]


@pytest.mark.parametrize("data", [b"no xz", lzma.compress(FULL)[:-9], b""], ids=len)
def test_compressed_symbols_that_cannot_be_read(data: bytes) -> None:
    found = ObjectFile(ElfImage(stripped(gnu_debugdata=data), "file"))
    assert found.lookup(PLACE)[0] == "exported"


def test_a_bomb_is_no_elf_file() -> None:
    bomb = lzma.compress(bytes(1 << 20))
    found = ObjectFile(ElfImage(stripped(gnu_debugdata=bomb), "file"))
    assert "not an ELF file" in found.problem


def test_debug_files_by_build_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debug_files, "_DIRECTORY", str(tmp_path))
    place = tmp_path / ".build-id" / "12" / "345678.debug"
    place.parent.mkdir(parents=True)
    place.write_bytes(FULL)
    assert names_at(stripped(), 0, 16) == ["exported", "hidden"]
    place.write_bytes(elf([Symbol("other", PLACE + 16)], build=b"\x12" * 4))
    assert names_at(stripped(), 0, 16) == ["exported", None]


def link(content: bytes, name: bytes = b"file.debug") -> bytes:
    padded = (name + b"\0").ljust(len(name) // 4 * 4 + 4, b"\0")
    return padded + struct.pack("<I", zlib.crc32(content))


def test_debug_files_by_link(tmp_path: Path) -> None:
    program = tmp_path / "file"
    program.write_bytes(stripped(gnu_debuglink=link(FULL)))
    debug = tmp_path / "file.debug"
    debug.write_bytes(FULL)
    with Elf(str(program)) as file:
        assert ObjectFile(file).lookup(PLACE + 16) == ("hidden", 0)
    debug.write_bytes(FULL + b"\0")
    with Elf(str(program)) as file:
        assert ObjectFile(file).lookup(PLACE + 16)[0] is None


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, link(FULL, b"../../etc/passwd"), link(FULL, b"/a")]
)
def test_links_that_lead_nowhere(content: bytes) -> None:
    file = ElfImage(stripped(gnu_debuglink=content), "file")
    assert debug_files.debug_link(file) == ("", 0)


PIECES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 30)), max_size=20)


@given(PIECES, st.integers(0, 130))
def test_intervals_against_a_search(pieces: list[tuple[int, int]], at: int) -> None:
    starts = [start for start, _ in pieces]
    ends = [start + size for start, size in pieces]
    order, places = ordered(starts, ends)
    found = [order[index] for index in places.having(at)]
    expected = [n for n, (a, b) in enumerate(zip(starts, ends)) if a <= at < b]
    assert sorted(found) == expected
    assert [starts[n] for n in found] == sorted(starts[n] for n in found)[::-1]


@given(
    st.lists(
        st.tuples(st.integers(0, 63), st.integers(0, 24), st.sampled_from("abc")),
        max_size=12,
    ),
    st.integers(0, 90),
)
def test_of_compiled_functions_the_last_is_there(
    lines: list[tuple[int, int, str]], at: int
) -> None:
    text = "".join(f"{start:x} {size:x} {name} b\n" for start, size, name in lines)
    expected = None
    for start, size, name in lines:
        if start <= at < start + size:
            expected = f"{name} b", start
    assert PerfMap(text.encode()).lookup(at) == expected


def test_lines_of_perf_maps() -> None:
    text = b"0x10 0x8 with prefix\nzz 1 no number\n20 8\n30 8 \xff;\n40 8 last"
    found = PerfMap(text)
    assert len(found) == 3
    assert found.lookup(0x17) == ("with prefix", 0x10)
    assert found.lookup(0x30) == ("\udcff;", 0x30)


@given(st.data())
def test_whatever_a_file_has_it_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(elf([Symbol("one", PLACE), Symbol("two", PLACE + 8, size=0)]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(64, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        file = ElfImage(bytes(content), "file")
    except Exception as error:
        assert type(error).__name__ == "BinaryError"
        return
    found = ObjectFile(file)
    for offset in range(0, 32, 4):
        found.lookup(PLACE + offset)


def test_tables_say_how_many_they_have() -> None:
    file = ElfImage(elf([Symbol("one", PLACE), Symbol("data", PLACE, OBJECT)]), "file")
    section = symbol_table.full(file)
    assert section is not None
    assert len(SymbolTable(file, section)) == 1
