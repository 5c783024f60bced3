"""Programs small enough to read, for the runtime to load."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Sequence

from skep.asm import (
    Instruction,
    alu_imm,
    atomic,
    call,
    exit_,
    jump_if_imm,
    load,
    load_map,
    mov,
    mov_imm,
    store,
    store_imm,
)
from skep.asm.opcodes import BPF_ADD, BPF_JEQ
from skep.runtime.collection import Collection
from skep.runtime.ring import BUSY, DISCARDED, HEADER_SIZE, RingBuffer
from skep.spec import AttachSpec, CollectionSpec, MapSpec, ProgramSpec
from tests.live import support

GETPPID = {"x86_64": 110, "aarch64": 173}[platform.machine()]
COUNTS = MapSpec("counts", "percpu_array", 4, 8, 1)
CALLS = 997


def count(*, when: Sequence[Instruction] = ()) -> tuple[Instruction, ...]:
    """Adds one to element 0 of `counts`.  `when` leaves with r0 zero to skip that."""
    add = (
        store_imm(10, -4, 0, 4),
        mov(2, 10),
        alu_imm(BPF_ADD, 2, -4),
        load_map(1, "counts"),
        call("map_lookup_elem"),
        jump_if_imm(BPF_JEQ, 0, 0, 2),
        mov_imm(1, 1),
        atomic(BPF_ADD, 0, 0, 1, 8),
        mov_imm(0, 0),
        exit_(),
    )
    return (*when, *add)


def own_thread() -> tuple[Instruction, ...]:
    """Ends the program unless this thread runs it; keeps the context in r6."""
    return (
        mov(6, 1),
        call("get_current_pid_tgid"),
        mov(1, 0),
        alu_imm(0x60, 1, 32),  # BPF_LSH: only the thread id is left
        alu_imm(0x70, 1, 32),  # BPF_RSH
        jump_if_imm(BPF_JEQ, 1, threading.get_native_id(), 2),
        mov_imm(0, 0),
        exit_(),
    )


def own_getppid() -> tuple[Instruction, ...]:
    """Ends the program unless this thread enters getppid(2); for raw sys_enter."""
    return (
        *own_thread(),
        load(1, 6, 8, 8),
        jump_if_imm(BPF_JEQ, 1, GETPPID, 2),
        mov_imm(0, 0),
        exit_(),
    )


def emit(words: int) -> tuple[Instruction, ...]:
    """Sends the context's first u64s to `events`; r0 is what the helper says."""
    copy: list[Instruction] = []
    for index in range(words):
        copy += [load(0, 1, 8 * index, 8), store(10, 8 * (index - words), 0, 8)]
    return (
        *copy,
        load_map(1, "events"),
        mov(2, 10),
        alu_imm(BPF_ADD, 2, -8 * words),
        mov_imm(3, 8 * words),
        mov_imm(4, 0),
        call("ringbuf_output"),
        exit_(),
    )


def records(ring: RingBuffer) -> list[bytes]:
    """All finished records, which are given back."""
    data, position, end = ring.pending()
    found = []
    while position < end:
        start = position & ring.mask
        header = int.from_bytes(data[start : start + 4], "little")
        if header & BUSY:
            break
        size = header & ~DISCARDED
        start = (position + HEADER_SIZE) & ring.mask
        payload = data[start : start + size]
        payload += data[: size - len(payload)]
        if not header & DISCARDED:
            found.append(payload)
        position += HEADER_SIZE + (size + 7 & ~7)
    ring.release(position)
    return found


class RuntimeTest(support.LiveTest):
    def load(
        self, attach: AttachSpec, code: Sequence[Instruction], *maps: MapSpec
    ) -> Collection:
        """A collection of one program, closed at the end of the test."""
        spec = CollectionSpec(maps, (ProgramSpec("test", attach, code),))
        collection = Collection.load(spec)
        self.addCleanup(collection.close)
        return collection

    def counted(self, collection: Collection) -> int:
        counts = collection.maps["counts"]
        value = counts.lookup(bytes(4))
        assert value is not None
        return counts.word_sums(value)[0]

    def assert_counts_getppid(
        self, attach: AttachSpec, when: Sequence[Instruction]
    ) -> None:
        collection = self.load(attach, count(when=when), COUNTS)
        for _ in range(CALLS):
            os.getppid()
        self.assertEqual(self.counted(collection), CALLS)
        collection.close()
