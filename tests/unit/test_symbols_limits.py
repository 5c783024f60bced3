"""What symbols take of memory and time has limits, whoever makes the files."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from skep.symbols import debug_files, file_cache, intervals, library, resolver
from skep.symbols.elf import BinaryError, Elf
from skep.symbols.elf_image import ElfImage
from skep.symbols.file_cache import FileCache
from skep.symbols.maps import MemoryMap
from skep.symbols.object_file import ObjectFile
from skep.symbols.perf_map import PerfMap, PerfMapFile
from skep.symbols.processes import Identity, Mapping
from skep.symbols.resolver import Symbols
from skep.symbols.snapshot import Snapshot
from tests.unit.elf_builder import CODE, LOAD_ADDRESS, Symbol, elf
from tests.unit.test_symbols_table import FULL, PLACE, link, stripped

NOBODY = (1 << 22) + 1
"""Beyond the largest number that a process can have (PID_MAX_LIMIT)."""

HUGE = 1 << 40
SECTION_HEADERS = 40
"""Where an ELF header has the place of the section headers."""


def sparse(path: Path, content: bytes, size: int = HUGE) -> None:
    """A file that seems to have as many bytes."""
    path.write_bytes(content)
    os.truncate(path, size)


def patched(content: bytes, place: int, layout: str, *values: int) -> bytes:
    """The content with other numbers at a place."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, place, *values)
    return bytes(changed)


def test_more_headers_than_programs_have(tmp_path: Path) -> None:
    content = elf()
    (start,) = struct.unpack_from("<Q", content, SECTION_HEADERS)
    content = patched(content, SECTION_HEADERS + 20, "<H", 0)  # see the first section
    sparse(tmp_path / "file", patched(content, start + 32, "<Q", 8_000_000))
    with pytest.raises(BinaryError, match="8000000 headers are too many"):
        Elf(str(tmp_path / "file"))


def test_more_symbols_than_programs_have(tmp_path: Path) -> None:
    content = elf([Symbol("one", PLACE)])
    (start,) = struct.unpack_from("<Q", content, SECTION_HEADERS)
    symbols = start + 2 * 64
    sparse(tmp_path / "file", patched(content, symbols + 32, "<Q", 24 << 22))
    with Elf(str(tmp_path / "file")) as file:
        assert "4194304 symbols are too many" in ObjectFile(file).problem


def test_a_debug_file_without_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(stripped(gnu_debuglink=link(FULL)))
    sparse(tmp_path / "file.debug", FULL)
    open_before = os.listdir("/proc/self/fd")
    with Elf(str(tmp_path / "file")) as file:
        assert ObjectFile(file).lookup(PLACE + 16)[0] is None
    assert os.listdir("/proc/self/fd") == open_before


def test_a_debug_file_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debug_files, "_DIRECTORY", str(tmp_path))
    place = tmp_path / ".build-id" / "12" / "345678.debug"
    place.parent.mkdir(parents=True)
    damaged = elf(build=b"\x12" * 4)
    (start,) = struct.unpack_from("<Q", damaged, SECTION_HEADERS)
    place.write_bytes(patched(damaged, start + 9 * 64 + 24, "<Q", HUGE))
    found = ObjectFile(ElfImage(stripped(), "file"))
    assert (found.problem, found.lookup(PLACE)) == ("", ("exported", 0))


def test_a_cache_of_libraries_that_is_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc" / "ld.so.cache")
    (tmp_path / "lib64").mkdir()
    (tmp_path / "lib64" / "libx.so").write_bytes(elf())
    with library.open_named("x", "x86_64", str(tmp_path)) as found:
        assert found.path == "/lib64/libx.so"


def test_a_piece_around_very_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"0 ffffffff all\n" + b"".join(b"%x 1 one\n" % (2 * n) for n in range(99))
    assert PerfMap(lines).lookup(197) == ("all", 0)
    monkeypatch.setattr(intervals, "_MOST_STEPS", 50)
    assert PerfMap(lines).lookup(81) == ("all", 0)
    assert PerfMap(lines).lookup(196) is None  # not "one": nobody knows what is last


def mapping(number: int, path: str = "/file") -> Mapping:
    """Code of a file, of a process that is gone."""
    return Mapping(NOBODY, 0, 4096, 0, Identity("fe:00", number), path)


