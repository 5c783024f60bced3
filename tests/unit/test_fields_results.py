from __future__ import annotations

import os

import pytest

from skep.errors import UsageError
from skep.fields import (
    Column,
    Context,
    Errno,
    FdOrErrno,
    FileMode,
    Member,
    OpenFlags,
    Ret,
)
from skep.fields.files import READ_ONLY
from skep.output.decode import format_function
from skep.output.record_types import RecordType
from skep.spec import RecordLayout
from tests.unit.records import json_of, shown


@pytest.mark.parametrize(
    ("ret", "text", "items"),
    [
        (0, "0,0", {"ret": 0}),
        (3, "3,0", {"ret": 3}),
        (-2, "-1,2", {"ret": -2, "error": "ENOENT"}),
        (-512, "-1,512", {"ret": -512, "error": "ERESTARTSYS"}),
        (-4000, "-1,4000", {"ret": -4000}),
    ],
)
def test_a_descriptor_or_an_error(ret: int, text: str, items: dict[str, int]) -> None:
    assert shown(FdOrErrno, ret) == text
    assert json_of(FdOrErrno, ret, name="ret") == items


def test_results_of_other_names_have_their_own_error() -> None:
    assert json_of(Ret, -13, name="status") == {"status": -13, "status_error": "EACCES"}
    assert shown(Ret, -13) == "-13"


def test_error_numbers() -> None:
    assert json_of(Errno, 1, name="why") == {"why": 1, "why_name": "EPERM"}
    assert json_of(Errno, 0, name="why") == {"why": 0}


def test_flags_are_octal_and_have_names() -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    assert shown(OpenFlags, flags) == f"{flags:08o}"
    assert json_of(OpenFlags, flags) == {
        "x": flags,
        "x_names": ["O_WRONLY", "O_CREAT", "O_CLOEXEC"],
    }


def test_combined_flags_have_one_name() -> None:
    assert OpenFlags.names(os.O_RDWR | os.O_SYNC) == ["O_RDWR", "O_SYNC"]
    assert OpenFlags.names(os.O_RDWR | os.O_DSYNC) == ["O_RDWR", "O_DSYNC"]
    assert OpenFlags.names(os.O_RDWR | os.O_TMPFILE) == ["O_RDWR", "O_TMPFILE"]
    assert OpenFlags.names(os.O_DIRECTORY) == ["O_RDONLY", "O_DIRECTORY"]


def test_unknown_flags_are_not_dropped() -> None:
    assert OpenFlags.names(1 << 30 | os.O_APPEND) == [
        "O_RDONLY",
        "O_APPEND",
        "0x40000000",
    ]
    assert OpenFlags.names(3) == ["0x3"]


def test_flags_by_name() -> None:
    assert OpenFlags.parse("O_WRONLY") == os.O_WRONLY
    assert OpenFlags.parse("O_NDELAY") == os.O_NONBLOCK
    assert OpenFlags.parse("O_RDONLY") == READ_ONLY
    with pytest.raises(UsageError, match="Bad flag: O_WRONGLY") as error:
        OpenFlags.parse("O_WRONGLY")
    assert "O_WRONLY" in error.value.diagnostic.hint


def test_a_mode_is_shown_where_something_may_be_created() -> None:
    members = [Member("flags", OpenFlags), Member("mode", FileMode)]
    record = RecordType(RecordLayout("r", 1, [], 0), members, "r/1", columns=["mode"])
    modes = format_function(record, "csv", Context())(
        [
            (os.O_CREAT, 0o644),
            (os.O_CREAT, 0),
            (os.O_TMPFILE, 0),
            (os.O_DIRECTORY, 0),
            (os.O_RDONLY, 0),
        ]
    )
    assert modes == ["0644\n", "0000\n", "0000\n", "n/a\n", "n/a\n"]


def test_a_mode_without_flags() -> None:
    assert shown(FileMode, 0) == "n/a"
    assert shown(FileMode, 0o755) == "0755"
    assert shown(FileMode, 0o755, column=Column(format="o")) == "755"
