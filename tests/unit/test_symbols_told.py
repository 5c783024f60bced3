"""What is known of processes that the kernel has told of and that have ended."""

from __future__ import annotations

import pytest

from skep.symbols.resolver import Symbols
from skep.symbols.symbol import Symbol

# Beyond the largest number that a process can have (PID_MAX_LIMIT).
PARENT, CHILD = (1 << 22) + 1, (1 << 22) + 2


def line(path: str) -> bytes:
    return f"1000-2000 r-xp 00000000 fe:00 7 {path}\n".encode()


def test_a_new_program_takes_the_place_of_the_old_one() -> None:
    symbols = Symbols()
    symbols.mapped(PARENT, line("/old"))
    symbols.forked(CHILD, PARENT)
    assert symbols.user(CHILD, 0x1500).module == "/old"
    symbols.executed(CHILD)
    symbols.mapped(CHILD, line("/new"))
    assert symbols.user(CHILD, 0x1500).module == "/new"
    assert symbols.user(PARENT, 0x1500).module == "/old"


def test_a_later_mapping_takes_the_place_of_an_earlier_one() -> None:
    symbols = Symbols()
    symbols.mapped(PARENT, line("/first"))
    assert symbols.user(PARENT, 0x1500).module == "/first"
    symbols.refresh()
    symbols.mapped(PARENT, line("/second"))
    assert symbols.user(PARENT, 0x1600).module == "/second"


def test_processes_of_another_namespace_are_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("skep.symbols.processes.are_others", lambda: True)
    symbols = Symbols()
    symbols.mapped(PARENT, line("/other"))
    assert symbols.user(PARENT, 0x1500) == Symbol(None, 0x1500)
    assert symbols.caller(PARENT, 0x1500).name is None