class Files:
    """Programs with a symbol each, in a cache that has room for some."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loaded: list[str] = []
        self.dropped = 0
        self.folder = folder
        self.cache = FileCache(self.drop, most=3 * 5000)
        monkeypatch.setattr(file_cache, "open_mapped", self.open)

    def drop(self) -> None:
        self.dropped += 1

    def open(self, wanted: Mapping, root: str, has_ended: bool = False) -> Elf:
        self.loaded.append(wanted.path)
        file = self.folder / wanted.path.strip("/")
        if not file.exists():
            file.write_bytes(elf([Symbol(wanted.path, PLACE)]))
        return Elf(str(file))

    def names(self, numbers: Sequence[int]) -> list[str | None]:
        found: list[str | None] = []
        for number in numbers:
            wanted = mapping(number, f"/{number}")
            snapshot = Snapshot(NOBODY, 0, "/", 0, NOBODY, None)  # type: ignore
            file = self.cache.get(snapshot, wanted, True)
            found.append(file.lookup(LOAD_ADDRESS + CODE)[0] if file else None)
        return found


def test_symbols_of_files_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(tmp_path, monkeypatch)
    assert files.names((1, 2, 3, 1)) == ["/1", "/2", "/3", "/1"]
    assert (files.loaded, files.dropped) == (["/1", "/2", "/3"], 0)
    assert files.names((4, 1, 3, 2)) == ["/4", "/1", "/3", "/2"]
    assert files.loaded == ["/1", "/2", "/3", "/4", "/2"]  # 2 was the oldest
    assert files.dropped == 2


def test_reasons_for_unknown_names_have_an_end() -> None:
    cache = FileCache(lambda: None)
    snapshot = Snapshot(NOBODY, 0, "/", 0, NOBODY, None)  # type: ignore
    for number in range(1000):
        cache.get(snapshot, mapping(number, f"/nowhere/{number}"), True)
    problems = list(cache.problems)
    assert len(problems) == file_cache._MOST_LOST
    assert "/nowhere/999:" in problems[-1]


def test_a_process_that_maps_code_for_ever() -> None:
    symbols = Symbols()
    for number in range(5000):
        start = 0x1000 * number
        line = b"%x-%x r-xp 00000000 fe:00 7 /%d\n" % (start, start + 0x1000, number)
        symbols.mapped(NOBODY, line)
    assert symbols.user(NOBODY, 4999 * 0x1000).module == "/4999"
    assert symbols.user(NOBODY, 0x1000).module == ""
    assert len(symbols._processes[NOBODY].told) <= 1000


def test_memory_maps_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_MOST_MAPS", 50_000)
    symbols = Symbols()
    for pid in range(NOBODY, NOBODY + 100):
        for number in range(5):
            line = b"%d000-%d999 r-xp 00000000 fe:00 7 /%s%d\n"
            symbols.mapped(pid, line % (number, number, b"x" * 1000, pid))
        symbols.forked(pid + 1000, pid)  # shares what is known
        symbols.executed(pid)
        for each in (pid, pid + 1000):
            assert symbols.user(each, 0x4000).module.endswith(f"x{pid}")
    kept = {s for each in symbols._processes.values() for s in each.kept()}
    assert sum(len(each.maps.content) for each in kept) <= 50_000
    assert 10 < len(symbols._processes) < 30


def test_few_processes_are_kept_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_MOST_WARM", 3)
    symbols = Symbols()
    symbols.mapped(NOBODY, b"0-1000 r-xp 00000000 fe:00 7 /shell\n")
    for pid in range(NOBODY + 1, NOBODY + 10):
        symbols.forked(pid, NOBODY)
        symbols.mapped(pid, b"2000-3000 r-xp 00000000 fe:00 8 /%d\n" % pid)
        for _ in range(2):  # also with what is seen of the others in between
            assert symbols.user(pid, 0x2000).module == f"/{pid}"
            assert symbols.user(pid, 0x10).module == "/shell"
            assert symbols.user(NOBODY, 0x2000).module == ""
            symbols.refresh()
    parsed = [
        each
        for each in symbols._processes.values()
        if "_parsed" in each.as_told().maps.__dict__
    ]
    assert len(parsed) <= 3


def test_children_of_a_child_have_what_was_mapped_before() -> None:
    symbols = Symbols()
    symbols.mapped(NOBODY, b"0-1000 r-xp 00000000 fe:00 7 /server\n")
    symbols.forked(NOBODY + 1, NOBODY)
    symbols.forked(NOBODY + 2, NOBODY + 1)
    symbols.executed(NOBODY + 1)
    symbols.executed(NOBODY)
    assert symbols.user(NOBODY + 2, 16).module == "/server"


def test_names_of_all_processes_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_MOST_KNOWN", 10)
    symbols = Symbols()
    for number in range(100):
        assert symbols.user(NOBODY + number, 16).name is None
        assert symbols.user(NOBODY + number, 32).name is None
    known = [each.known for each in symbols._processes.values()]
    assert sum(map(len, known)) <= 10


def test_functions_of_compilers_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    symbols = Symbols()
    monkeypatch.setattr(resolver, "_MOST_COMPILED", 1000)
    maps = []
    for number in range(1, 30):
        (tmp_path / "tmp" / f"perf-{number}.map").write_bytes(b"0 100 compiled\n")
        symbols.mapped(NOBODY + number, b"0-1000 r-xp 00000000 00:00 0 //anon\n")
        process = symbols._processes[NOBODY + number]
        process.perf_map = PerfMapFile(str(tmp_path), number, os.getuid())
        maps.append(process.perf_map)
        assert symbols.user(NOBODY + number, 16).name == "compiled"
    assert sum(each.size for each in maps) <= 1000
    symbols.refresh()
    assert symbols.user(NOBODY + 2, 16).name == "compiled"  # it is read again


def test_a_file_of_a_compiler_that_changes_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "tmp" / "perf-7.map"
    path.write_bytes(b"0 100 first\n")
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    file = PerfMapFile(str(tmp_path), 7, os.getuid())

    def read(content: bytes) -> PerfMap:
        now[0] += 0.5  # it takes so long
        return PerfMap(content)

    monkeypatch.setattr("skep.symbols.perf_map.PerfMap", read)

    def name() -> str:
        found = file.read()
        assert found
        return (found.lookup(1) or ("", 0))[0]

    assert name() == "first"
    path.write_bytes(b"0 100 second\n")
    assert name() == "first"
    now[0] += 3
    assert name() == "second"


def test_a_process_with_very_many_mappings_is_looked_at_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    looks = []

    def take(pid: int) -> Snapshot:
        looks.append(now[0])
        now[0] += 0.5  # it takes so long
        content = b"1000-2000 r-xp 00000000 fe:00 7 /file\n"
        return Snapshot(pid, 0, "/", 0, pid, MemoryMap(pid, content))

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("skep.symbols.snapshot.take", take)
    symbols = Symbols()
    for _ in range(30):
        assert symbols.user(NOBODY, 0x1500).module == "/file"
        symbols.refresh()
        now[0] += 0.1
    assert len(looks) == 2
    symbols.user(NOBODY, 0x2500)  # it may be in a library that was loaded meanwhile
    assert len(looks) == 3
