"""Corrupt files end in an error or in less, and never in a hang, a crash or a flood.

ELF files and USDT notes have their own such test in test_symbols_elf.py.
"""

from __future__ import annotations

import io
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from unittest import mock

import pytest

from skep.btf import Btf
from skep.btf.types import (
    Array,
    FuncProto,
    Int,
    Member,
    Modifier,
    Pointer,
    Struct,
    Typedef,
)
from skep.errors import SkepError
from skep.symbols import ld_cache, processes
from skep.symbols.demangle import demangle
from skep.symbols.perf_map import PerfMap
from skep.target import host
from skep.target.tracepoint import parse_format
from tests.unit.test_btf_reader import btf, build
from tests.unit.test_symbols_library import ENTRIES, cache

__all__ = ["btf"]

ROUNDS = 1000
SECONDS = 20
"""For all rounds of a test: a hang is what it is to find."""

WORDS = (0, 1, 2, 3, 4, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@contextmanager
def limited() -> Iterator[None]:
    """A time limit, which also ends loops."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("it takes for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutants(sample: bytes) -> Iterator[bytes]:
    """Variants of a file; the same ones each time."""
    for seed in range(ROUNDS):
        dice = random.Random(seed)
        content = bytearray(sample)
        for _ in range(dice.randint(1, 4)):
            _change(dice, content)
        yield bytes(content)


def _change(dice: random.Random, content: bytearray) -> None:
    if not content:
        return
    place = dice.randrange(len(content))
    kind = dice.randrange(6)
    if kind < 2:
        content[place] = dice.randrange(256)
    elif kind == 2:
        at = place & ~3
        word = dice.choice(WORDS).to_bytes(4, "little")
        content[at : at + 4] = word
    elif kind == 3:
        del content[place:]
    elif kind == 4:
        del content[place : place + dice.randint(1, 16)]
    else:
        end = place + dice.randint(1, 64)
        content[place:place] = content[place:end]


def survive(sample: bytes, read: Callable[[bytes], object]) -> None:
    """Reads all variants of a file; errors of skep are fine, others are not."""
    with limited():
        for seed, content in enumerate(mutants(sample)):
            try:
                read(content)
            except SkepError:
                pass
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error!r}") from error


def read_all(types: Btf) -> None:
    """Asks for everything that a compiler would ask for."""
    for name in ("request", "outer", "huge", "int", "outer_t", ""):
        for kind in ("struct", "func", "enum", "int", "typedef"):
            types.find_all(kind, name)
        types.function(name)
        types.enumerator(name)
        types.names(name)
    for spelling in ("struct outer *", "outer_t", "unsigned long[3]"):
        types.parse_type(spelling)
    for number in range(min(types.end_id, 40)):
        for ask in (types.type, types.resolve, types.size_of, types.spell):
            _ask(ask, number)
        for path in ("first", "low", "self", "list[1]", "bits"):
            _ask(types.member, number, path)


def _ask(ask: Callable[..., object], *arguments: Any) -> None:
    try:
        ask(*arguments)
    except SkepError:
        pass


def test_btf(btf: Btf) -> None:
    survive(bytes(btf._table._buffer), lambda content: read_all(Btf(content)))


def test_btf_of_a_module(btf: Btf) -> None:
    survive(bytes(btf._table._buffer), lambda content: read_all(Btf(content, btf)))


FORMAT = b"""name: sys_enter_openat
ID: 641
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:32;\tsize:4;\tsigned:0;
\tfield:char comm[TASK_COMM_LEN];\toffset:36;\tsize:16;\tsigned:0;

print fmt: "dfd: 0x%08lx", ((unsigned long)(REC->dfd))
"""


def test_formats_of_tracepoints() -> None:
    survive(
        FORMAT,
        lambda content: parse_format("a", "b", content.decode("utf-8", "replace")),
    )


def test_a_format_in_which_a_pattern_could_go_astray() -> None:
    with limited():
        for text in (
            "field:" + "a " * 50_000,
            "field: ID:" * 50_000,
            "field:a[" * 50_000,
        ):
            for rest in ("", ";\toffset:1;\tsize:1;\tsigned:1;\n"):
                with pytest.raises(SkepError):
                    parse_format("a", "b", f"ID: 1\n{text}{rest}")
                with pytest.raises(SkepError):
                    parse_format("a", "b", text + rest)


def test_caches_of_libraries() -> None:
    survive(cache(*ENTRIES), lambda content: ld_cache.lookup(content, "ssl", "x86_64"))


MAPS = b"""\
55d0c8e00000-55d0c8e21000 r-xp 00001000 fe:00 1311 /usr/bin/python3.11
7f1a1c000000-7f1a1c021000 rw-p 00000000 00:00 0
7f1a1d6a5000-7f1a1d7fa000 r-xp 00026000 fe:00 2622 /lib/libc.so.6 (deleted)
7ffd5b5f2000-7ffd5b5f4000 r-xp 00000000 00:00 0    [vdso]
"""


def test_mappings_of_a_process() -> None:
    def read(content: bytes) -> None:
        with mock.patch("builtins.open", lambda *_: io.BytesIO(content)):
            processes.mappings(1)

    survive(MAPS, read)


KALLSYMS = b"""\
ffffffff81000000 T _text
ffffffff8112a2b0 t vfs_read.part.0
ffffffff8112a3c0 T vfs_read
ffffffffc0301000 t xfs_file_open\t[xfs]
"""


JIT = b"""\
7f3a5c000000 40 LazyCompile:*run /srv/app.js:12:3
0x7f3a5c000040 0x80 py::main:/srv/app.py
7f3a5c000020 ffffffffffffffff all of it
"""


def test_maps_of_compilers() -> None:
    def read(content: bytes) -> None:
        functions = PerfMap(content)
        for address in (0, 0x7F3A5C000021, 0x7F3A5C000041, (1 << 64) - 1):
            functions.lookup(address)

    survive(JIT, read)


@pytest.mark.parametrize(
    "name",
    [
        b"_RNvNtCs1234_7mycrate3foo3bar",
        b"_RINvNtC3std3mem8align_ofdRShB3_E",
        b"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
        b"_ZNSt6vectorIiSaIiEE9push_backERKi",
        b"_ZN3fooIiXadL_ZNS_3barEvEEE3bazEv",
    ],
)
def test_names_of_functions(name: bytes) -> None:
    survive(name, demangle)


def test_symbols_of_the_kernel() -> None:
    def read(content: bytes) -> None:
        with mock.patch.object(host, "_kallsyms", lambda: iter([content])):
            facts = host.HostFacts()
            facts.symbols(["vfs_read", "_text"])
            facts.function_symbols("vfs_read")

    survive(KALLSYMS, read)


@pytest.mark.parametrize(
    "types",
    [
        [Typedef("a", 2), Modifier("const", 1)],
        [Array(2, 3), Typedef("a", 1)],
        [Struct("struct", "a", 8, (Member("", 1, 0),))],
        [Pointer(1)],
        [FuncProto(1, (("a", 1),))],
        [Array(n, 1 << 31) for n in range(2, 2000)] + [Int("int", 4, 32)],
        [Struct("struct", "", 8, 9 * (Member("", n, 0),)) for n in range(2, 999)]
        + [Struct("struct", "", 8, ())],
        [FuncProto(n, 9 * (("a", n),)) for n in range(2, 999)] + [Int("int", 4, 32)],
    ],
)
def test_types_that_are_made_of_themselves(types: list[Any]) -> None:
    with limited():
        read_all(build(*types))
