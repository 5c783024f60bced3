"""Programs that the compiler once got wrong, three ways each.

Standard library only, and Python 3.9: these tests also run in guests.
"""

from __future__ import annotations

import unittest

from skep.probes.parameters import parse_prototype
from tests.differential import harness, user_page

TOP = 1 << 63

CASES = {
    "a test whose outcomes meet again": (
        "u8 a",
        "if a and a:\n        v = bpf.u8(1)\n    return a",
    ),
    "a parameter assigned on one path": (
        "s32 a, s32 b",
        "if a < b:\n        a = b\n    return a",
    ),
    "a parameter assigned in a loop": (
        "s32 a",
        "for i in range(3):\n        a += i\n    return a",
    ),
    "writing the one value of a map": (
        "u8 a",
        "p = narrow.lookup(3)\n    if p:\n        p.value = 9\n"
        "    narrow.update(3, a)\n    return 7",
    ),
    "a number and its lower half, both used": (
        "u64 a, u64 b",
        "narrow.update(1, bpf.u32(a) == bpf.u32(b))\n    out.update(0, a)\n"
        "    return bpf.u32(a)",
    ),
    "modulo by a constant zero": ("u32 a", "return a % bpf.u8(0)"),
    "division by a constant zero": ("u32 a", "return (a // bpf.u8(0)) + 5"),
    "log2 of a negative constant": ("u8 a", "return bpf.log2(bpf.s16(-1)) + a"),
    "a constant and a register of the same number": (
        "u64 a, u64 b",
        "return (bpf.u64(1) if b > 3 else a) + (bpf.u64(2) if b > 3 else a)",
    ),
    "a constant truth value negated": (
        "u8 a",
        "out.update(0, -(not bpf.u16(0)))\n    return a - (not bpf.u16(0))",
    ),
    "a truth value in a map": (
        "u8 a",
        "v = a > 3\n    v = a\n    return v",
    ),
    "a counter that has a type already": (
        "u8 a",
        "i = bpf.u8(a)\n    for i in range(250, 260):\n        a += i\n    return i",
    ),
    "signs of dividend and divisor": (
        "s64 a, s16 b",
        "out.update(0, a // b)\n    out.update(1, a % b)\n    return a",
    ),
}


COUNTED = """
@bpf.inline
def counted(x) -> 'u64':
    counts.increment(x)
    return x + 1

"""

