"""Enumerators and macros by name."""

from __future__ import annotations

import errno
import socket

import pytest

from skep.frontends.cexpr import c_names
from tests.fixtures import ARM64, saved_target


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BPF_MAP_TYPE_HASH", 1),  # an enumerator
        ("IPPROTO_TCP", 6),
        ("EPERM", errno.EPERM),
        ("ENOENT", errno.ENOENT),
        ("ERESTARTSYS", 512),
        ("O_RDONLY", 0),
        ("O_CREAT", 0o100),
        ("O_LARGEFILE", 0o100000),
        ("AF_INET6", socket.AF_INET6),
        ("SOCK_STREAM", 1),
        ("SIGKILL", 9),
        ("S_IFREG", 0o100000),
        ("PROT_NONE", 0),
        ("PROT_EXEC", 4),
        ("MAP_ANONYMOUS", 0x20),
        ("CLONE_NEWNET", 0x40000000),
        ("NULL", 0),
        ("true", 1),
        ("INT_MIN", -(1 << 31)),
        ("ULONG_MAX", (1 << 64) - 1),
        ("AT_FDCWD", -100),
        ("PAGE_SIZE", 4096),
        ("PAGE_SHIFT", 12),
    ],
)
def test_value(name: str, value: int) -> None:
    assert c_names(saved_target("6.18"))[name] == value


@pytest.mark.parametrize("version", ARM64)
def test_large_files_on_arm64(version: str) -> None:
    assert c_names(saved_target(version))["O_LARGEFILE"] == 0o400000


@pytest.mark.parametrize(
    "name", ["nope", "E", "O_", "errorcode", "S_ISDIR", "Exxx", ""]
)
def test_unknown(name: str) -> None:
    names = c_names(saved_target("6.18"))
    assert name not in names
    with pytest.raises(KeyError):
        names[name]


def test_iteration_is_for_hints() -> None:
    names = list(c_names(saved_target("6.18")))
    assert {"EPERM", "O_CREAT", "NULL", "SIGKILL"} <= set(names)
