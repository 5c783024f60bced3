"""Files of recordings: what is written is shown, whatever else is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from skep.cli import main
from skep.errors import SkepError
from skep.output.recording_file import MAGIC, RECORDS, FileWriter
from skep.toolkit.aliases import ALIASES
from skep.toolkit.recording import Recording
from skep.toolkit.tool import load, tool_names
from tests.unit.recordings import Part, event, record


def opens(number: int) -> list[Part]:
    """Records of opensnoop."""
    return [
        event(pid=n + 1, ret=n + 1, comm=b"cat", time=n + 1, path=b"/etc/\x1b[2J%d" % n)
        for n in range(number)
    ]


def recorded(path: Path, *words: str, number: int = 3, ends: bool = True) -> bytes:
    """The bytes of a recording of opensnoop, also in the file `path`."""
    return record(path, ["opensnoop", *words], *opens(number), ends=ends)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a recording may be."""
    return tmp_path / "file"


def test_rows_and_losses_are_shown(path: Path, capfd: Any) -> None:
    recorded(path)
    assert main(["replay", str(path)]) == 0
    shown, told = capfd.readouterr()
    assert [line.split()[-1] for line in shown.splitlines()] == [
        "PATH",
        *(f"/etc/\\x1b[2J{number}" for number in range(3)),
    ]
    assert "2 events lost because the ring buffer was full" in told


def test_another_form_has_the_times(path: Path, capfd: Any) -> None:
    recorded(path)
    assert main(["replay", str(path), "--json", "--limit", "1"]) == 0
    event, loss = map(json.loads, capfd.readouterr().out.splitlines())
    assert event["time_ns"] == 10**18 + 1
    assert loss["ring_full"] == 2


def test_filters_columns_and_order(path: Path, capfd: Any) -> None:
    recorded(path, "-n", "dog")  # filters are said anew
    main(["replay", str(path), "--format", "csv", "--columns", "pid", "--sort=-pid"])
    assert capfd.readouterr().out.split() == ["PID", "3", "2", "1"]
    main(["replay", str(path), "-n", "dog", "--format", "csv", "--columns", "pid"])
    assert capfd.readouterr().out.split() == ["PID"]


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["-p", "1"], 2, "-p/--pid cannot be changed in a replay"),
        (["-x"], 2, "-x/--failed cannot be changed in a replay"),
        (["-e"], 2, "the recording has no flags"),
        (["--columns", "nope"], 2, "no such column"),
        (["--strict"], 3, "the output is not complete"),
    ],
)
def test_what_a_replay_cannot_do(
    path: Path, capfd: Any, words: list[str], status: int, reason: str
) -> None:
    recorded(path)
    assert main(["replay", str(path), *words]) == status
    assert reason in capfd.readouterr().err


@pytest.mark.parametrize("tool", ["tplist"])
def test_what_cannot_be_recorded(tool: str, path: Path, capfd: Any) -> None:
    assert main([tool, "--record", str(path)]) == 2
    assert f"{tool} cannot be recorded" in capfd.readouterr().err
    assert not path.exists()


def test_a_file_is_new_and_its_owners(path: Path, tmp_path: Path) -> None:
    recorded(path)
    assert path.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(SkepError, match="it exists"):
            FileWriter(str(taken))


def test_a_run_that_does_not_begin_leaves_no_file(path: Path) -> None:
    Recording(str(path)).close()
    assert not path.exists()


def test_a_full_disk_is_told(path: Path) -> None:
    writer = FileWriter(str(path))
    os.dup2(full := os.open("/dev/full", os.O_WRONLY), writer._fd)
    os.close(full)
    with pytest.raises(SkepError, match="No space left on device"):
        writer.add(RECORDS, b"x")
    writer.close()


def test_a_file_that_was_cut_short(path: Path, capfd: Any) -> None:
    whole = recorded(path, number=1)
    without_end = len(recorded(path, number=1, ends=False))
    for length in range(len(MAGIC), len(whole)):
        path.write_bytes(whole[:length])
        status = main(["replay", str(path)])
        shown, told = capfd.readouterr()
        if status == 1:
            assert "it ends before its header" in told
        else:
            assert status == 3
            assert "cut short" in told
            assert len(shown.splitlines()) == (2 if length >= without_end else 1)


@pytest.mark.parametrize("name", sorted(set(tool_names(families=True)) - set(ALIASES)))
def test_what_is_only_shown_is_named_by_the_tool(name: str) -> None:
    module: Any = load(name).module
    options = load(name).options.options
    shown, times = getattr(module, "SHOWN", ()), getattr(module, "TIMES", ())
    assert {*shown, *times} <= set(options)
    # A recording must not say which file is written.
    assert "flamegraph" not in options or "flamegraph" in shown
