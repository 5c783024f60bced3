"""Whole maps in a few system calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from skep.runtime.syscall import bpf

if TYPE_CHECKING:
    from skep.runtime.maps import Map

_BATCH_BYTES = 128 << 10
_FEWEST = 64


def batches(source: Map, delete: bool) -> Iterator[tuple[bytes, bytes]]:
    """All keys and values of a map, deleted as they are read if so wished.

    Raises OSError before it yields anything where this kind of map has no batches.  A
    hash hands out whole buckets, each under its lock, so a batch must hold the largest
    one (__htab_map_lookup_and_delete_batch, kernel/bpf/hashtab.c).
    """
    command = (
        bpf.BPF_MAP_LOOKUP_AND_DELETE_BATCH if delete else bpf.BPF_MAP_LOOKUP_BATCH
    )
    spec = source.spec
    key_size, value_size = spec.key_size, source.value_bytes
    room = max(_FEWEST, _BATCH_BYTES // (key_size + value_size))
    room = min(room, spec.max_entries)
    token = bytearray(max(4, key_size))
    first = True
    while True:
        keys = bytearray(room * key_size)
        values = bytearray(room * value_size)
        batch = bpf.map_batch(command, source.fd, token, first, keys, values, room)
        if batch.full:
            room *= 2
            continue
        first = False
        for index in range(batch.filled):
            yield (
                bytes(keys[index * key_size : (index + 1) * key_size]),
                bytes(values[index * value_size : (index + 1) * value_size]),
            )
        if batch.end:
            return
