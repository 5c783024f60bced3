from __future__ import annotations

import os
from pathlib import Path

import pytest

from skep.errors import UsageError
from skep.fields import Context, Disk, IoFlags
from skep.fields.block import ENUMS, request_text
from skep.fields.diskstats import Disks
from tests.fixtures import VERSIONS, saved_target
from tests.unit.records import json_of, shown

VDA = 253 << 20

IO_NAMES = {
    "REQ_OP_READ": 0,
    "REQ_OP_WRITE": 1,
    "REQ_OP_FLUSH": 2,
    "REQ_OP_ZONE_APPEND": 7,
    "__REQ_SYNC": 11,
    "__REQ_META": 12,
    "__REQ_PRIO": 13,
    "__REQ_RAHEAD": 19,
}
"""Some numbers of 6.18."""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    path = tmp_path / "diskstats"
    path.write_text(
        " 253       0 vda 1061 0 55370 351 12 0 96 5 0 348 357 0 0 0 0 3 0\n"
        " 253       1 vda1 900 0 48000 300 10 0 90 4 0 300 304 0 0 0 0 0 0\n"
    )
    return Context(io_names=IO_NAMES, disks=Disks(str(path)))


def test_disks_have_names(context: Context) -> None:
    assert shown(Disk, VDA, context=context) == "vda"
    assert shown(Disk, VDA | 1, context=context) == "vda1"
    assert shown(Disk, 5, context=context) == "?"
    assert json_of(Disk, VDA, context) == {"x": VDA, "x_name": "vda"}


def test_disks_of_this_machine_by_name() -> None:
    numbers = {name: number for number, name in Disks().names().items()}
    whole = [name for name in os.listdir("/sys/block") if name in numbers]
    for name in whole[:3]:
        number = numbers[name]
        assert Disk.parse(name) == number
        assert Disk.parse(f"/dev/{name}") == number
    with pytest.raises(UsageError, match="no such disk 'nodisk'"):
        Disk.parse("nodisk")


def test_partitions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(Disks().names().values()))
    monkeypatch.setattr("os.path.exists", lambda path: path.endswith("/partition"))
    with pytest.raises(UsageError, match="is a partition"):
        Disk.parse(name)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "Read"),
        (1, "Write"),
        (7, "ZoneAppend"),
        (99, "Unknown"),
        (1 | 1 << 11, "Sync-Write"),
        (0 | 1 << 12 | 1 << 13, "Priority-Metadata-Read"),
        (0 | 1 << 19, "ReadAhead-Read"),
    ],
)
def test_flags_of_requests_in_words(context: Context, flags: int, text: str) -> None:
    assert shown(IoFlags, flags, context=context) == text
    assert json_of(IoFlags, flags, context) == {"x": flags, "x_text": text}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kernel_names_its_requests(version: str) -> None:
    target = saved_target(version)
    names = {k: v for enum in ENUMS for k, v in target.enumerators(enum).items()}

    def text(operation: str, *flags: str) -> str:
        bits = sum(1 << names[flag] for flag in flags)
        return request_text(names[operation] | bits, names)

    assert text("REQ_OP_READ") == "Read"
    assert text("REQ_OP_READ", "__REQ_RAHEAD") == "ReadAhead-Read"
    assert text("REQ_OP_WRITE", "__REQ_SYNC", "__REQ_FUA") == (
        "ForcedUnitAccess-Sync-Write"
    )
    assert text("REQ_OP_FLUSH", "__REQ_BACKGROUND") == "Background-Flush"
    assert text("REQ_OP_DISCARD") == "Discard"
    assert text("REQ_OP_ZONE_RESET_ALL") == "ZoneResetAll"
