from __future__ import annotations

import os
from pathlib import Path

import pytest

from skep.errors import TargetError, UsageError
from skep.fields import CgroupId, Column, Comm, Context, Pid, Ppid, Uid
from skep.fields.cgroupfs import Cgroups, cgroup2_mount
from tests.unit.records import json_of, shown


def test_a_name_ends_at_its_first_nul() -> None:
    assert shown(Comm, b"cat\0leftover\0\0\0\0") == "cat"
    assert shown(Comm, b"fifteen_letters\0") == "fifteen_letters"


def test_a_format_cuts_a_name() -> None:
    assert shown(Comm, b"fifteen_letters\0", column=Column(format=".14")) == (
        "fifteen_letter"
    )


def test_a_name_with_odd_bytes() -> None:
    raw = b"a\xffb\0"
    assert shown(Comm, raw) == r"a\xffb"
    assert json_of(Comm, raw) == {"x": "a\ufffdb", "x_base64": "Yf9i"}


def test_an_unknown_parent() -> None:
    assert shown(Ppid, 0) == "?"
    assert shown(Ppid, 12) == "12"
    assert json_of(Ppid, 0) == {"x": 0}


def test_users_by_name_and_number() -> None:
    assert Uid.parse("0") == 0
    assert Uid.parse("root") == 0
    with pytest.raises(UsageError, match="no such user"):
        Uid.parse("nobody-of-that-name")


def test_numbers_from_the_command_line() -> None:
    assert Pid.parse("0x10") == 16
    with pytest.raises(UsageError, match="not a number"):
        Pid.parse("ten")


@pytest.fixture
def cgroups(tmp_path: Path) -> Cgroups:
    (tmp_path / "system.slice" / "ssh.service").mkdir(parents=True)
    (tmp_path / "cgroup.procs").touch()
    return Cgroups(str(tmp_path))


def test_cgroups_have_paths_below_the_mount(cgroups: Cgroups, tmp_path: Path) -> None:
    service = os.stat(tmp_path / "system.slice" / "ssh.service").st_ino
    assert cgroups.path(service) == "/system.slice/ssh.service"
    assert cgroups.path(os.stat(tmp_path).st_ino) == "/"
    assert cgroups.id("/system.slice/ssh.service") == service


def test_new_cgroups_are_found_and_removed_ones_are_remembered(
    cgroups: Cgroups, tmp_path: Path
) -> None:
    assert cgroups.path(1) is None
    new = tmp_path / "new"
    new.mkdir()
    number = os.stat(new).st_ino
    assert cgroups.path(number) == "/new"
    new.rmdir()
    assert cgroups.path(number) == "/new"


def test_a_cgroup_that_is_gone_shows_its_id(cgroups: Cgroups, tmp_path: Path) -> None:
    context = Context(cgroups=cgroups)
    assert shown(CgroupId, 1, context=context) == "[1]"
    assert json_of(CgroupId, 1, context) == {"x": 1, "x_path": None}
    root = os.stat(tmp_path).st_ino
    assert json_of(CgroupId, root, context) == {"x": root, "x_path": "/"}


def test_cgroups_from_the_command_line(
    cgroups: Cgroups, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("skep.fields.cgroupfs.cgroup2_mount", lambda: str(tmp_path))
    assert CgroupId.parse("12") == 12
    assert CgroupId.parse("/") == os.stat(tmp_path).st_ino
    slice_ = tmp_path / "system.slice"
    assert CgroupId.parse("system.slice") == os.stat(slice_).st_ino
    assert CgroupId.parse(str(slice_)) == os.stat(slice_).st_ino
    with pytest.raises(UsageError, match="no such cgroup"):
        CgroupId.parse("/nothing")


def test_where_cgroup2_is_mounted(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(
        "24 30 0:22 / /proc rw,nosuid shared:14 - proc proc rw\n"
        "35 30 0:30 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n"
    )
    assert cgroup2_mount(str(mountinfo)) == "/sys/fs/cgroup/unified"
    mountinfo.write_text("24 30 0:22 / /proc rw,nosuid - proc proc rw\n")
    with pytest.raises(TargetError, match="no cgroup2"):
        cgroup2_mount(str(mountinfo))
