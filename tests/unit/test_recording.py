"""Files of recordings: what is written is shown, whatever else is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skep.cli import main
from skep.errors import SkepError
from skep.fields import Clock, Context
from skep.output.recording_file import CGROUPS, END, HEADER, MAGIC, RECORDS, FileWriter
from skep.toolkit.arguments import parse
from skep.toolkit.binding import Binding
from skep.toolkit.recording import Recording
from skep.toolkit.tool import load
from tests.unit.records import framed

COUNTS = {"ring full": 2, "recursion": None}


def opens(binding: Binding, number: int) -> bytes:
    """Records of opensnoop."""
    (stream,) = binding.tool.streams.values()
    bound: Any = binding.bind(stream)
    layout = bound.layout
    data = b""
    for index in range(number):
        fixed = bytearray(layout.size)
        fixed[0] = layout.type_id
        for field in layout.fields:
            value = b"cat" if field.format.endswith("s") else bytes([index + 1])
            fixed[field.offset : field.offset + len(value)] = value
        data += framed(bytes(fixed) + b"/etc/\x1b[2J%d\0" % index)
    return data


def recorded(path: Path, *words: str, number: int = 3, ends: bool = True) -> bytes:
    """The bytes of a recording of opensnoop, also in the file `path`."""
    path.unlink(missing_ok=True)
    options = parse(load("opensnoop"), ["--record", str(path), *words])
    binding = Binding(load("opensnoop"), options)
    recording = Recording(str(path))
    recording.begin(binding, Context(Clock(1, 10**18)))
    recording.add(opens(binding, number))
    if ends:
        recording.finish(COUNTS)
    recording.close()
    return path.read_bytes()


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


@pytest.mark.parametrize("tool", ["trace", "biolatency", "tplist"])
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
    whole = recorded(path)
    without_end = len(recorded(path, ends=False))
    for length in range(len(MAGIC), len(whole)):
        path.write_bytes(whole[:length])
        status = main(["replay", str(path)])
        shown, told = capfd.readouterr()
        if status == 1:
            assert "it ends before its header" in told
        else:
            assert status == 3
            assert "cut short" in told
            assert len(shown.splitlines()) == (4 if length >= without_end else 1)


def test_no_name_of_a_tool_is_a_file_with_code(path: Path, capfd: Any) -> None:
    code = path.with_suffix(".py")
    code.write_text(f"open({str(code)!r} + '.ran', 'w')\n")
    writer = FileWriter(str(path))
    writer.add_json(HEADER, {"tool": str(code), "architecture": "x"})
    writer.close()
    assert main(["replay", str(path)]) == 1
    assert "names no tool" in capfd.readouterr().err
    assert not code.with_suffix(".py.ran").exists()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=150,
)
@given(st.data())
def test_any_chunks_are_shown_or_refused(path: Path, capfd: Any, data: Any) -> None:
    """Checksums do not save: whoever writes a file can compute them."""
    whole = recorded(path)
    kinds = st.sampled_from([HEADER, CGROUPS, RECORDS, END])
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
        max_leaves=6,
    )
    path.unlink()
    writer = FileWriter(str(path))
    length = int.from_bytes(whole[len(MAGIC) + 1 : len(MAGIC) + 5], "little")
    start = len(MAGIC) + 9
    header = json.loads(whole[start : start + length])
    if data.draw(st.booleans()):
        where = data.draw(st.sampled_from([header, header["options"]]))
        where[data.draw(st.sampled_from(sorted(where)))] = data.draw(values)
    writer.add_json(HEADER, header)
    options = parse(load("opensnoop"), ["--record", str(path)])
    records = bytearray(opens(Binding(load("opensnoop"), options), 2))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(records) - 1))
        records[place] = data.draw(st.integers(0, 255))
    writer.add(RECORDS, bytes(records))
    for kind in data.draw(st.lists(kinds, max_size=3)):
        writer.add(kind, data.draw(st.binary(max_size=60) | values.map(_json)))
    writer.close()
    form = data.draw(st.sampled_from(["table", "json", "csv"]))
    assert main(["replay", str(path), "--format", form]) in (0, 1, 2, 3)
    assert "\x1b" not in "".join(capfd.readouterr())


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
