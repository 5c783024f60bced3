"""Paths put together from the names of directories."""

from __future__ import annotations

import pytest

from skep.fields import FullPath
from skep.fields.paths import join_path
from tests.unit.records import json_of, shown


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/etc/passwd\0", "/etc/passwd"),
        (b"", ""),
        (b"\0", ""),
        (b"a\0c\0b\0/\0", "/b/c/a"),
        (b"a\0/\0", "/a"),
        (b"../x/y\0home\0/\0", "/home/../x/y"),
        # A file system that is mounted elsewhere: its root is called "/", too.
        (b"a\0c\0/\0mnt\0/\0", "/mnt/c/a"),
        (b"a\0c\0b", "/.../b/c/a"),
    ],
)
def test_components_become_a_path(raw: bytes, path: str) -> None:
    assert join_path(raw) == path
    assert shown(FullPath, raw, "table") == path


def test_json_calls_it_path() -> None:
    assert json_of(FullPath, b"a\0b\0/\0", name="full_path") == {"path": "/b/a"}
    assert json_of(FullPath, b"a\0b", name="full_path") == {
        "path": "/.../b/a",
        "path_truncated": True,
    }


def test_bytes_that_are_no_utf8() -> None:
    assert shown(FullPath, b"a\xff\0/\0", "table") == r"/a\xff"
    assert json_of(FullPath, b"a\xff\0/\0")["path"] == "/a\ufffd"