PROGRAMS = {
    "a key before a value that uses the map": (
        "u64 a, u64 b",
        COUNTED
        + """
def program(a, b) -> 'u64':
    counts.update(a & 1, counted(b & 1))
    return a
""",
    ),
    "the middle of two comparisons": (
        "u64 a, u64 b",
        COUNTED
        + """
def program(a, b) -> 'u64':
    out.update(0, 1 < counted(a & 3) < 3)
    return 0 <= a & 1 < counted(b & 3) <= counted(a & 1)
""",
    ),
    "a value among several": (
        "u64 a, u64 b",
        COUNTED
        + """
def program(a, b) -> 'u64':
    out.update(0, counted(a & 3) in (1, 2, b))
    return counted(b & 3) not in (a, 3)
""",
    ),
    "an argument that the function writes": (
        "u32 a, u64 b",
        """
@bpf.inline
def added(cell, before, number) -> 'u64':
    cell.b += number
    return before

def program(a, b) -> 'u64':
    cell = cells.lookup(a & 3)
    if cell is None:
        return 0
    key = Cell(a=1, b=b, c=2, d=3, text="")
    out.update(a & 1, added(key, key.b, 5))
    return added(cell, cell.b, b)
""",
    ),
    "a pointer that is not null, chosen and returned": (
        "u64 a, u64 b",
        """
@bpf.inline
def same(pointer) -> 'pointer':
    return pointer

def program(a, b) -> 'u64':
    counts.update(1, b)
    p = counts.lookup(a & 1)
    q = counts.lookup(1)
    if p is None or not q:
        return 3
    chosen = p if a > b else q
    chosen.value += 1
    again = same(p)
    return again.value
""",
    ),
    "a record sent on some paths": (
        "u64 a, u64 b",
        """
def program(a, b) -> 'u64':
    row = lists.begin()
    row.append(bpf.comm())
    if a > 5:
        row.emit(a=a, b=b)
    if b == 2:
        return 1
    other = lists.begin()
    other.emit(a=b, b=a)
    return 2
""",
    ),
    "a record that another one takes the place of": (
        "u64 a, u64 b",
        """
def program(a, b) -> 'u64':
    row = lists.begin()
    row.append(bpf.comm())
    if options.quiet:
        row.emit(a=1, b=a)
    other = lists.begin()
    other.emit(a=2, b=b)
    lists.begin()
    lists.emit(a=3, b=b)
    return 1
""",
    ),
    "a record left behind in loops": (
        "u64 a, u64 b",
        """
def program(a, b) -> 'u64':
    for i in range(3):
        row = lists.begin()
        if i == a & 1:
            continue
        if i == b & 3:
            break
        row.append(bpf.comm())
        if b > 2:
            row.emit(a=i, b=b)
    n = 0
    while n != a & 3:
        n += 1
        lists.begin()
    lists.emit(a=1, b=2)
    return 2
""",
    ),
    "a record left behind in a function": (
        "u64 a, u64 b",
        """
@bpf.inline
def send(x, y) -> 'u64':
    row = lists.begin()
    if x < 6:
        return 1
    row.append(bpf.comm())
    if y < 3:
        return 2
    row.emit(a=x, b=y)
    return 3

@bpf.inline
def finish(row, x) -> 'u64':
    if x & 1:
        row.emit(a=x, b=1)
        return 1
    return 2

def program(a, b) -> 'u64':
    first = send(a, b)
    second = send(b, a)
    row = lists.begin()
    third = finish(row, b)
    lists.emit(a=first, b=second)
    return third
""",
    ),
    "a record of a kind begun while one of another is open": (
        "u64 a, u64 b",
        """
def program(a, b) -> 'u64':
    row = lists.begin()
    other = long_chunks.begin()
    row.append(bpf.comm())
    other.append(bpf.memory(bpf.task().comm, 4))
    row.emit(a=a, b=1)
    other.append(bpf.memory(bpf.task().comm, 3))
    other.emit(a=b, b=2)
    return 1
""",
    ),
    "bytes in a large record": (
        "u64 a, u64 b",
        f"""
def program(a, b) -> 'u64':
    at = bpf.user(bpf.cast({user_page.ADDRESS:#x}, "u8 *"))
    long_chunks.emit(a=1, b=2, text=bpf.memory(at, a))
    long_chunks.emit(a=1, b=2, text=bpf.memory(at, b & 255))
    return 1
""",
    ),
    "no bytes from an address of nothing": (
        "u64 a, u64 b",
        """
def program(a, b) -> 'u64':
    nowhere = bpf.user(bpf.cast(a | 1 << 63, "u8 *"))
    chunks.emit(a=1, b=b, text=bpf.memory(nowhere, b & 1))
    return 1
""",
    ),
    "several pieces in a small record": (
        "u64 a, u64 b",
        f"""
def program(a, b) -> 'u64':
    at = bpf.user(bpf.cast({user_page.ADDRESS:#x}, "u8 *"))
    row = chunks.begin()
    row.append(bpf.memory(at, a & 15))
    row.append(bpf.memory(at, 9))
    row.append(bpf.memory(at, b))
    row.emit(a=1, b=2)
    return 1
""",
    ),
    "text on the stack and text without its end": (
        "u32 a, u64 b",
        """
def program(a, b) -> 'u64':
    known = Cell(a=1, b=b, c=2, d=3, text="eleven byte")
    texts.emit(a=1, b=b, text=known.text)
    long_texts.emit(a=2, b=b, text=known.text)
    lists.emit(a=3, b=b, text=known.text)
    cell = cells.lookup(a & 3)
    if cell:
        texts.emit(a=4, b=b, text=cell.text)
        row = lists.begin()
        row.append(cell.text)
        row.append(known.text)
        row.emit(a=5, b=b)
    return 1
""",
    ),
    "the structure around a member in user memory": (
        "u64 a, u64 b",
        f"""
def program(a, b) -> 'u64':
    at = bpf.user(bpf.cast({user_page.ADDRESS + 64:#x}, "struct itimerspec64 *"))
    outer = bpf.container_of(at.it_value, "struct itimerspec64", "it_value")
    return outer.it_interval.tv_nsec ^ outer.it_value.tv_sec
""",
    ),
}


def agree(source: str, prototype: str) -> None:
    words = [[5, 7], [TOP + 9, 4], [0, 0], [(1 << 64) - 7, (1 << 64) - 2], [2, 2]]
    compiled = harness.compile_source(source, prototype)
    expected = harness.run_model(source, prototype, words)
    assert harness.run_interpreter(compiled, words) == expected, "interpreter"
    assert harness.run_kernel(compiled, words) == expected, "kernel"


class Regressions(unittest.TestCase):
    def test_agrees(self) -> None:
        for name, (prototype, body) in CASES.items():
            names = ", ".join(each.name for each in parse_prototype(prototype))
            with self.subTest(name):
                agree(f"def program({names}) -> 's64':\n    {body}\n", prototype)

    def test_whole_programs_agree(self) -> None:
        for name, (prototype, source) in PROGRAMS.items():
            with self.subTest(name):
                agree(source, prototype)
