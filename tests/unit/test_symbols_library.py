"""From the names of libraries to files."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.errors import NoSuchProcess, NotPermitted, ProbeNotFound
from skep.symbols import ld_cache, library, processes
from skep.symbols.elf import BinaryError, Elf
from tests.unit.elf_builder import Symbol, elf

MACHINE = "x86_64"


def cache(*entries: tuple[str, str, int, int], old: bytes = b"") -> bytes:
    """An ld.so.cache with (name, path, flags, hwcap)."""
    size = 48 + 24 * len(entries)
    table, texts = b"", b""
    for name, path, flags, hwcap in entries:
        key = size + len(texts)
        texts += name.encode() + b"\0"
        value = size + len(texts)
        texts += path.encode() + b"\0"
        table += struct.pack("<iIIIQ", flags, key, value, 0, hwcap)
    header = struct.pack(
        "<20sIIB3xI12x", b"glibc-ld.so.cache1.1", len(entries), len(texts), 2, 0
    )
    return old + header + table + texts


ENTRIES = (
    ("libz.so.1", "/lib32/libz.so.1", 3, 0),
    ("libz.so.1", "/lib64/fast/libz.so.1", 0x303, 1 << 62),
    ("libz.so.1", "/lib64/libz.so.1", 0x303, 0),
    ("libzz.so", "/lib64/libzz.so", 0x303, 0),
    ("libssl.so.3", "/lib64/libssl.so.3", 0x303, 0),
    ("libssl.so.1.1", "/lib64/libssl.so.1.1", 0x303, 0),
    ("libonly.so", "/lib64/fast/libonly.so", 0x303, 1),
    ("libm.so.6", "/lib/libm.so.6", 0xA03, 0),
)


@pytest.mark.parametrize(
    "name, machine, path",
    [
        ("z", "x86_64", "/lib64/libz.so.1"),
        ("ssl", "x86_64", "/lib64/libssl.so.3"),
        ("only", "x86_64", "/lib64/fast/libonly.so"),
        ("m", "x86_64", None),
        ("m", "aarch64", "/lib/libm.so.6"),
        ("ss", "x86_64", None),
        (".*", "x86_64", None),
    ],
)
def test_cache(name: str, machine: str, path: str | None) -> None:
    for old in (b"", b"ld.so-1.7.0".ljust(40, b"\0")):
        assert ld_cache.lookup(cache(*ENTRIES, old=old), name, machine) == path


@given(st.integers(0, 500), st.binary(max_size=16))
def test_malformed_caches_have_fewer_entries(place: int, change: bytes) -> None:
    content = bytearray(cache(*ENTRIES))
    content[place : place + len(change)] = change
    ld_cache.lookup(bytes(content), "z", MACHINE)
    ld_cache.lookup(bytes(content[:place]), "z", MACHINE)


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A system with a few libraries."""
    for directory in ("lib/x86_64-linux-gnu", "etc", "usr/bin", "opt"):
        (tmp_path / directory).mkdir(parents=True)
    program = elf(symbols=[Symbol("main", 0x401000)])
    (tmp_path / "opt/real.so").write_bytes(program)
    (tmp_path / "lib/x86_64-linux-gnu/libtwo.so.2").symlink_to("/opt/real.so")
    (tmp_path / "lib/x86_64-linux-gnu/libtwo.so").write_text("GROUP ( libtwo.so.2 )")
    (tmp_path / "lib/libother.so").write_bytes(elf(machine=183))
    (tmp_path / "usr/bin/tool").write_bytes(program)
    (tmp_path / "opt/round").symlink_to("round")
    (tmp_path / "etc/ld.so.cache").write_bytes(
        cache(("libcached.so.1", "/opt/../opt/real.so", 0x303, 0))
    )
    return str(tmp_path)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("cached", "/opt/../opt/real.so"),
        ("two", "/lib/x86_64-linux-gnu/libtwo.so.2"),
        ("tool", "/usr/bin/tool"),
        ("/opt/real.so", "/opt/real.so"),
        ("/../opt/real.so", "/../opt/real.so"),
    ],
)
def test_names_below_a_root(
    root: str, name: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATH")
    with library.open_named(name, MACHINE, root) as found:
        assert found.path == shown
        opened = os.readlink(f"/proc/self/fd/{found.fd}")
    assert opened.startswith(root)


@pytest.mark.parametrize("name", ["none", "other", "/opt/round", "/opt/none", "real"])
def test_names_that_are_not_there(root: str, name: str) -> None:
    with pytest.raises(ProbeNotFound):
        library.open_named(name, MACHINE, root)


@pytest.mark.parametrize(
    "name, files, others",
    [
        (
            "c",
            "libc.so.6 libc-2.31.so libc.so ld-musl-x86_64.so.1 libc.musl-x86_64.so.1",
            "libcrypt.so.1 libc++.so.1 musl-gcc ld-linux-x86-64.so.2",
        ),
        ("ssl", "libssl.so libssl.so.1.1 libssl.so.3", "libssl3.so ld-musl-x.so.1"),
        ("python3.11", "libpython3.11.so.1.0", "libpython3x11.so.1.0"),
    ],
)
def test_names_of_mapped_files(name: str, files: str, others: str) -> None:
    pattern = library.name_pattern(name)
    assert all(map(pattern.fullmatch, files.split()))
    assert not any(map(pattern.fullmatch, others.split()))


def own_libc() -> processes.Mapping:
    pattern = library.name_pattern("c")
    return next(m for m in processes.mappings("self") if pattern.fullmatch(m.base))


def test_this_process() -> None:
    mine = own_libc()
    (elf_file,) = library.open_of_process("c", os.uname().machine, os.getpid())
    with elf_file:
        assert processes.identity(elf_file.fd) == mine.file
        assert elf_file.path == mine.path
    with pytest.raises(NoSuchProcess):
        library.open_of_process("c", MACHINE, 1 << 22)


@pytest.mark.parametrize("relative", [False, True])
def test_a_path_of_a_process_is_the_file_that_it_has(
    relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if another one is there now."""
    path = tmp_path / "copy.so"
    shutil.copy(own_libc().path, path)
    monkeypatch.chdir(tmp_path)
    name = "./copy.so" if relative else str(path)
    with open(path, "rb") as file:
        # Where it is mapped to is of no interest: the file is what counts.
        mapped = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    mine = next(m for m in processes.mappings("self") if m.path == str(path))
    for _ in range(2):
        (found,) = library.open_of_process(name, MACHINE, os.getpid())
        with found:
            assert processes.identity(found.fd) == mine.file
            assert found.path == str(path)
        if not os.access("/proc/self/map_files", os.R_OK) or os.geteuid():
            break  # only root can open what is no longer there
        # As package managers do it.
        shutil.copy("/bin/true", tmp_path / "new.so")
        os.replace(tmp_path / "new.so", path)
    mapped.close()


def test_files_are_told_apart_as_processes_have_them(tmp_path: Path) -> None:
    copy = tmp_path / "copy.so"
    shutil.copy(own_libc().path, copy)
    descriptor = os.open(copy, os.O_RDONLY)
    assert processes.identity(descriptor) not in (None, own_libc().file)
    os.close(descriptor)


def test_mappings_as_the_kernel_writes_them() -> None:
    line = (
        b"7f00-7f10 r-xp 00001000 fe:00 77   /opt/with\\012line (deleted)\n"
        b"7f10-7f20 rw-p 00001000 fe:00 77   /opt/data\n"
        b"7f20-7f30 r-xp 00000000 00:00 0    [vdso]\n"
    )
    mapping, vdso = processes.code(5, line)
    assert mapping.is_file and not vdso.is_file
    assert mapping.base == "with\nline"
    assert mapping.opened_by() == "/proc/5/map_files/7f00-7f10"
    assert mapping.file == processes.Identity("fe:00", 77)


def test_indirect_functions_of_this_process() -> None:
    from skep.symbols import functions, indirect

    with Elf(own_libc().path) as file:
        every = functions.find(file, ["strlen", "memcpy", "free"])
        for found in (each for matching in every.values() for each in matching):
            chosen = indirect.chosen(file, found)
            assert chosen is not None and not chosen.indirect
            assert (chosen.offset != found.offset) is found.indirect
    assert ctypes.CDLL(None).strlen(b"four") == 4


def test_what_is_no_library() -> None:
    with pytest.raises(BinaryError, match="not an ELF file"):
        library.open_named(__file__, MACHINE)


def test_a_relative_path_where_no_directory_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ProbeNotFound, match=r"cannot open \./x: No such file"):
        library.open_of_process("./x", MACHINE, os.getpid())


def test_files_of_a_process_that_may_not_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = library.open_mapped
    mapped = {m.file for m in processes.mappings(os.getpid()) if m.is_file}
    closed = {next(iter(mapped))}

    def open_mapped(mapping: processes.Mapping) -> Elf:
        if mapping.file in closed:
            raise PermissionError(13, "Permission denied")
        return opened(mapping)

    monkeypatch.setattr(library, "open_mapped", open_mapped)
    found = library.open_all_of_process(os.getpid())
    assert 0 < len(found) < len(mapped)
    closed |= mapped
    with pytest.raises(NotPermitted) as caught:
        library.open_all_of_process(os.getpid())
    assert "those of other users take CAP_SYS_PTRACE" in str(caught.value)
